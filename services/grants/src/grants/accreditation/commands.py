"""What is done with accreditation cycles: begin, adopt, and one path for every step."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from kit.auth.actor import Actor
from kit.db.uow import UnitOfWork, lock
from kit.ids import new_id

from grants.accreditation import domain, store
from grants.accreditation.cycle import (
    AdoptResult,
    Command,
    ConfirmResult,
    Cycle,
    EnterResult,
    Facts,
    Paper,
    Return,
    StartCycle,
    State,
    Supersede,
    Verdict,
)
from grants.accreditation.tables import AccreditationRow
from grants.documents import commands as documents
from grants.documents.commands import NewPaper
from grants.documents.queries import Row as DocumentRow
from grants.events import FileTold, payload
from grants.history import commands as history
from grants.history import queries as history_queries
from grants.history.commands import Step
from grants.institutions import commands as institutions
from grants.institutions.queries import Row as InstitutionRow
from grants.registration import queries as registrations
from grants.scope import is_own


@dataclass(frozen=True, slots=True)
class Moved:
    """A step that was decided and is to be written."""

    before: Cycle | None
    cycle: Cycle
    command: Command
    event: str | None
    document: DocumentRow | None = None


Make = Callable[[Facts, Paper | None], Command]


async def start(
    uow: UnitOfWork, institution_id: UUID, *, id: UUID | None = None, client_ref: str | None = None
) -> AccreditationRow:
    """Begin a cycle. Raises Missing, Refused; only the head begins one for an institution that is not registered."""
    institution = await institutions.hold(uow, institution_id)
    row = _new(institution, id, client_ref)
    command = StartCycle(await _facts(uow, institution, row))
    cycle, move = uow.settle(domain.decide(None, command, uow.context))
    await _write(uow, institution, row, Moved(None, cycle, command, move.event))
    return row


async def adopt(
    uow: UnitOfWork, institution_id: UUID, verdict: Verdict, paper: NewPaper, *, client_ref: str | None = None
) -> AccreditationRow:
    """Record a certificate that BALKS issued before this system; it replaces older ones."""
    institution = await institutions.hold(uow, institution_id)
    row = _new(institution, None, client_ref)
    command = AdoptResult(await _facts(uow, institution, row), verdict)
    cycle, move = uow.settle(domain.decide(None, command, uow.context))
    document = await documents.keep(uow, institution.id, institution.region_code, paper)
    row.certificate_id = document.id
    await _write(uow, institution, row, Moved(None, cycle, command, move.event, document))
    await _supersede_older(uow, institution, row)
    return row


async def act(
    uow: UnitOfWork, accreditation_id: UUID, make: Make, expected: int | None, *, paper: NewPaper | None = None
) -> AccreditationRow:
    """Take one step with a cycle. Raises Missing, Stale, Refused with every reason."""
    institution = await institutions.hold(uow, await store.institution_of(uow, accreditation_id))
    row = await lock(uow, AccreditationRow, accreditation_id, expected)
    before = store.cycle_of(row, await history_queries.hands(uow, row.id))
    shown = Paper(paper.kind, paper.number, paper.dated, paper.issuer) if paper else None
    command = make(await _facts(uow, institution, row), shown)
    cycle, move = uow.settle(domain.decide(before, command, uow.context))
    document = await documents.keep(uow, institution.id, institution.region_code, paper) if paper else None
    if isinstance(command, EnterResult) and document is not None:
        row.certificate_id = document.id
    await _write(uow, institution, row, Moved(before, cycle, command, move.event, document))
    if isinstance(command, ConfirmResult) and cycle.state is State.ACCREDITED:
        await _supersede_older(uow, institution, row)
    return row


async def _supersede_older(uow: UnitOfWork, institution: InstitutionRow, newest: AccreditationRow) -> None:
    """Older accreditations give way in the same transaction, moved by a rule and not by a person."""
    person, people = uow.actor, uow.context
    rule = Actor.system("newer-accreditation")
    uow.actor = rule
    uow.context = type(people)(rule.sub, rule.roles, people.now, people.today)
    try:
        for id in await store.older(uow, institution.id, newest.id, newest.issued_on):
            await act(uow, id, lambda facts, _: Supersede(facts), None)
    finally:
        uow.actor, uow.context = person, people


async def _facts(uow: UnitOfWork, institution: InstitutionRow, row: AccreditationRow) -> Facts:
    return Facts(
        own=is_own(uow.actor, institution.id),
        registered=await registrations.any_registered(uow, institution.id),
        newer_accredited=await store.newer(uow, institution.id, row.id, row.issued_on),
    )


async def _write(uow: UnitOfWork, institution: InstitutionRow, row: AccreditationRow, moved: Moved) -> None:
    """The row, its event, the step, the audit entry."""
    before, cycle, command, document = moved.before, moved.cycle, moved.command, moved.document
    store.put(row, cycle)
    await uow.save(row)
    if moved.event is not None:
        await uow.announce(row, moved.event, payload(uow, moved.event, _told(institution, row, command, document)))
    await history.append(
        uow,
        Step(
            "accreditation", row.id, institution.id, history.command_name(command), before.state if before else None,
            row.state, _day(uow, command), history.new_duty(before.hands if before else {}, cycle.hands),
            document.id if document else None, row.reasons,
        ),
    )  # fmt: skip
    await uow.audit(
        history.command_name(command), "accreditation", row, before={"state": before.state} if before else None,
        after={"state": row.state, "grade": row.grade}, reasons=row.reasons,
    )  # fmt: skip


def _day(uow: UnitOfWork, command: Command) -> date:
    """The civil day a step counts from: an adopted certificate held from its own date."""
    return command.verdict.issued_on if isinstance(command, AdoptResult) else uow.today


def _told(
    institution: InstitutionRow, row: AccreditationRow, command: Command, document: DocumentRow | None
) -> FileTold:
    number = (
        document.number if document else str((row.entered or {}).get("certificate", {}).get("number") or "") or None
    )
    return FileTold(
        lks_id=institution.id, accreditation_id=row.id, reasons=list(row.reasons), grade=row.grade, state=row.state,
        standards=sorted(command.standards) if isinstance(command, Return) else None, document_no=number,
        visit_on=row.visit_on, issued_on=row.issued_on, valid_until=row.valid_until, region=institution.region_code,
    )  # fmt: skip


def _new(institution: InstitutionRow, id: UUID | None, client_ref: str | None) -> AccreditationRow:
    return AccreditationRow(
        id=id or new_id(), mode=institution.mode, client_ref=client_ref, institution_id=institution.id,
        region_code=institution.region_code, state=State.SELF_ASSESSMENT.value,
    )  # fmt: skip
