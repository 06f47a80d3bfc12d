"""Tables of messages, attempts and decisions. They mirror migration 0001 and never leave the slice."""

from datetime import datetime
from typing import Any
from uuid import UUID

from kit.db.types import Aggregate
from sqlalchemy import ARRAY, Column, DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

_AT = DateTime(timezone=True)


class MessageRow(Aggregate, table=True):
    """One event x recipient x template x channel."""

    __tablename__ = "message"

    state: str
    message_class: str
    channel: str
    lane: int
    event_id: UUID
    event_type: str
    event_time: datetime = Field(sa_type=_AT)
    subject_id: UUID
    rule: str
    template: str
    recipient_kind: str
    recipient: str
    person_id: UUID | None = None
    officer_role: str | None = None
    lks_id: UUID | None = None
    region_code: str
    facts: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    fallback: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    fallback_of: UUID | None = None
    needs_paper: bool = False
    locale: str | None = None
    template_version: bytes | None = None
    subject: str | None = None
    body: str | None = None
    segments: int | None = None
    supersede_key: str | None = None
    not_before: datetime = Field(sa_type=_AT)
    expires_at: datetime = Field(sa_type=_AT)
    next_at: datetime | None = Field(default=None, sa_type=_AT)
    code: str | None = None
    max_attempts: int
    resends_unknown: int
    keeps_quiet: bool
    mandatory: bool
    attempts: int = 0
    allowance: int
    resends: int = 0


class AttemptRow(SQLModel, table=True):
    """One call to a provider; written and committed before the call is made."""

    __tablename__ = "attempt"

    id: UUID = Field(primary_key=True)
    message_id: UUID
    no: int
    channel: str
    provider: str
    address_index: bytes
    address_masked: str
    started_at: datetime = Field(sa_type=_AT)
    lease_until: datetime = Field(sa_type=_AT)
    ended_at: datetime | None = Field(default=None, sa_type=_AT)
    outcome: str = "pending"
    code: str | None = None
    provider_ref: str | None = None
