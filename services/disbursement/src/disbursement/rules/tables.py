"""Table of the facts projection; mirror of migration 0001."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel, Text


class FactPersonRow(SQLModel, table=True):
    """What the registry said last about a person this service deals with."""

    __tablename__ = "fact_person"
    person_id: UUID = Field(primary_key=True)
    canonical_id: UUID
    family_id: UUID | None = None
    facts_version: int = Field(sa_type=BigInteger)
    life_version: int = Field(default=0, sa_type=BigInteger)
    life: str = "alive"
    died_on: date | None = None
    death_record_id: UUID | None = None
    domicile: str | None = None
    facts: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    stale_groups: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    asked_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    updated_at: datetime = Field(sa_type=DateTime(timezone=True))
