"""The table of suppressions; it mirrors migration 0001."""

from datetime import datetime

from kit.db.types import Aggregate
from sqlalchemy import DateTime
from sqlmodel import Field


class SuppressionRow(Aggregate, table=True):
    """An address that is not written to, as a keyed hash."""

    __tablename__ = "suppression"

    channel: str
    address_index: bytes
    address_masked: str
    reason: str
    source: str
    lifted_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    lifted_by: str | None = None
