"""The claims table; validates nothing and never leaves the service."""

from datetime import datetime
from uuid import UUID

from kit.db.types import Aggregate
from sqlalchemy import ARRAY, DateTime, Text
from sqlmodel import Field


class IdentityClaim(Aggregate, table=True):
    """One number that somebody claims for a person (klaim identitas): sealed, found by its blind index."""

    __tablename__ = "identity_claim"

    person_id: UUID
    scheme: str
    value_enc: bytes
    value_bidx: bytes
    bidx_key_id: int
    last4: str
    structure: str = "ok"
    warnings: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    state: str
    source: str = "manual"
    checked_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    authority_ref: str | None = None
    captured_by: str = ""
    proposed_answer: str | None = None
    proposed_by: str | None = None
