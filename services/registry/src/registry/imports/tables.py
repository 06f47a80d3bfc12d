"""The import run as a table; findings, chunks, subjects and staging are written set-based and have no class."""

from datetime import date, datetime
from typing import Any

from kit.db.types import Aggregate
from sqlalchemy import BigInteger, Column, DateTime, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field


class ImportRun(Aggregate, table=True):
    """One uploaded list and how far it came. `staged_line` is where reading goes on after a kill."""

    __tablename__ = "import_run"

    kind: str = "family_list"
    source: str
    region_code: str
    as_of: date
    extent: str
    format: str
    file_sha256: str
    file_bytes: int = Field(sa_type=BigInteger)
    file_key_enc: bytes
    file_kept: bool = True
    state: str
    phase: str = "waiting"
    bytes_read: int = Field(default=0, sa_type=BigInteger)
    staged_line: int = 0
    staged_rows: int = 0
    rows_read: int = 0
    rows_ok: int = 0
    rows_rejected: int = 0
    rows_warned: int = 0
    current_rows: int = 0
    new_rows: int = 0
    changed_rows: int = 0
    unchanged_rows: int = 0
    gone_rows: int = 0
    chunks: int = 0
    chunks_done: int = 0
    brake: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    reason: str | None = None
    reason_line: int | None = None
    reason_params: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    approved_by: str | None = None
    approved_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    finished_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
