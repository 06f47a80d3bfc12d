"""Tables of enrolments and decrees; mirrors of migration 0001."""

from datetime import date, datetime
from uuid import UUID

from kit.db.types import Aggregate
from sqlalchemy import BigInteger, Column, DateTime
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, Text


class DecreeRow(Aggregate, table=True):
    """A decree (SK penetapan) that names recipients."""

    __tablename__ = "decree"
    programme_id: UUID
    number: str
    issued_on: date
    document_sha256: str
    list_sha256: str
    names: int
    reserved_idr: int = Field(sa_type=BigInteger)


class EnrolmentRow(Aggregate, table=True):
    """The place of one subject in a recurring programme (kepesertaan)."""

    __tablename__ = "enrolment"
    programme_id: UUID
    subject_id: UUID
    family_id: UUID | None = None
    holder_person_id: UUID
    payee_person_id: UUID | None = None
    rule_version_id: UUID | None = None
    decree_id: UUID | None = None
    region_code: str
    starts_on: date | None = None
    ends_on: date | None = None
    state: str
    flagged: bool = False
    reasons: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    nominated_by: str
    payee_asked: UUID | None = None
    payee_asked_by: str | None = None
    waiting_since: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    reserved_idr: int = Field(default=0, sa_type=BigInteger)
    reserved_line_id: UUID | None = None
