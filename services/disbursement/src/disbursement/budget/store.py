"""Statements of the budget slice beside the ledger's."""

from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Missing
from sqlalchemy import text

from disbursement.budget.domain import NewLine, State

_EXISTS = text("""
SELECT EXISTS (SELECT FROM budget_line WHERE fiscal_year = :fiscal_year AND unit = :unit
    AND programme_code = :programme_code AND activity_code = :activity_code AND sub_activity_code = :sub_activity_code
    AND account_code = :account_code AND funding_source = :funding_source)
""")
_STATE = text("SELECT state FROM budget_line WHERE id = :id FOR SHARE")
_UNWARNED = text("SELECT pagu_idr FROM budget_line WHERE id = :id AND NOT warned_low")


async def exists(uow: UnitOfWork, new: NewLine) -> bool:
    """Whether a line with this key is there."""
    params = {
        "fiscal_year": new.fiscal_year,
        "unit": new.unit,
        "programme_code": new.programme_code,
        "activity_code": new.activity_code,
        "sub_activity_code": new.sub_activity_code,
        "account_code": new.account_code,
        "funding_source": new.funding_source,
    }
    return bool((await uow.execute(_EXISTS, params)).scalar_one())


async def state_of(uow: UnitOfWork, line_id: UUID) -> State:
    """The state of a line, held against changes by others until the transaction ends. Raises Missing."""
    state = (await uow.execute(_STATE, {"id": line_id})).scalar_one_or_none()
    if state is None:
        raise Missing("budget_line")
    return State(state)


async def pagu_if_unwarned(uow: UnitOfWork, line_id: UUID) -> int | None:
    """The ceiling, or None when it was told already that little is left."""
    pagu = (await uow.execute(_UNWARNED, {"id": line_id})).scalar_one_or_none()
    return None if pagu is None else int(pagu)
