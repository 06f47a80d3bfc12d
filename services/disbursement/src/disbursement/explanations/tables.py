"""Table of decisions; mirror of migration 0001. Appended, never changed."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from kit.ids import new_id
from sqlalchemy import BigInteger, Column, DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class DecisionRow(SQLModel, table=True):
    """One decision: what was decided, by which rule version, from which facts, and why."""

    __tablename__ = "decision"
    id: UUID = Field(default_factory=new_id, primary_key=True)
    at: datetime = Field(sa_type=DateTime(timezone=True))
    step: str
    outcome: str
    aggregate: str
    aggregate_id: UUID
    programme_id: UUID
    subject_person_id: UUID | None = None
    region_code: str
    rule_version_id: UUID | None = None
    facts_version: int | None = Field(default=None, sa_type=BigInteger)
    as_of: date
    fail_mask: int = Field(default=0, sa_type=BigInteger)
    unknown_mask: int = Field(default=0, sa_type=BigInteger)
    facts: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    inputs: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    findings: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    reasons: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    decided_by: str
    unit: str | None = None
    appeal_until: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
