"""Tables of programmes, their legal bases and rule versions; mirrors of migration 0001."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from kit.db.types import Aggregate
from sqlalchemy import Column, DateTime
from sqlalchemy.dialects.postgresql import ARRAY, DATERANGE, JSONB, Range
from sqlmodel import Field, Text


class LegalBasis(Aggregate, table=True):
    """A regulation (dasar hukum) that programmes and rules stand on."""

    __tablename__ = "legal_basis"
    kind: str
    number: str
    issued_on: date
    subject: str
    document_sha256: str | None = None
    supersedes: UUID | None = None


class ProgrammeRow(Aggregate, table=True):
    """A programme (program bantuan)."""

    __tablename__ = "programme"
    code: str
    name_id: str
    name_en: str
    kind: str
    unit: str
    instrument: str
    form: str
    planned: bool = True
    owner_unit: str
    owner_from: date | None = None
    owner_to: date | None = None
    plan_ref: str | None = None
    owner_regions: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    legal_basis_id: UUID | None = None
    funding_line_id: UUID | None = None
    closing: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB(none_as_null=True)))
    state: str = "draft"
    proposed_by_person: UUID | None = None


class RuleVersionRow(Aggregate, table=True):
    """A version of a programme's rules (versi aturan); final once published."""

    __tablename__ = "rule_version"
    programme_id: UUID
    no: int
    effective: Range[date] = Field(sa_column=Column(DATERANGE, nullable=False))
    date_basis: str
    ast: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    benefit: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    docs: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    legal_basis_id: UUID | None = None
    funding_line_id: UUID | None = None
    quota: int | None = None
    sha256: str
    state: str = "draft"
    written_by: str
    reviewed_by: str | None = None
    published_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    retro_document: str | None = None
