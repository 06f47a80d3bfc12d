"""The payee accounts table; validates nothing and never leaves the service."""

from datetime import datetime
from uuid import UUID

from kit.db.types import Aggregate
from sqlalchemy import DateTime
from sqlmodel import Field


class PayeeAccount(Aggregate, table=True):
    """Where a person's money goes (rekening penerima): sealed, checked, one default a person."""

    __tablename__ = "payee_account"

    person_id: UUID
    rail: str
    bank_code: str | None = None
    account_enc: bytes | None = None
    account_bidx: bytes | None = None
    bidx_key_id: int | None = None
    last4: str | None = None
    holder_name: str
    name_match: str = "unknown"
    is_default: bool = False
    state: str = "captured"
    reason: str | None = None
    checked_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    usable_from: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    captured_by: str = ""
    replacement_id: UUID | None = None
    replacement_by: str | None = None
    document_id: UUID | None = None
    source: str = "manual"
