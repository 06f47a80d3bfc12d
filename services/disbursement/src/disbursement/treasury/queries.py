"""Reading treasury papers."""

from collections.abc import Sequence
from uuid import UUID

from kit.db.uow import UnitOfWork
from sqlmodel import col, select

from disbursement.treasury.tables import TreasuryDoc


async def page(
    uow: UnitOfWork, *, kind: str | None, batch_id: UUID | None, number: str | None, after: UUID | None, take: int
) -> Sequence[TreasuryDoc]:
    """Papers in order of entry."""
    statement = select(TreasuryDoc).order_by(col(TreasuryDoc.id)).limit(take)
    if kind is not None:
        statement = statement.where(TreasuryDoc.kind == kind)
    if batch_id is not None:
        statement = statement.where(TreasuryDoc.batch_id == batch_id)
    if number is not None:
        statement = statement.where(TreasuryDoc.number == number)
    if after is not None:
        statement = statement.where(col(TreasuryDoc.id) > after)
    return (await uow.session.execute(statement)).scalars().all()
