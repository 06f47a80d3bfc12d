"""Batches over HTTP, from draft to closed."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from kit.auth.actor import Actor
from kit.auth.scopes import Region, requires
from kit.http.api import Api
from kit.http.deps import IfMatch, Reads, Uow
from kit.http.models import Body, Out, Versioned
from kit.http.paging import Page, PageArgs
from kit.http.problems import problems
from kit.ids import receipt
from kit.money import IdrAmount
from pydantic import Field, computed_field

from disbursement.batches import commands, money_out, queries
from disbursement.batches.asking import GateF, GateP
from disbursement.batches.batch import State
from disbursement.batches.commands import NewBatch
from disbursement.treasury.commands import Paper

router = Api(prefix="/v1", tags=["batches"])
Reader = Annotated[Actor, requires("disbursement.batches:read", region=Region.OBJECT)]
Writer = Annotated[Actor, requires("disbursement.batches:write", region=Region.OBJECT)]
Treasurer = Annotated[Actor, requires("disbursement.treasury:write", region=Region.OBJECT)]
Sender = Annotated[Actor, requires("disbursement.batches:export", region=Region.OBJECT)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
ReasonCode = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
STEP = problems(404, 409, 412, 422, 428)


class BatchIn(Body):
    """What the list is to hold: the due rights of one programme and budget line in a region."""

    id: UUID | None = None
    client_ref: str | None = Field(None, min_length=1, max_length=64)
    programme_id: UUID
    region_code: str = Field(pattern=r"^[0-9]{2}(\.[0-9]{2}){0,2}(\.[0-9]{4})?$")
    budget_line_id: UUID
    due_on: date
    rail: Literal["bank", "pos", "cash", "outlet"] = "bank"
    mechanism: Literal["ls", "tu"] = "ls"
    description: str = Field("", max_length=60, pattern=r"^[A-Za-z0-9 .,/()\-]*$")

    def new(self) -> NewBatch:
        """The command's words."""
        return NewBatch(**self.model_dump())


class Why(Body):
    """A reason by its code."""

    reason: ReasonCode


class AddIn(Body):
    """How many more rights are to go in."""

    count: int = Field(ge=1, le=20_000)


class SubmitIn(Body):
    """The maker confirms having read why lines were taken out."""

    report_read: bool


class VerifyIn(Body):
    """The lines of the sample that were opened."""

    viewed: frozenset[UUID] = Field(max_length=1_000)


class ApproveIn(Body):
    """The list and the total as they were shown."""

    list_sha256: Sha256
    total_idr: IdrAmount


class PullIn(Body):
    """Lines to take out, and why."""

    line_ids: list[UUID] = Field(min_length=1, max_length=1_000)
    reason: ReasonCode


class PaperIn(Body):
    """A treasury paper as typed from its sheet."""

    number: str = Field(min_length=1, max_length=60)
    dated_on: date
    amount_idr: IdrAmount
    document_id: UUID | None = None

    def paper(self) -> Paper:
        """The command's words."""
        return Paper(self.number, self.dated_on, self.amount_idr, self.document_id)


class SentIn(Body):
    """The bank's receipt, or the proof of the upload."""

    receipt: str = Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9 ./:\-]+$")


class BatchOut(Versioned):
    id: UUID
    programme_id: UUID | None
    region_code: str
    rail: str
    budget_line_id: UUID
    mechanism: str
    due_on: date
    count: int
    total_idr: int
    removed_count: int
    removed_total_idr: int
    removed_reasons: dict[str, int]
    list_sha256: str
    submitted_total_idr: int
    spp_idr: int | None
    spm_idr: int | None
    sp2d_idr: int | None
    sp2d_no: str | None
    state: str
    created_at: datetime
    updated_at: datetime

    @computed_field  # type: ignore[prop-decorator]
    @property
    def receipt(self) -> str:
        """The number for the phone."""
        return receipt("KB", self.id)


class SignatureOut(Out):
    duty: str
    actor: str
    role: str
    list_sha256: str
    total_idr: int
    at: datetime
    voided_at: datetime | None


class RunOut(Out):
    gate: str
    as_of: datetime
    asked_by: str
    checked: int
    removed: int
    results: dict[str, Any]
    stopped: list[str]


class ApprovalsOut(Out):
    signatures: list[SignatureOut]
    due_roles: list[str]


class ListedOut(Out):
    id: UUID
    beneficiary_person_id: UUID | None
    payee_ref: UUID
    amount_idr: int
    region_code: str
    state: str


