"""Reads of recoveries."""

from typing import TypeAlias
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Missing
from sqlmodel import col, select

from disbursement.citizens import is_citizen, only_own
from disbursement.recovery.tables import RecoveryRow

Row: TypeAlias = RecoveryRow


async def recovery(uow: UnitOfWork, recovery_id: UUID) -> RecoveryRow:
    """One recovery. A citizen reads only their own; raises Missing or OutOfRegion."""
    row = await uow.session.get(RecoveryRow, recovery_id)
    if row is None:
        raise Missing("recovery")
    uow.within(row.region_code)
    only_own(uow.actor, row.subject_person_id)
    return row


async def listed(
    uow: UnitOfWork, state: str | None, person_id: UUID | None, after: UUID | None, *, take: int
) -> list[RecoveryRow]:
    """Recoveries in the order in which they were found; a citizen's own."""
    statement = select(RecoveryRow).order_by(col(RecoveryRow.id)).limit(take)
    if is_citizen(uow.actor):
        statement = statement.where(RecoveryRow.subject_person_id == uow.actor.person_id)
    if state is not None:
        statement = statement.where(RecoveryRow.state == state)
    if person_id is not None:
        statement = statement.where(RecoveryRow.subject_person_id == person_id)
    if after is not None:
        statement = statement.where(col(RecoveryRow.id) > after)
    return list((await uow.session.execute(statement)).scalars())
