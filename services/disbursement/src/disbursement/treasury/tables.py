"""Treasury papers; the table validates nothing and never leaves the service."""

from datetime import date
from uuid import UUID

from kit.db.types import Aggregate


class TreasuryDoc(Aggregate, table=True):
    """One SPD, SPP, SPM, SP2D or STS as recorded."""

    __tablename__ = "treasury_doc"

    kind: str
    fiscal_year: int
    number: str
    dated_on: date
    amount_idr: int
    budget_line_id: UUID
    batch_id: UUID | None = None
    parent_id: UUID | None = None
    mechanism: str = "ls"
    document_id: UUID | None = None
    state: str = "recorded"
    reason: str | None = None
