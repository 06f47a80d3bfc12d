"""Use cases of death records. Order of locks: the record, then the person.

Every move is announced on `registry.death`; where the person is known and the fact `life` changes with it, also as
`person.life_changed` on `registry.person`.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Invalid
from kit.ids import new_id
from kit.regions import kecamatan

from registry import restricted
from registry.deaths import store
from registry.deaths.domain import BURIAL_BOOK_MOVES, MACHINE, MOVES, decide
from registry.deaths.record import (
    Certify,
    CertifyByBurialBook,
    Command,
    Contradict,
    Corroborate,
    Death,
    ExpireHold,
    LinkPerson,
    ProposeOutcome,
    Report,
    Revoke,
    Source,
    State,
    Statement,
    Subject,
    Void,
    normalise_akta,
)
from registry.deaths.tables import DeathRecord
from registry.events import DeathMoved, LifeChanged
from registry.facts import commands as facts
from registry.identities import nik
from registry.identities import queries as identities
from registry.persons import commands as persons
from registry.persons import queries as people
from registry.persons.names import normalise as normalise_name
from registry.regions import queries as regions


@dataclass(frozen=True, slots=True)
class Reported:
    """A report as it comes in. Either the person is known, or named well enough to be found later."""

    source: Source
    died_on: date
    captured_at: datetime
    region_code: str
    person_id: UUID | None = None
    subject_name: str | None = None
    subject_nik: str | None = None
    subject_birth_date: date | None = None
    place_code: str | None = None
    document_id: UUID | None = None
    id: UUID | None = None
    client_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """One more report of a death that is on record."""

    source: Source
    captured_at: datetime
    document_id: UUID | None = None


async def report(uow: UnitOfWork, reported: Reported) -> DeathRecord:
    """Report a death: payments of a known person are held from now on.

    Raises Refused with `sudah_ada_catatan` when the person has a record that counts (corroborate that one), Missing
    for a person who is not here, Invalid when nobody is named.
    """
    if reported.person_id is None and not reported.subject_name:
        raise Invalid.field("/subject_name", "wajib_diisi")
    uow.within(reported.region_code)
    await regions.demand(uow, reported.region_code, uow.today)
    reported = replace(reported, person_id=reported.person_id or await _recognised(uow, reported))
    region, subject = reported.region_code, Subject(None, reported.subject_birth_date)
    if reported.person_id is not None:
        await persons.hold(uow, reported.person_id)
        region = (await people.brief(uow, reported.person_id)).region_code
        subject = await _subject(uow, reported.person_id)
    command = Report(subject, reported.died_on, reported.captured_at, _statement(uow, reported.source))
    context = uow.context if uow.context.roles else replace(uow.context, roles=frozenset({MACHINE}))
    death, event = uow.settle(decide(None, command, context))
    record = _new(uow, reported, region)
    await store.save(uow, record)
    await _append(uow, record, reported.source, reported.captured_at, reported.document_id)
    await uow.audit("report", "death_record", record, after={"state": record.state, "source": reported.source.value})
    await _tell(uow, record, death, event, reported.source)
    return record


async def corroborate(uow: UnitOfWork, id: UUID, heard: Heard, expected: int | None) -> DeathRecord:
    """A second, independent source says the same."""
    command = Corroborate(_statement(uow, heard.source), heard.captured_at)
    record = await _move(uow, id, command, expected, heard.source)
    await _append(uow, record, heard.source, heard.captured_at, heard.document_id)
    return record


async def certify(uow: UnitOfWork, id: UUID, akta: Certify, expected: int | None) -> DeathRecord:
    """Certify with the akta kematian: payments end. Raises Refused with every reason; Conflict when another was faster."""
    number = normalise_akta(akta.akta_no)
    used_by = await store.live_record_of_akta(uow, akta.issuer_code, number, id)
    return await _move(uow, id, Certify(number, akta.issuer_code, akta.issued_on, used_by), expected, Source.AKTA)


async def certify_by_burial_book(uow: UnitOfWork, id: UUID, command: CertifyByBurialBook, expected: int) -> DeathRecord:
    """Certify by burial book and letter, where the office's profile allows it."""
    return await _move(uow, id, command, expected, Source.BURIAL_BOOK)


async def contradict(uow: UnitOfWork, id: UUID, command: Contradict, expected: int) -> DeathRecord:
    """An officer met the person alive: the record is disputed, payments stay held until two people decide."""
    record = await _move(uow, id, command, expected, None)
    await store.add_report(
        uow,
        store.Report(id, "life_sign", "visit", uow.now, uow.actor.person_id, command.photo_document_id),
    )
    return record


async def expire_hold(uow: UnitOfWork, id: UUID, command: ExpireHold, expected: int | None) -> DeathRecord:
    """End the hold of a report that nobody confirmed; the record stays, the person counts as alive."""
    return await _move(uow, id, command, expected, None)


async def propose_outcome(uow: UnitOfWork, id: UUID, command: ProposeOutcome, expected: int) -> DeathRecord:
    """Propose how a dispute ends."""
    return await _move(uow, id, command, expected, None)


async def revoke(uow: UnitOfWork, id: UUID, command: Revoke, expected: int) -> DeathRecord:
    """The person is alive: payments resume with arrears."""
    return await _move(uow, id, command, expected, None)


async def void(uow: UnitOfWork, id: UUID, command: Void, expected: int) -> DeathRecord:
    """Take back a record entered by mistake."""
    return await _move(uow, id, command, expected, None)


async def link_person(uow: UnitOfWork, id: UUID, person_id: UUID, expected: int) -> DeathRecord:
    """Say whose death this is; payments of that person follow the record from now on."""
    await people.brief(uow, person_id)
    return await _move(uow, id, LinkPerson(await _subject(uow, person_id, id)), expected, None)


