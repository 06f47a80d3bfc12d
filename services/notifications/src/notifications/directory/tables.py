"""The table of the directory; it mirrors migration 0001."""

from datetime import datetime
from uuid import UUID

from kit.db.types import Aggregate
from sqlalchemy import DateTime
from sqlmodel import Field


class DirectoryRow(Aggregate, table=True):
    """Where an office (a role in a region) or an institution gets its mail. The address is sealed."""

    __tablename__ = "directory_entry"

    kind: str
    role: str | None = None
    institution_id: UUID | None = None
    region_code: str
    locale: str
    address_enc: bytes
    address_index: bytes
    address_masked: str
    retired_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
