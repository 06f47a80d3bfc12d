"""What budget lines tell others: the ceiling and what is left of it."""

from uuid import UUID

from pydantic import BaseModel


class BudgetLineTold(BaseModel):
    """Payload of `budget_line.*`. Amounts in whole rupiah."""

    line_id: UUID
    fiscal_year: int
    account_code: str
    pagu_idr: int
    available_idr: int
    state: str
