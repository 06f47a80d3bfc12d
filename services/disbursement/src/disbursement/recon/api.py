"""Differences and the files from the bank over HTTP."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response
from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.errors import Invalid
from kit.http.api import Api
from kit.http.deps import IfMatch, Reads, Uow
from kit.http.models import Body, Out, Versioned
from kit.http.paging import Page, PageArgs
from kit.http.problems import problems
from kit.ids import receipt
from pydantic import Field, computed_field

from disbursement.payments import queries as payments
from disbursement.payments import results
from disbursement.payments.files.rows import MAX_RESULT_BYTES, MAX_RESULT_ROWS
from disbursement.payments.results import Format
from disbursement.recon import commands, queries
from disbursement.recon.domain import State

router = Api(prefix="/v1", tags=["recon"])
OFFICE_WIDE = Region.none("the bank's word concerns the account of the whole office")
Reader = Annotated[Actor, requires("disbursement.recon:read", region=OFFICE_WIDE)]
Writer = Annotated[Actor, requires("disbursement.recon:write", region=OFFICE_WIDE)]


class ResultFileOut(Versioned):
    id: UUID
    sha256: str
    format: str
    size_bytes: int
    message_id: str | None
    uploaded_by: str
    applied_by: str | None
    applied_at: datetime | None
    covers_file_id: UUID | None
    rows: int
    outcomes: dict[str, int]
    refusal: str | None
    refusal_params: dict[str, Any]
    state: str

    @computed_field  # type: ignore[prop-decorator]
    @property
    def receipt(self) -> str:
        """The number for the phone."""
        return receipt("HB", self.id)


class ResultRowOut(Out):
    row_no: int
    reference: str
    bank_ref: str | None
    status: str
    reason: str | None
    amount_idr: int | None
    value_date: date | None
    outcome: str | None
    applied: bool
    attempt_id: UUID | None


class ResultRowsOut(Out):
    items: list[ResultRowOut]
    next_row: int | None


class ReconItemOut(Versioned):
    id: UUID
    kind: str
    level: int
    ref: str
    batch_id: UUID | None
    line_id: UUID | None
    attempt_id: UUID | None
    result_file_id: UUID | None
    row_no: int | None
    difference_idr: int
    owner_role: str
    opened_on: date
    age_days: int = 0
    explained_by: str | None
    explanation: str | None
    document_id: UUID | None
    resolved_by: str | None
    resolved_at: datetime | None
    state: str


class ExplainIn(Body):
    """Where the difference comes from, and the document that shows it."""

    explanation: str = Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")
    document_id: UUID


@router.post("/result-files", status_code=201, responses=problems(413, 422), max_body_size=MAX_RESULT_BYTES)
async def upload_results(
    request: Request,
    response: Response,
    uow: Uow,
    _: Writer,
    form: Annotated[Format, Query(alias="format")],
    covers_file_id: Annotated[UUID | None, Query()] = None,
) -> ResultFileOut:
    """Upload a file of the bank as the raw body. The same bytes again answer with the first upload (200)."""
    content = await request.body()
    if not content:
        raise Invalid.field("/body", "wajib_diisi")
    if covers_file_id is not None:
        await payments.file(uow, covers_file_id)
    row, new = await results.upload(uow, content, form, covers_file_id=covers_file_id)
    if not new:
        response.status_code = 200
    return ResultFileOut.model_validate(row)


@router.get("/result-files")
async def list_results(
    uow: Reads, page: PageArgs, _: Reader, state: Annotated[str | None, Query(pattern=r"^[a-z_]{1,20}$")] = None
) -> Page[ResultFileOut]:
    """Files of the bank in order of upload."""
    after = page.after[1] if page.after else None
    rows = await payments.result_files(uow, state=state, after=after, take=page.take)
    return page.page(rows, lambda row: ("", row.id), ResultFileOut.model_validate)


@router.get("/result-files/{file_id}", responses=problems(404))
async def get_result(file_id: UUID, uow: Reads, _: Reader) -> ResultFileOut:
    """One file of the bank, and how its rows ended."""
    return ResultFileOut.model_validate(await payments.result_file(uow, file_id))


@router.get("/result-files/{file_id}/rows", responses=problems(404))
async def get_rows(
    file_id: UUID,
    uow: Reads,
    _: Reader,
    after: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 200,
) -> ResultRowsOut:
    """The rows of a file with their outcomes; `next_row` is the `after` of the next call."""
    await payments.result_file(uow, file_id)
    rows = await payments.result_rows(uow, file_id, after=min(after, MAX_RESULT_ROWS), take=limit + 1)
    items = [ResultRowOut.model_validate(row) for row in rows[:limit]]
    return ResultRowsOut(items=items, next_row=items[-1].row_no if len(rows) > limit else None)


@router.post("/result-files/{file_id}:apply", responses=problems(404, 409, 412, 428))
async def apply_results(file_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> ResultFileOut:
    """Apply a file as another person than its uploader."""
    return ResultFileOut.model_validate(await results.apply(uow, file_id, version))


@router.get("/recon-items")
async def list_items(
    uow: Reads,
    page: PageArgs,
    _: Reader,
    state: Annotated[State | None, Query()] = None,
    batch_id: Annotated[UUID | None, Query()] = None,
) -> Page[ReconItemOut]:
    """Differences, oldest first, with their age."""
    after = page.after[1] if page.after else None
    rows = await queries.page(uow, state=state, batch_id=batch_id, after=after, take=page.take)
    return page.page(rows, lambda row: ("", row.id), lambda row: _aged(row, uow.today))


@router.get("/recon-items/{item_id}", responses=problems(404))
async def get_item(item_id: UUID, uow: Reads, _: Reader) -> ReconItemOut:
    """One difference."""
    return _aged(await queries.get(uow, item_id), uow.today)


@router.post("/recon-items/{item_id}:explain", responses=problems(404, 409, 412, 422, 428))
async def explain_item(item_id: UUID, body: ExplainIn, uow: Uow, version: IfMatch, _: Writer) -> ReconItemOut:
    """Say with a document where a difference comes from."""
    row = await commands.explain(uow, item_id, body.explanation, body.document_id, version)
    return _aged(row, uow.today)


@router.post("/recon-items/{item_id}:resolve", responses=problems(404, 409, 412, 428))
async def resolve_item(item_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> ReconItemOut:
    """Accept the explanation of another person."""
    return _aged(await commands.resolve(uow, item_id, version), uow.today)


def _aged(row: object, today: date) -> ReconItemOut:
    item = ReconItemOut.model_validate(row)
    return item.model_copy(update={"age_days": (today - item.opened_on).days})
