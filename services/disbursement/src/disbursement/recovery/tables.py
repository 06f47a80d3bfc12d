"""Table of recoveries; mirror of migration 0001."""

from datetime import datetime
from uuid import UUID

from kit.db.types import Aggregate
from sqlalchemy import BigInteger, Column, DateTime
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, Text


class RecoveryRow(Aggregate, table=True):
    """Money to be asked back (penagihan kembali)."""

    __tablename__ = "recovery"
    subject_person_id: UUID
    programme_id: UUID
    entitlement_id: UUID
    claim_id: UUID | None = None
    region_code: str
    cause: str
    amount_idr: int = Field(sa_type=BigInteger)
    paid_back_idr: int = Field(default=0, sa_type=BigInteger)
    state: str
    found_by: str
    objection_until: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    reasons: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
