"""Reads of recoveries."""

from typing import TypeAlias
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Missing
from sqlmodel import col, select

from disbursement.recovery.tables import RecoveryRow

Row: TypeAlias = RecoveryRow


async def recovery(uow: UnitOfWork, recovery_id: UUID) -> RecoveryRow:
    """One recovery; raises Missing or OutOfRegion."""
    row = await uow.session.get(RecoveryRow, recovery_id)
    if row is None:
        raise Missing("recovery")
    uow.within(row.region_code)
    return row


async def listed(
    uow: UnitOfWork, state: str | None, person_id: UUID | None, after: UUID | None, *, take: int
) -> list[RecoveryRow]:
    """Recoveries in the order in which they were found."""
    statement = select(RecoveryRow).order_by(col(RecoveryRow.id)).limit(take)
    if state is not None:
        statement = statement.where(RecoveryRow.state == state)
    if person_id is not None:
        statement = statement.where(RecoveryRow.subject_person_id == person_id)
    if after is not None:
        statement = statement.where(col(RecoveryRow.id) > after)
    return list((await uow.session.execute(statement)).scalars())
