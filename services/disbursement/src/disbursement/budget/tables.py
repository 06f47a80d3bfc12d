"""The budget line's table; validates nothing and never leaves the service."""

from kit.db.types import Aggregate


class BudgetLine(Aggregate, table=True):
    """One line of the DPA with its ceiling; what became of the ceiling stands in the ledger."""

    __tablename__ = "budget_line"

    fiscal_year: int
    round: str = "murni"
    unit: str
    programme_code: str
    activity_code: str = ""
    sub_activity_code: str = ""
    account_code: str
    funding_source: str = "pad"
    pagu_idr: int
    warned_low: bool = False
    state: str
