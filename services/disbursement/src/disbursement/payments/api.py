"""Payments over HTTP: lines, their repair, the files to the bank."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from kit.auth.actor import Actor
from kit.auth.scopes import Region, authenticated, requires
from kit.http.api import Api
from kit.http.deps import IfMatch, Reads, Uow
from kit.http.models import Body, Out, Versioned
from kit.http.paging import Page, PageArgs
from kit.http.problems import problems
from kit.ids import receipt
from kit.money import IdrAmount
from pydantic import Field, computed_field

from disbursement.batches import asking, money_out
from disbursement.batches import queries as batches
from disbursement.batches.gates import Asked
from disbursement.payee_client import Fingerprint
from disbursement.payments import outgoing, queries, repair
from disbursement.payments.domain import GiveUp, State
from disbursement.treasury.commands import Paper

router = Api(prefix="/v1", tags=["payments"])
Reader = Annotated[Actor, requires("disbursement.payments:read", region=Region.OBJECT)]
Writer = Annotated[Actor, requires("disbursement.payments:write", region=Region.OBJECT)]
Sender = Annotated[Actor, requires("disbursement.batches:export", region=Region.OBJECT)]
STEP = problems(404, 409, 412, 422, 428)


class FixIn(Body):
    """The papers of a mended account: SPTJM, letter, passbook."""

    documents: list[UUID] = Field(min_length=1, max_length=20)


class ReissueIn(Body):
    """The lines of a batch that are paid again."""

    line_ids: list[UUID] = Field(min_length=1, max_length=1_000)


class GiveUpIn(Body):
    """The STS by which the money goes back, and why."""

    reason: str = Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")
    year_end: bool = False
    number: str = Field(min_length=1, max_length=60)
    dated_on: date
    amount_idr: IdrAmount
    document_id: UUID | None = None


class SentIn(Body):
    """The bank's receipt."""

    receipt: str = Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9 ./:\-]+$")


class NotReceivedIn(Body):
    """The bank's written answer that it never had the file."""

    document_id: UUID


class LineOut(Versioned):
    id: UUID
    batch_id: UUID
    payee_kind: str
    payee_ref: UUID
    beneficiary_person_id: UUID | None
    amount_idr: int
    region_code: str
    state: str
    reasons: list[str]
    attempt_no: int
    repair_since: date | None
    repair_due: date | None
    fixed_by: str | None
    confirmed_by: str | None
    confirmed_at: datetime | None
    recalled: bool

    @computed_field  # type: ignore[prop-decorator]
    @property
    def receipt(self) -> str:
        """The number for the phone."""
        return receipt("BY", self.id)


class ItemOut(Out):
    item_kind: str
    item_id: UUID
    amount_idr: int


class AttemptOut(Out):
    id: UUID
    no: int
    reference: str
    state: str
    amount_idr: int
    sent_at: datetime | None
    answer_due: date | None
    settled_on: date | None
    rejected_on: date | None
    returned_on: date | None
    reason_code: str | None
    bank_reason: str | None
    recall_asked: bool
    file_id: UUID


class PaymentOut(LineOut):
    items: list[ItemOut]
    attempts: list[AttemptOut]


class FileOut(Versioned):
    id: UUID
    batch_id: UUID
    no: int
    kind: str
    reference: str
    count: int
    total_idr: int
    pain001_sha256: str
    csv_sha256: str
    replaces_id: UUID | None
    receipt: str | None
    sent_at: datetime | None
    state: str


async def _account_of(
    request: Request, payment_id: UUID, actor: Annotated[Actor, Depends(authenticated)]
) -> Fingerprint | None:
    """The payee's account as the registry has it now, asked before the writing transaction."""
    runtime = request.app.state.runtime
    async with runtime.begin(actor, origin="api") as uow:
        payee = (await queries.line(uow, payment_id)).payee_ref
    marks: dict[UUID, Fingerprint] = await runtime.wiring.desk.fingerprints([payee])
    return marks.get(payee)


async def _gate_p(
    request: Request, batch_id: UUID, body: ReissueIn, actor: Annotated[Actor, Depends(authenticated)]
) -> Asked:
    """Gate P for the lines that are to be paid again."""
    return await asking.ask(request, actor, batch_id, State.REPAIR, only=frozenset(body.line_ids))


@router.get("/payments")
async def list_payments(
    uow: Reads,
    page: PageArgs,
    _: Annotated[
        Actor, requires("disbursement.payments:read", region=Region.none("rows outside the regions are hidden"))
    ],
    batch_id: Annotated[UUID | None, Query()] = None,
    state: Annotated[State | None, Query()] = None,
    beneficiary_person_id: Annotated[UUID | None, Query()] = None,
) -> Page[LineOut]:
    """Payment lines in the order of their making."""
    after = page.after[1] if page.after else None
    rows = await queries.page(
        uow, batch_id=batch_id, state=state, beneficiary=beneficiary_person_id, after=after, take=page.take
    )
    return page.page(rows, lambda row: ("", row.id), LineOut.model_validate)


