"""The persons table; validates nothing and never leaves the service."""

from datetime import date
from typing import Any

from kit.db.types import Aggregate
from sqlalchemy import Column
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field


class Person(Aggregate, table=True):
    """One row a person (orang). Names, claims, addresses and accounts are rows of their own."""

    __tablename__ = "person"

    state: str = "active"
    birth_date: date | None = None
    birth_precision: int = 9
    sex: str | None = None
    provisional: bool = True
    region_code: str
    registered: bool = False
    registered_as_of: date | None = None
    source: str = "manual"
    source_ref: str | None = None
    correction_enc: bytes | None = None
    correction_by: str | None = None
    erasure: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB))
    """Who ordered that the person's data be destroyed, why and when; then what was destroyed. Never the data."""
