"""Differences; the table validates nothing and never leaves the service."""

from datetime import date, datetime
from uuid import UUID

from kit.db.types import Aggregate
from sqlalchemy import DateTime
from sqlmodel import Field


class ReconItem(Aggregate, table=True):
    """One difference between what we sent and what the bank says (selisih)."""

    __tablename__ = "recon_item"

    kind: str
    level: int
    ref: str
    batch_id: UUID | None = None
    line_id: UUID | None = None
    attempt_id: UUID | None = None
    result_file_id: UUID | None = None
    row_no: int | None = None
    difference_idr: int
    owner_role: str = "recon_officer"
    opened_on: date
    explained_by: str | None = None
    explainer_person_id: UUID | None = None
    explanation: str | None = None
    document_id: UUID | None = None
    resolved_by: str | None = None
    resolved_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    state: str = "open"