@router.get("/payments/{payment_id}", responses=problems(404))
async def get_payment(payment_id: UUID, uow: Reads, _: Reader) -> PaymentOut:
    """One payment with the rights that it pays and all its attempts."""
    line = LineOut.model_validate(await queries.line(uow, payment_id))
    items = [ItemOut.model_validate(one) for one in await queries.items(uow, payment_id)]
    attempts = [AttemptOut.model_validate(one) for one in await queries.attempts(uow, payment_id)]
    return PaymentOut(**line.model_dump(exclude={"receipt"}), items=items, attempts=attempts)


@router.post("/payments/{payment_id}:fix-payee", responses=STEP)
async def fix_payee(payment_id: UUID, body: FixIn, uow: Uow, version: IfMatch, _: Writer) -> LineOut:
    """Record that the account was mended, with the papers."""
    return LineOut.model_validate(await repair.fix_payee(uow, payment_id, tuple(body.documents), version))


@router.post("/payments/{payment_id}:confirm-fix", responses=problems(404, 409, 412, 428, 503))
async def confirm_fix(
    payment_id: UUID, mark: Annotated[Fingerprint | None, Depends(_account_of)], uow: Uow, version: IfMatch, _: Writer
) -> LineOut:
    """Agree to the mended account as a second person."""
    return LineOut.model_validate(await repair.confirm_fix(uow, payment_id, mark, version))


@router.post("/payments/{payment_id}:ask-reissue", responses=problems(404, 409, 412, 428))
async def ask_reissue(payment_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> LineOut:
    """Ask for a new payment."""
    return LineOut.model_validate(await repair.ask_reissue(uow, payment_id, version))


@router.post("/payments/{payment_id}:agree-reissue", responses=problems(404, 409, 412, 428))
async def agree_reissue(payment_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> LineOut:
    """Agree to a new payment."""
    return LineOut.model_validate(await repair.agree_reissue(uow, payment_id, version))


@router.post("/payments/{payment_id}:recall", responses=problems(404, 409, 412, 428))
async def recall(payment_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> LineOut:
    """Ask the bank by letter to fetch the money back."""
    return LineOut.model_validate(await repair.recall(uow, payment_id, version))


@router.post("/payments/{payment_id}:give-up", responses=STEP)
async def give_up(payment_id: UUID, body: GiveUpIn, uow: Uow, version: IfMatch, _: Writer) -> LineOut:
    """Put the money back to the treasury by STS; the right is due again."""
    paper = Paper(body.number, body.dated_on, body.amount_idr, body.document_id)
    row = await repair.give_up(uow, payment_id, paper, GiveUp(body.reason, body.year_end), version)
    return LineOut.model_validate(row)


@router.post("/batches/{batch_id}:reissue", status_code=201, responses=problems(404, 409, 422, 503))
async def reissue(
    batch_id: UUID, asked: Annotated[Asked, Depends(_gate_p)], body: ReissueIn, uow: Uow, _: Sender
) -> list[FileOut]:
    """Write a file with a new attempt for each of these lines, after gate P."""
    return [FileOut.model_validate(row) for row in await repair.reissue(uow, batch_id, body.line_ids, asked)]


@router.get("/batches/{batch_id}/files", responses=problems(404))
async def list_files(
    batch_id: UUID, uow: Reads, _: Annotated[Actor, requires("disbursement.batches:read", region=Region.OBJECT)]
) -> list[FileOut]:
    """The files of a batch: hashes, control figures, what became of each."""
    await batches.get(uow, batch_id)
    return [FileOut.model_validate(row) for row in await queries.files(uow, batch_id)]


@router.get("/payment-files/{file_id}/content", responses=problems(403, 404), response_class=Response)
async def download(
    file_id: UUID, uow: Reads, _: Sender, form: Annotated[Literal["pain001", "csv"], Query()] = "pain001"
) -> Response:
    """The plain file for the bank. Every download is logged with its purpose."""
    row = await queries.file(uow, file_id)
    await batches.get(uow, row.batch_id)
    await uow.log_reads("payment_file_download", ["account", "holder_name"], [row.id])
    media, ending, sha256 = (
        ("application/xml", "xml", row.pain001_sha256) if form == "pain001" else ("text/csv", "csv", row.csv_sha256)
    )
    headers = {
        "content-disposition": f'attachment; filename="{row.reference}.{ending}"',
        "x-content-sha256": sha256,
        "cache-control": "no-store",
    }
    return Response(outgoing.opened(uow, row, form), media_type=media, headers=headers)


@router.post("/payment-files/{file_id}:confirm-sent", responses=STEP)
async def confirm_file(file_id: UUID, body: SentIn, uow: Uow, version: IfMatch, _: Sender) -> FileOut:
    """Record the bank's receipt of one file: a re-issue, or a part of a batch sent in parts."""
    await money_out.confirm_file(uow, file_id, body.receipt, version)
    return FileOut.model_validate(await queries.file(uow, file_id))


@router.post("/payment-files/{file_id}:not-received", responses=STEP)
async def not_received(
    file_id: UUID,
    body: NotReceivedIn,
    uow: Uow,
    version: IfMatch,
    _: Annotated[Actor, requires("disbursement.recon:write", region=Region.OBJECT)],
) -> FileOut:
    """Record the bank's written answer that it never had a file whose upload timed out: it may be sent."""
    await money_out.not_received(uow, file_id, body.document_id, version)
    return FileOut.model_validate(await queries.file(uow, file_id))