def _out(row: object) -> BatchOut:
    return BatchOut.model_validate(row)


@router.post("/batches", status_code=201, responses=problems(403, 404, 409, 422))
async def draft_batch(
    body: BatchIn, uow: Uow, _: Annotated[Actor, requires("disbursement.batches:write", region=Region.BODY)]
) -> BatchOut:
    """Put a list of due rights together."""
    return _out(await commands.draft(uow, body.new()))


@router.get("/batches")
async def list_batches(
    uow: Reads,
    page: PageArgs,
    _: Annotated[
        Actor, requires("disbursement.batches:read", region=Region.none("rows outside the regions are hidden"))
    ],
    state: Annotated[State | None, Query()] = None,
    client_ref: Annotated[str | None, Query(max_length=64)] = None,
) -> Page[BatchOut]:
    """Batches in order of entry."""
    after = page.after[1] if page.after else None
    rows = await queries.page(
        uow, state=state, client=uow.actor.client, client_ref=client_ref, after=after, take=page.take
    )
    return page.page(rows, lambda row: ("", row.id), _out)


@router.get("/batches/{batch_id}", responses=problems(404))
async def get_batch(batch_id: UUID, uow: Reads, _: Reader) -> BatchOut:
    """One batch with its totals and the hash that approvals are bound to."""
    return _out(await queries.get(uow, batch_id))


@router.get("/batches/{batch_id}/approvals", responses=problems(404))
async def get_approvals(batch_id: UUID, uow: Reads, _: Reader) -> ApprovalsOut:
    """Who did what on which list, and whose approval is missing."""
    row = await queries.get(uow, batch_id)
    signed = [SignatureOut.model_validate(one) for one in await queries.signatures(uow, batch_id)]
    return ApprovalsOut(signatures=signed, due_roles=list(await queries.due_roles(uow, row)))


@router.get("/batches/{batch_id}/checks", responses=problems(404))
async def get_checks(batch_id: UUID, uow: Reads, _: Reader) -> list[RunOut]:
    """What the gates found, newest first."""
    await queries.get(uow, batch_id)
    return [RunOut.model_validate(one) for one in await queries.runs(uow, batch_id)]


@router.get("/batches/{batch_id}/sample", responses=problems(404))
async def get_sample(batch_id: UUID, uow: Reads, _: Reader) -> list[ListedOut]:
    """The lines that the verifier opens: 5 %, at least 20, drawn by the hash of the list."""
    return [ListedOut.model_validate(line) for line in await queries.sample_lines(uow, batch_id)]


