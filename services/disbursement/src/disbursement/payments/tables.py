"""Tables of lines, files and results; they validate nothing and never leave the service."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from kit.db.types import Aggregate
from sqlalchemy import ARRAY, DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlmodel import Field

AT = DateTime(timezone=True)


class LineRow(Aggregate, table=True):
    """One payee and one amount in one batch (baris pembayaran)."""

    __tablename__ = "line"

    batch_id: UUID
    round: int
    payee_kind: str
    payee_ref: UUID
    beneficiary_person_id: UUID | None = None
    amount_idr: int
    payee_token: bytes | None = None
    bank_code: str | None = None
    region_code: str
    facts_version: int | None = None
    state: str
    reasons: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    attempt_no: int = 0
    removed_at: datetime | None = Field(default=None, sa_type=AT)
    removed_no: int | None = None
    removed_funded: bool = False
    redeposited_doc_id: UUID | None = None
    repair_since: date | None = None
    repair_due: date | None = None
    fixed_by: str | None = None
    fixed_person_id: UUID | None = None
    fix_documents: list[UUID] = Field(default_factory=list, sa_type=ARRAY(PG_UUID))
    confirmed_by: str | None = None
    confirmed_at: datetime | None = Field(default=None, sa_type=AT)
    reissue_asked_by: str | None = None
    reissue_agreed_by: str | None = None
    recalled: bool = False


class PaymentFileRow(Aggregate, table=True):
    """One file to the bank, sealed: XML and CSV of the same transfers."""

    __tablename__ = "payment_file"

    batch_id: UUID
    no: int
    kind: str
    reference: str
    count: int
    total_idr: int
    pain001_sha256: str
    pain001: bytes
    csv_sha256: str
    csv: bytes
    replaces_id: UUID | None = None
    receipt: str | None = None
    sent_at: datetime | None = Field(default=None, sa_type=AT)
    state: str


class ResultFileRow(Aggregate, table=True):
    """One file from the bank, sealed, and what became of its rows."""

    __tablename__ = "result_file"

    sha256: str
    format: str
    size_bytes: int
    content: bytes
    message_id: str | None = None
    uploaded_by: str
    uploader_person_id: UUID | None = None
    covers_file_id: UUID | None = None
    applied_by: str | None = None
    applied_at: datetime | None = Field(default=None, sa_type=AT)
    rows: int = 0
    outcomes: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    refusal: str | None = None
    refusal_params: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    state: str
