"""The table of registrations; it mirrors migration 0001."""

from datetime import date
from typing import Any
from uuid import UUID

from kit.db.types import Aggregate
from sqlalchemy import ARRAY, Column, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field


class RegistrationRow(Aggregate, table=True):
    """One application or certificate. Its events count on the row of the institution."""

    __tablename__ = "registration"

    institution_id: UUID
    region_code: str
    kind: str
    renews: UUID | None = None
    state: str
    form: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    snapshot: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    unlocked: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    rounds: int = 0
    due_on: date | None = None
    submitted_on: date | None = None
    visits: int = 0
    sla_breached: bool = False
    certificate_id: UUID | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    appeal_until: date | None = None
    reasons: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
