"""Reading budget lines."""

from collections.abc import Sequence
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Missing
from sqlmodel import col, select

from disbursement.budget.tables import BudgetLine


async def get(uow: UnitOfWork, line_id: UUID) -> BudgetLine:
    """One line. Raises Missing."""
    row = await uow.session.get(BudgetLine, line_id)
    if row is None:
        raise Missing("budget_line")
    return row


async def page(
    uow: UnitOfWork,
    *,
    fiscal_year: int | None,
    client: str | None,
    client_ref: str | None,
    after: UUID | None,
    take: int,
) -> Sequence[BudgetLine]:
    """Lines in order of entry; `client_ref` finds the caller's own."""
    statement = select(BudgetLine).order_by(col(BudgetLine.id)).limit(take)
    if fiscal_year is not None:
        statement = statement.where(BudgetLine.fiscal_year == fiscal_year)
    if client_ref is not None:
        statement = statement.where(BudgetLine.client == client, BudgetLine.client_ref == client_ref)
    if after is not None:
        statement = statement.where(col(BudgetLine.id) > after)
    return (await uow.session.execute(statement)).scalars().all()
