"""The contacts table; validates nothing and never leaves the service."""

from datetime import datetime
from typing import Any
from uuid import UUID

from kit.db.types import Aggregate
from sqlalchemy import DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field


class Contact(Aggregate, table=True):
    """One way to reach a person (kontak): sealed, with whose it is and what was agreed."""

    __tablename__ = "contact"

    person_id: UUID
    kind: str
    value_enc: bytes
    value_bidx: bytes
    bidx_key_id: int
    owner: str = "self"
    language: str = "id"
    verified_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    state: str = "live"
    consent: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    source: str = "manual"
