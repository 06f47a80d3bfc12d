"""Reading differences, and the two levels of a batch."""

from collections.abc import Sequence
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Missing
from sqlmodel import col, select

from disbursement.recon import store
from disbursement.recon.tables import ReconItem


async def open_items(uow: UnitOfWork, batch_id: UUID) -> int:
    """Differences of a batch that are not resolved."""
    return await store.open_count(uow, batch_id)


async def levels(uow: UnitOfWork, batch_id: UUID, round: int, sp2d_idr: int) -> dict[str, int]:
    """What is left of each comparison, in whole rupiah; all zero when the batch agrees.

    Level 2: the SP2D less all lines that it paid for, those pulled after the SPM among them. Level 1: the bank's
    debits less what was booked, where the bank sends debits at all.
    """
    sums = await store.sums(uow, batch_id, round)
    bank = sums["debited_idr"] - sums["booked_idr"] if sums["debits"] else 0
    return {"sp2d_less_lines_idr": sp2d_idr - sums["lines_idr"], "bank_debits_less_booked_idr": bank}


async def get(uow: UnitOfWork, item_id: UUID) -> ReconItem:
    """One difference. Raises Missing."""
    row = await uow.session.get(ReconItem, item_id)
    if row is None:
        raise Missing("recon_item")
    return row


async def page(
    uow: UnitOfWork, *, state: str | None, batch_id: UUID | None, after: UUID | None, take: int
) -> Sequence[ReconItem]:
    """Differences, oldest first."""
    statement = select(ReconItem).order_by(col(ReconItem.id)).limit(take)
    if state is not None:
        statement = statement.where(ReconItem.state == state)
    if batch_id is not None:
        statement = statement.where(ReconItem.batch_id == batch_id)
    if after is not None:
        statement = statement.where(col(ReconItem.id) > after)
    return (await uow.session.execute(statement)).scalars().all()
