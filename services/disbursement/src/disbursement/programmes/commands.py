"""Programmes: propose, plan, put into force, suspend, close. Office-wide; nothing here is about a person."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from kit.db.uow import UnitOfWork, lock
from kit.errors import Conflict
from kit.ids import new_id

from disbursement.events import GraceTold, ProgrammeTold
from disbursement.programmes import queries, store
from disbursement.programmes.domain import (
    Activate,
    AnnounceClosing,
    Cancel,
    Close,
    Closing,
    Command,
    Plan,
    Programme,
    Propose,
    Resume,
    ReviseClosing,
    State,
    Suspend,
    decide,
)
from disbursement.programmes.tables import LegalBasis, ProgrammeRow


@dataclass(frozen=True, slots=True)
class NewBasis:
    """A regulation as entered."""

    kind: str
    number: str
    issued_on: date
    subject: str
    document_sha256: str | None = None
    supersedes: UUID | None = None
    id: UUID | None = None
    client_ref: str | None = None


@dataclass(frozen=True, slots=True)
class NewProgramme:
    """A programme as proposed."""

    code: str
    name_id: str
    name_en: str
    kind: str
    unit: str
    instrument: str
    form: str
    owner_unit: str
    owner_regions: tuple[str, ...]
    planned: bool = True
    owner_from: date | None = None
    owner_to: date | None = None
    plan_ref: str | None = None
    legal_basis_id: UUID | None = None
    funding_line_id: UUID | None = None
    mode: str = "live"
    id: UUID | None = None
    client_ref: str | None = None


async def add_basis(uow: UnitOfWork, new: NewBasis) -> LegalBasis:
    """Record a regulation. Raises Conflict when it is there already."""
    if await store.basis_exists(uow, new.kind, new.number, new.issued_on):
        raise Conflict("dasar_hukum_ada")
    row = LegalBasis(
        id=new.id or new_id(),
        client_ref=new.client_ref,
        kind=new.kind,
        number=new.number,
        issued_on=new.issued_on,
        subject=new.subject,
        document_sha256=new.document_sha256,
        supersedes=new.supersedes,
    )
    await uow.save(row)
    await uow.audit("legal_basis:add", "legal_basis", row, after={"kind": row.kind, "number": row.number})
    return row


async def propose(uow: UnitOfWork, new: NewProgramme) -> ProgrammeRow:
    """Propose a programme (program_manager). Raises Refused for a code that is taken or reserved."""
    taken = await queries.by_code(uow, new.code) is not None
    start = Programme(State.DRAFT, new.code, uow.actor.sub, uow.actor.person_id)
    programme, event = uow.settle(decide(start, Propose(new.code, code_taken=taken), uow.context))
    row = ProgrammeRow(
        id=new.id or new_id(),
        client_ref=new.client_ref,
        mode=new.mode,
        code=new.code,
        name_id=new.name_id,
        name_en=new.name_en,
        kind=new.kind,
        unit=new.unit,
        instrument=new.instrument,
        form=new.form,
        planned=new.planned,
        owner_unit=new.owner_unit,
        owner_from=new.owner_from,
        owner_to=new.owner_to,
        plan_ref=new.plan_ref,
        owner_regions=list(new.owner_regions),
        legal_basis_id=new.legal_basis_id,
        funding_line_id=new.funding_line_id,
        state=programme.state.value,
        proposed_by_person=uow.actor.person_id,
    )
    await uow.save(row)
    await _tell(uow, row, event, "propose", None)
    return row


async def plan(uow: UnitOfWork, programme_id: UUID, expected: int) -> ProgrammeRow:
    """Take a programme into the plan (kadis): legal basis, period, plan line, a reviewed rule version, a funding line."""
    row = await lock(uow, ProgrammeRow, programme_id, expected)
    command = Plan(
        legal_basis=row.legal_basis_id is not None,
        owner_period=row.owner_from is not None and row.owner_to is not None,
        plan_ref=bool(row.plan_ref),
        reviewed_versions=await store.reviewed_versions(uow, programme_id),
        funding_line=await store.line_of(uow, row) is not None,
    )
    return await _change(uow, row, command, "plan")


async def activate(uow: UnitOfWork, programme_id: UUID, expected: int) -> ProgrammeRow:
    """Put a programme into force (kadis, another than who proposed it)."""
    row = await lock(uow, ProgrammeRow, programme_id, expected)
    command = Activate(
        published_now=await store.published_from(uow, programme_id, uow.today),
        line_open=await store.line_of(uow, row) == "open",
    )
    return await _change(uow, row, command, "activate")


async def suspend(uow: UnitOfWork, programme_id: UUID, document: str, expected: int) -> ProgrammeRow:
    """Take no new files for a while; what is in hand keeps its clock."""
    return await _change(uow, await lock(uow, ProgrammeRow, programme_id, expected), Suspend(document), "suspend")


async def resume(uow: UnitOfWork, programme_id: UUID, document: str, expected: int) -> ProgrammeRow:
    """Take files again."""
    return await _change(uow, await lock(uow, ProgrammeRow, programme_id, expected), Resume(document), "resume")


async def announce_closing(uow: UnitOfWork, programme_id: UUID, closing: Closing, expected: int) -> ProgrammeRow:
    """Announce the end: cut-off (exclusive), grace per paper, by circular."""
    row = await lock(uow, ProgrammeRow, programme_id, expected)
    return await _change(uow, row, AnnounceClosing(closing), "announce_closing")


async def revise_closing(uow: UnitOfWork, programme_id: UUID, closing: Closing, expected: int) -> ProgrammeRow:
    """Put off the end; nothing announced becomes shorter."""
    row = await lock(uow, ProgrammeRow, programme_id, expected)
    return await _change(uow, row, ReviseClosing(closing), "revise_closing")


async def close(uow: UnitOfWork, programme_id: UUID, expected: int) -> ProgrammeRow:
    """End a programme in which nothing is left open. Raises Refused `masih_ada_berkas` with the count."""
    row = await lock(uow, ProgrammeRow, programme_id, expected)
    claims, rights, enrolments = await store.left(uow, programme_id)
    return await _change(uow, row, Close(claims, rights, enrolments), "close")


async def cancel(uow: UnitOfWork, programme_id: UUID, reason: str, expected: int) -> ProgrammeRow:
    """Give up a programme that nobody is enrolled in."""
    row = await lock(uow, ProgrammeRow, programme_id, expected)
    _, _, enrolments = await store.left(uow, programme_id)
    return await _change(uow, row, Cancel(reason, enrolments), "cancel")


async def _change(uow: UnitOfWork, row: ProgrammeRow, command: Command, step: str) -> ProgrammeRow:
    seen = Programme(State(row.state), row.code, row.created_by, row.proposed_by_person, queries.closing_of(row))
    before = row.state
    programme, event = uow.settle(decide(seen, command, uow.context))
    row.state = programme.state.value
    if programme.closing is not None:
        row.closing = stored(programme.closing)
    await uow.save(row)
    await _tell(uow, row, event, step, before)
    return row


def stored(closing: Closing) -> dict[str, object]:
    """A closing as it stands in the table."""
    return queries.StoredClosing(
        document=closing.document,
        intake_cutoff=closing.intake_cutoff,
        grace=[queries.StoredGrace(doc=g.doc, until=g.until) for g in closing.grace],
        rounds_left=closing.rounds_left,
        run_out_on=closing.run_out_on,
    ).model_dump(mode="json")


async def _tell(uow: UnitOfWork, row: ProgrammeRow, event: str, step: str, before: str | None) -> None:
    basis = await queries.legal_basis(uow, row.legal_basis_id)
    told = ProgrammeTold(programme_id=row.id, code=row.code, state=row.state)
    closing = queries.closing_of(row)
    cited = closing.document if closing is not None else queries.cite(basis)
    if event.startswith("programme.closing") and closing is not None:
        told = told.model_copy(
            update={
                "intake_cutoff": closing.intake_cutoff,
                "grace": [GraceTold(doc=g.doc, until=g.until) for g in closing.grace],
            }
        )
    if cited and event in {
        "programme.drafted",
        "programme.planned",
        "programme.activated",
        "programme.closing_announced",
        "programme.closing_revised",
    }:
        told = told.model_copy(update={"legal_basis": cited})
    await uow.announce(row, event, told)
    await uow.audit(
        f"programme:{step}",
        "programme",
        row,
        before=None if before is None else {"state": before},
        after={"state": row.state, "closing": row.closing},
    )
