"""What is done with registrations: one path for every step, and the three ways in which a file begins."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from kit.db.uow import UnitOfWork, lock
from kit.ids import new_id

from grants.documents import commands as documents
from grants.documents import queries as document_queries
from grants.documents.commands import NewPaper
from grants.documents.queries import Row as DocumentRow
from grants.events import FileTold, payload
from grants.history import commands as history
from grants.history import queries as history_queries
from grants.history.commands import Step
from grants.institutions import commands as institutions
from grants.institutions import queries as institution_queries
from grants.institutions.queries import Row as InstitutionRow
from grants.registration import domain, store
from grants.registration.file import (
    Adopt,
    Command,
    Dissolve,
    Enlist,
    Facts,
    Issue,
    Paper,
    Registration,
    RequestCorrection,
    Start,
    StartRenewal,
)
from grants.registration.guards import who
from grants.registration.states import Kind, State
from grants.registration.tables import RegistrationRow
from grants.scope import is_own


@dataclass(frozen=True, slots=True)
class Moved:
    """A step that was decided and is to be written."""

    before: Registration | None
    file: Registration
    command: Command
    event: str | None
    document: DocumentRow | None = None


Make = Callable[[Facts, Paper | None], Command]
"""Builds the command when the facts are gathered and the paper is kept."""


async def enlist(uow: UnitOfWork, profile: institutions.Profile) -> tuple[InstitutionRow, RegistrationRow]:
    """List an institution that the office learned of. Raises Refused when it may be one that is listed already."""
    uow.within(profile.region_code)
    twins = await institutions.twins_of(uow, profile)
    file, move = uow.settle(domain.decide(None, Enlist(Facts(candidates=len(twins))), uow.context))
    institution = await institutions.admit(uow, profile)
    row = _new(institution, Kind.NEW)
    await _write(uow, institution, row, Moved(None, file, Enlist(Facts()), move.event))
    return institution, row


async def start(
    uow: UnitOfWork, institution_id: UUID, *, id: UUID | None = None, client_ref: str | None = None
) -> RegistrationRow:
    """Begin an application: the listed row becomes a draft, else a new row is one. Raises Missing, Refused."""
    institution = await institutions.hold(uow, institution_id)
    row = await store.listed_of(uow, institution.id)
    before = None if row is None else store.file_of(row, await history_queries.hands(uow, row.id))
    row = row or _new(institution, Kind.NEW, id)
    row.client_ref = client_ref or row.client_ref
    command = Start(await _facts(uow, institution, row))
    file, move = uow.settle(domain.decide(before, command, uow.context))
    await _write(uow, institution, row, Moved(before, file, command, move.event))
    return row


async def act(
    uow: UnitOfWork, registration_id: UUID, make: Make, expected: int | None, *, paper: NewPaper | None = None
) -> RegistrationRow:
    """Take one step with a file: lock, gather facts, decide, keep the paper, write, announce, remember.

    Raises Missing, Stale, Refused with every reason. The institution is locked first: its row counts the events.
    """
    institution = await institutions.hold(uow, await store.institution_of(uow, registration_id))
    row = await lock(uow, RegistrationRow, registration_id, expected)
    before = store.file_of(row, await history_queries.hands(uow, row.id))
    shown = Paper(paper.kind, paper.number, paper.dated, paper.issuer) if paper else None
    command = make(await _facts(uow, institution, row), shown)
    file, move = uow.settle(domain.decide(before, command, uow.context))
    document = await documents.keep(uow, institution.id, institution.region_code, paper) if paper else None
    await _write(uow, institution, row, Moved(before, file, command, move.event, document))
    return row


async def start_renewal(uow: UnitOfWork, registration_id: UUID, expected: int) -> RegistrationRow:
    """Begin the renewal of a certificate: the certificate stays, a new draft appears. Answers the draft."""
    old = await act(uow, registration_id, lambda facts, _: StartRenewal(facts), expected)
    institution = await institutions.hold(uow, old.institution_id)
    row = _new(institution, Kind.RENEWAL)
    row.renews, row.form = old.id, dict(old.form)
    file = Registration(State.DRAFT, Kind.RENEWAL, form=old.form, hands={"prepare": who(uow.context)})
    command = Start(Facts())
    await _write(uow, institution, row, Moved(None, file, command, "lks.registration.renewal_started"))
    return row


async def _facts(uow: UnitOfWork, institution: InstitutionRow, row: RegistrationRow) -> Facts:
    """What the guards need to know beside the file itself."""
    officers = await institution_queries.officers(uow, institution.id)
    return Facts(
        first_officer_proved=any(o.proved_on is not None and o.ended_on is None for o in officers),
        account_settled=institution.account_state != "unknown",
        papers_unclean=await document_queries.unclean(uow, institution.id),
        running=await store.running(uow, institution.id, row.id),
        newer_certificate=await store.newer(uow, institution.id, row.id),
        dissolved=institution.dissolved_on is not None,
        own=is_own(uow.actor, institution.id),
        holidays=uow.runtime.wiring.holidays,
        profile=uow.runtime.wiring.profile,
    )


async def _write(uow: UnitOfWork, institution: InstitutionRow, row: RegistrationRow, moved: Moved) -> None:
    """The row, the event on the institution's key, the step, the audit entry."""
    before, file, command, document = moved.before, moved.file, moved.command, moved.document
    store.put(row, file)
    if document is not None and isinstance(command, Issue | Adopt):
        row.certificate_id = document.id
    await uow.save(row)
    if isinstance(command, Dissolve):
        institution.dissolved_on = uow.today
        await uow.save(institution)
    if moved.event is not None:
        told = _told(institution, row, command, document)
        await uow.announce(institution, moved.event, payload(uow, moved.event, told))
    await history.append(
        uow,
        Step(
            "registration", row.id, institution.id, history.command_name(command), before.state if before else None,
            row.state, _day(uow, command, file), history.new_duty(before.hands if before else {}, file.hands),
            document.id if document else None, row.reasons, {"sla_breached": row.sla_breached},
        ),
    )  # fmt: skip
    await uow.audit(
        history.command_name(command), "registration", row, before={"state": before.state} if before else None,
        after={"state": row.state}, reasons=row.reasons,
    )  # fmt: skip


def _day(uow: UnitOfWork, command: Command, file: Registration) -> date:
    """The civil day a step counts from: an adopted certificate held from its own date, everything else from today."""
    adopted = isinstance(command, Adopt) and file.certificate is not None
    return file.certificate.dated if adopted and file.certificate else uow.today


def _told(
    institution: InstitutionRow, row: RegistrationRow, command: Command, document: DocumentRow | None
) -> FileTold:
    return FileTold(
        lks_id=institution.id, registration_id=row.id, kind=row.kind, reasons=list(row.reasons), state=row.state,
        sections=sorted(command.sections) if isinstance(command, RequestCorrection) else None,
        document_no=document.number if document else None, issued_on=row.valid_from, valid_until=row.valid_until,
        appeal_until=row.appeal_until, due_on=row.due_on, region=institution.region_code,
    )  # fmt: skip


def _new(institution: InstitutionRow, kind: Kind, id: UUID | None = None) -> RegistrationRow:
    return RegistrationRow(
        id=id or new_id(), mode=institution.mode, institution_id=institution.id, region_code=institution.region_code,
        kind=kind.value, state=State.LISTED.value,
    )  # fmt: skip
