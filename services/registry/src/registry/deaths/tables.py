"""The death records table; validates nothing and never leaves the service."""

from datetime import date, datetime
from uuid import UUID

from kit.db.types import Aggregate
from sqlalchemy import DateTime
from sqlmodel import Field


class DeathRecord(Aggregate, table=True):
    """One death (catatan kematian). Reports and signs of life are rows of their own, appended only."""

    __tablename__ = "death_record"

    person_id: UUID | None = None
    state: str
    died_on: date
    died_precision: int = 1
    place_code: str | None = None
    region_code: str
    subject_name_enc: bytes | None = None
    subject_nik_bidx: bytes | None = None
    subject_birth_date: date | None = None
    akta_no_norm: str | None = None
    akta_issuer_code: str | None = None
    akta_issued_on: date | None = None
    akta_token: bytes | None = None
    certified_basis: str | None = None
    certified_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    certified_by: str | None = None
    hold_expired_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    proposed_outcome: str | None = None
    proposed_by: str | None = None
    revoked_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    revoke_basis: str | None = None
    reported_at: datetime = Field(sa_type=DateTime(timezone=True))
