"""Tables of claims; mirrors of migration 0001."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from kit.db.types import Aggregate
from sqlalchemy import BigInteger, Column, DateTime, SmallInteger
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, Text


class ClaimRow(Aggregate, table=True):
    """A death-benefit claim (klaim santunan kematian)."""

    __tablename__ = "claim"
    programme_id: UUID
    rule_version_id: UUID | None = None
    death_record_id: UUID
    deceased_person_id: UUID | None = None
    akta_token: str | None = None
    died_on: date
    claimant_person_id: UUID
    relationship: str
    heir_rank: int | None = Field(default=None, sa_type=SmallInteger)
    region_code: str
    filed_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    late_upload: bool = False
    cure_due: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    waits: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    funding_line_id: UUID | None = None
    amount_idr: int | None = Field(default=None, sa_type=BigInteger)
    pct: int | None = Field(default=None, sa_type=SmallInteger)
    committed_idr: int = Field(default=0, sa_type=BigInteger)
    decree_no: str | None = None
    state: str
    reasons: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    flagged: bool = False
    appeal_until: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    appeals: int = Field(default=0, sa_type=SmallInteger)
    paid_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    inputs: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