@router.post("/batches/{batch_id}:freeze", responses=STEP)
async def freeze_batch(batch_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> BatchOut:
    """Take the due rights into lines and fix the list."""
    return _out(await commands.freeze(uow, batch_id, version))


@router.post("/batches/{batch_id}:check", responses=problems(404, 409, 412, 428, 503))
async def check_batch(batch_id: UUID, asked: GateF, uow: Uow, version: IfMatch, _: Writer) -> BatchOut:
    """Gate F: ask the registry, take out what fails, keep what passes."""
    return _out(await commands.check(uow, batch_id, asked, version))


@router.post("/batches/{batch_id}:submit", responses=STEP)
async def submit_batch(batch_id: UUID, body: SubmitIn, uow: Uow, version: IfMatch, _: Writer) -> BatchOut:
    """Hand the checked list over."""
    return _out(await commands.submit(uow, batch_id, report_read=body.report_read, expected=version))


@router.post("/batches/{batch_id}:verify", responses=STEP)
async def verify_batch(batch_id: UUID, body: VerifyIn, uow: Uow, version: IfMatch, _: Writer) -> BatchOut:
    """Confirm the list after opening its sample."""
    return _out(await commands.verify(uow, batch_id, body.viewed, version))


@router.post("/batches/{batch_id}:approve", responses=STEP)
async def approve_batch(batch_id: UUID, body: ApproveIn, uow: Uow, version: IfMatch, _: Writer) -> BatchOut:
    """Agree to exactly the list whose hash and total were shown."""
    return _out(await commands.approve(uow, batch_id, body.list_sha256, body.total_idr, version))


@router.post("/batches/{batch_id}:return", responses=STEP)
async def return_batch(batch_id: UUID, body: Why, uow: Uow, version: IfMatch, _: Writer) -> BatchOut:
    """Give the list back with a reason; approvals are void."""
    return _out(await commands.return_(uow, batch_id, body.reason, version))


@router.post("/batches/{batch_id}:add-lines", responses=STEP)
async def add_lines(batch_id: UUID, body: AddIn, uow: Uow, version: IfMatch, _: Writer) -> BatchOut:
    """Open the list for more rights: it becomes another list, and every approval is void."""
    return _out(await commands.add_lines(uow, batch_id, body.count, version))


@router.post("/batches/{batch_id}:pull-lines", responses=STEP)
async def pull_lines(batch_id: UUID, body: PullIn, uow: Uow, version: IfMatch, _: Writer) -> BatchOut:
    """Take lines out of an unsent list; approvals stay, since they cover a larger one."""
    return _out(await commands.pull_line(uow, batch_id, body.line_ids, body.reason, version))


@router.post("/batches/{batch_id}:cancel", responses=STEP)
async def cancel_batch(batch_id: UUID, body: Why, uow: Uow, version: IfMatch, _: Writer) -> BatchOut:
    """Drop the list; its rights are due again."""
    return _out(await commands.cancel(uow, batch_id, body.reason, version))


@router.post("/batches/{batch_id}:request-payment", responses=STEP)
async def request_payment(batch_id: UUID, body: PaperIn, uow: Uow, version: IfMatch, _: Treasurer) -> BatchOut:
    """Record the SPP."""
    return _out(await money_out.request_payment(uow, batch_id, body.paper(), version))


@router.post("/batches/{batch_id}:order", responses=STEP)
async def order_payment(batch_id: UUID, body: PaperIn, uow: Uow, version: IfMatch, _: Treasurer) -> BatchOut:
    """Record the SPM (P05)."""
    return _out(await money_out.order(uow, batch_id, body.paper(), version))


@router.post("/batches/{batch_id}:refuse-order", responses=STEP)
async def refuse_order(batch_id: UUID, body: Why, uow: Uow, version: IfMatch, _: Treasurer) -> BatchOut:
    """Give the SPM back (P05 reversed)."""
    return _out(await money_out.refuse_order(uow, batch_id, body.reason, version))


@router.post("/batches/{batch_id}:fund", responses=STEP)
async def fund_batch(batch_id: UUID, body: PaperIn, uow: Uow, version: IfMatch, _: Treasurer) -> BatchOut:
    """Record the SP2D (P06)."""
    return _out(await money_out.fund(uow, batch_id, body.paper(), version))


@router.post("/batches/{batch_id}:redeposit", responses=STEP)
async def redeposit(batch_id: UUID, body: PaperIn, uow: Uow, version: IfMatch, _: Treasurer) -> BatchOut:
    """Put the money of lines pulled after the SPM back by STS (P11, P13)."""
    return _out(await money_out.redeposit(uow, batch_id, body.paper(), version))


@router.post("/batches/{batch_id}:export", responses=problems(404, 409, 412, 428, 503))
async def export_batch(batch_id: UUID, asked: GateP, uow: Uow, version: IfMatch, _: Sender) -> BatchOut:
    """Gate P, then the files for the bank. A silent registry lets nothing leave (503)."""
    return _out(await money_out.export(uow, batch_id, asked, version))


@router.post("/batches/{batch_id}:confirm-sent", responses=STEP)
async def confirm_sent(batch_id: UUID, body: SentIn, uow: Uow, version: IfMatch, _: Sender) -> BatchOut:
    """Record the bank's receipt of the files (P07)."""
    return _out(await money_out.confirm_sent(uow, batch_id, body.receipt, version))


@router.post("/batches/{batch_id}:transfer-unknown", responses=problems(404, 409, 412, 428))
async def transfer_unknown(batch_id: UUID, uow: Uow, version: IfMatch, _: Sender) -> BatchOut:
    """The upload timed out: ask the bank, never send again."""
    return _out(await money_out.transfer_unknown(uow, batch_id, version))


@router.post("/batches/{batch_id}:reconcile", responses=problems(404, 409, 412, 428))
async def reconcile_batch(
    batch_id: UUID,
    uow: Uow,
    version: IfMatch,
    _: Annotated[Actor, requires("disbursement.recon:write", region=Region.OBJECT)],
) -> BatchOut:
    """Both levels come to nought and no difference is open."""
    return _out(await money_out.reconcile(uow, batch_id, version))


@router.post("/batches/{batch_id}:close", responses=problems(404, 409, 412, 428))
async def close_batch(batch_id: UUID, uow: Uow, version: IfMatch, _: Writer) -> BatchOut:
    """Close a batch whose every line is final."""
    return _out(await money_out.close(uow, batch_id, version))
