"""Every SQL statement of the registration slice."""

from collections.abc import Mapping
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Missing
from sqlalchemy import text
from sqlmodel import col, select

from grants.registration.file import Registration
from grants.registration.states import IN_PROCESS, Kind, State
from grants.registration.tables import RegistrationRow

NEWER = text(
    "SELECT EXISTS (SELECT FROM registration WHERE institution_id = :institution AND id <> :id AND state = 'registered'"
    " AND (valid_until IS NULL OR valid_until >= :today))"
)
RUNNING = text(
    "SELECT EXISTS (SELECT FROM registration WHERE institution_id = :institution AND id <> :id AND state = ANY(:states))"
)
LATE = text(
    "SELECT id FROM registration WHERE state = 'needs_correction' AND due_on < :today ORDER BY due_on LIMIT :limit"
)
ENDED = text(
    "SELECT r.id FROM registration r WHERE r.state = 'registered' AND r.valid_until < :today AND NOT EXISTS ("
    "SELECT FROM registration n WHERE n.institution_id = r.institution_id AND n.id <> r.id AND n.state = 'registered'"
    " AND (n.valid_until IS NULL OR n.valid_until >= :today)) ORDER BY r.valid_until LIMIT :limit"
)


def file_of(row: RegistrationRow, hands: Mapping[str, frozenset[str]]) -> Registration:
    """The row as the domain sees it."""
    return Registration(
        state=State(row.state), kind=Kind(row.kind), form=row.form, snapshot=row.snapshot,
        unlocked=frozenset(row.unlocked), rounds=row.rounds, due_on=row.due_on, submitted_on=row.submitted_on,
        visits=row.visits, sla_breached=row.sla_breached, valid_until=row.valid_until, appeal_until=row.appeal_until,
        reasons=tuple(row.reasons), hands=hands,
    )  # fmt: skip


def put(row: RegistrationRow, file: Registration) -> None:
    """Write what the domain decided onto the row."""
    row.state, row.form = file.state.value, dict(file.form)
    row.snapshot = None if file.snapshot is None else dict(file.snapshot)
    row.unlocked, row.rounds, row.due_on = sorted(file.unlocked), file.rounds, file.due_on
    row.submitted_on, row.visits, row.sla_breached = file.submitted_on, file.visits, file.sla_breached
    row.valid_until, row.appeal_until, row.reasons = file.valid_until, file.appeal_until, list(file.reasons)
    if file.certificate is not None:
        row.valid_from = file.certificate.dated


async def institution_of(uow: UnitOfWork, registration_id: UUID) -> UUID:
    """Whose file it is, before anything is locked. Raises Missing."""
    query = select(RegistrationRow.institution_id).where(col(RegistrationRow.id) == registration_id)
    found = (await uow.session.execute(query)).scalar_one_or_none()
    if found is None:
        raise Missing("registration")
    return found


async def listed_of(uow: UnitOfWork, institution_id: UUID) -> RegistrationRow | None:
    """The row by which the office knows the institution, if nothing was made of it yet."""
    query = select(RegistrationRow).where(
        col(RegistrationRow.institution_id) == institution_id, col(RegistrationRow.state) == State.LISTED.value
    )
    return (await uow.session.execute(query.with_for_update())).scalars().first()


async def running(uow: UnitOfWork, institution_id: UUID, but: UUID) -> bool:
    """Whether another application of the institution is under way."""
    params = {"institution": institution_id, "id": but, "states": [s.value for s in IN_PROCESS]}
    return bool((await uow.execute(RUNNING, params)).scalar_one())


async def newer(uow: UnitOfWork, institution_id: UUID, but: UUID) -> bool:
    """Whether another certificate of the institution holds today."""
    params = {"institution": institution_id, "id": but, "today": uow.today}
    return bool((await uow.execute(NEWER, params)).scalar_one())


async def late(uow: UnitOfWork, limit: int) -> list[UUID]:
    """Files whose correction never came."""
    return list((await uow.execute(LATE, {"today": uow.today, "limit": limit})).scalars())


async def ended(uow: UnitOfWork, limit: int) -> list[UUID]:
    """Certificates whose last day has passed, and that no other replaces."""
    return list((await uow.execute(ENDED, {"today": uow.today, "limit": limit})).scalars())
