"""The table of accreditation cycles; it mirrors migration 0001."""

from datetime import date
from typing import Any
from uuid import UUID

from kit.db.types import Aggregate
from sqlalchemy import ARRAY, Column, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field


class AccreditationRow(Aggregate, table=True):
    """One cycle. Its `seq` counts the events of topic `grants.accreditation`."""

    __tablename__ = "accreditation"

    institution_id: UUID
    region_code: str
    state: str
    answers: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    visit_on: date | None = None
    visits: int = 0
    entered: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    revocation: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    grade: str | None = None
    certificate_id: UUID | None = None
    issued_on: date | None = None
    valid_until: date | None = None
    reasons: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
