"""The batch's table; validates nothing and never leaves the service."""

from datetime import date
from typing import Any
from uuid import UUID

from kit.db.types import Aggregate
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field


class BatchRow(Aggregate, table=True):
    """One list of payments (daftar pembayaran). `list_no` counts changes of its content, `round` its returns to draft."""

    __tablename__ = "batch"

    programme_id: UUID | None = None
    region_code: str
    rail: str = "bank"
    budget_line_id: UUID
    mechanism: str = "ls"
    description: str = ""
    due_on: date
    count: int = 0
    total_idr: int = 0
    removed_count: int = 0
    removed_total_idr: int = 0
    removed_reasons: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    list_sha256: str = ""
    list_no: int = 0
    round: int = 0
    submitted_total_idr: int = 0
    spp_idr: int | None = None
    spm_idr: int | None = None
    sp2d_idr: int | None = None
    sp2d_no: str | None = None
    fiscal_year: int
    state: str