async def forget(uow: UnitOfWork, person_id: UUID) -> int:
    """Destroy what reports said of a person whose data are erased; of how many records. Dates, states and papers stay."""
    return await store.forget(uow, person_id)


async def _recognised(uow: UnitOfWork, reported: Reported) -> UUID | None:
    """The person whom NIK and name of a report name beyond doubt: one matched claim, the same name. Else nobody."""
    if reported.subject_nik is None or nik.normalise(reported.subject_nik) is None or not reported.subject_name:
        return None
    found = [hit.person_id for hit in await identities.search(uow, reported.subject_nik) if hit.state == "matched"]
    names = await people.names(uow, found)
    said = normalise_name(reported.subject_name).norm
    return found[0] if len(found) == 1 and normalise_name(names.get(found[0], "")).norm == said else None


async def _move(
    uow: UnitOfWork, id: UUID, command: Command, expected: int | None, source: Source | None
) -> DeathRecord:
    record = await store.lock(uow, id, expected)
    before = await _death(uow, record)
    moves = (*MOVES, *BURIAL_BOOK_MOVES) if uow.runtime.wiring.burial_book_certifies else MOVES
    death, event = uow.settle(decide(before, command, uow.context, moves))
    _write(uow, record, death, command)
    await store.save(uow, record)
    reasons = [command.reason] if isinstance(command, Void) else []
    await uow.audit(
        type(command).__name__,
        "death_record",
        record,
        before={"state": before.state},
        after={"state": death.state},
        reasons=reasons,
    )
    await _tell(uow, record, death, event, source or before.statements[0].source)
    return record


def _write(uow: UnitOfWork, record: DeathRecord, death: Death, command: Command) -> None:
    """Bring the row to what was decided."""
    record.state = death.state.value
    record.person_id = death.person_id
    record.hold_expired_at = death.hold_expired_at
    record.proposed_outcome, record.proposed_by = death.proposed_outcome, death.proposed_by
    match command:
        case Certify(akta_no=akta_no, issuer_code=issuer, issued_on=issued_on):
            record.akta_no_norm, record.akta_issuer_code, record.akta_issued_on = akta_no, issuer, issued_on
            record.akta_token = restricted.akta_token(uow.runtime.index, issuer, akta_no)
            record.certified_basis, record.certified_at, record.certified_by = "akta", uow.now, uow.actor.sub
        case CertifyByBurialBook(issued_on=issued_on):
            record.akta_issued_on = issued_on
            record.certified_basis, record.certified_at, record.certified_by = "burial_book", uow.now, uow.actor.sub
        case Revoke(basis=basis):
            record.revoked_at, record.revoke_basis = uow.now, basis
        case _:
            pass


async def _tell(uow: UnitOfWork, record: DeathRecord, death: Death, event: str | None, source: Source) -> None:
    """The record's own event first, then what it means for the person."""
    if event is None:
        return
    region = kecamatan(record.region_code)
    moved = DeathMoved(
        death_record_id=record.id,
        person_id=record.person_id,
        died_on=record.died_on,
        source=source,
        region=region,
        state=record.state,
    )
    await uow.announce(record, event, moved)
    if record.person_id is None:
        return
    person = await persons.hold(uow, record.person_id)
    changes = await facts.refresh(uow, [record.person_id], told=[record.person_id])
    change = changes.get(record.person_id)
    if change is None or not change.life_changed:
        return
    life = LifeChanged(
        person_id=person.id, facts_version=change.facts_version, life=death.life, died_on=change.died_on, effective_at=uow.now,
        death_record_id=record.id, source=source, region=kecamatan(person.region_code),
    )  # fmt: skip
    await uow.announce(person, "person.life_changed", life)


async def _death(uow: UnitOfWork, record: DeathRecord) -> Death:
    """The record as the rules see it."""
    statements = tuple(
        Statement(Source(row.source), row.reporter, row.reporter_person_id)
        for row in await store.reports(uow, record.id)
        if row.kind == "death"
    )
    return Death(
        State(record.state), record.died_on, record.reported_at, statements, record.person_id, record.akta_no_norm,
        record.akta_issuer_code, record.hold_expired_at, record.proposed_outcome, record.proposed_by,
    )  # fmt: skip


async def _subject(uow: UnitOfWork, person_id: UUID, but: UUID | None = None) -> Subject:
    known = await people.brief(uow, person_id)
    live = await store.live_record_of(uow, person_id, but)
    return Subject(person_id, known.birth_date, live, known.state == "active")


def _statement(uow: UnitOfWork, source: Source) -> Statement:
    return Statement(source, uow.actor.sub, uow.actor.person_id)


async def _append(
    uow: UnitOfWork, record: DeathRecord, source: Source, captured_at: datetime, document_id: UUID | None
) -> None:
    await store.add_report(uow, store.Report(record.id, "death", source, captured_at, uow.actor.person_id, document_id))


def _new(uow: UnitOfWork, reported: Reported, region: str) -> DeathRecord:
    id = reported.id or new_id()
    number = nik.normalise(reported.subject_nik) if reported.subject_nik else None
    name = reported.subject_name
    return DeathRecord(
        id=id,
        client_ref=reported.client_ref,
        person_id=reported.person_id,
        state=State.REPORTED.value,
        died_on=reported.died_on,
        place_code=reported.place_code,
        region_code=region,
        subject_name_enc=restricted.seal(uow.runtime.fields, restricted.SUBJECT_NAME, id, name) if name else None,
        subject_nik_bidx=uow.runtime.index.of(restricted.NIK, number) if number else None,
        subject_birth_date=reported.subject_birth_date,
        reported_at=uow.now,
    )
