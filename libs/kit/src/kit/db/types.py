"""Column sets that every aggregate shares."""

from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Integer, event
from sqlmodel import Field, SQLModel

from kit.ids import new_id


@event.listens_for(Column, "before_parent_attach")
def _money_is_bigint(column: Column[Any], _: object) -> None:
    """SQLModel maps every `int` to INTEGER, which ends at Rp 2,147,483,647; an amount is BIGINT wherever it stands."""
    if column.name.endswith("_idr") and type(column.type) is Integer:
        column.type = BigInteger()


class Keyed(Protocol):
    """A row whose id is the key of a topic and that counts the events told about it."""

    id: UUID
    seq: int


class Aggregate(SQLModel):
    """The columns of every aggregate table (registry_disbursement.md 0.5).

    `version` counts changes (the ETag), `seq` counts events per key (gap-free), `client_ref` is the caller's own
    reference, unique per client. A table class validates nothing: it is never an input or an output of the API.
    """

    id: UUID = Field(default_factory=new_id, primary_key=True)
    mode: str = "live"
    version: int = 1
    seq: int = 0
    client: str | None = None
    client_ref: str | None = None
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC), sa_type=DateTime(timezone=True))
    created_by: str = ""
    updated_at: datetime = Field(default_factory=lambda: datetime.now(UTC), sa_type=DateTime(timezone=True))


AGGREGATE_COLUMNS = """
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    mode text NOT NULL DEFAULT 'live' CHECK (mode IN ('live', 'test')),
    version int NOT NULL DEFAULT 1,
    seq bigint NOT NULL DEFAULT 0,
    client text,
    client_ref text CHECK (length(client_ref) <= 64),
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL DEFAULT '',
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (client, client_ref)"""
"""The same columns as SQL, for migrations: `CREATE TABLE t (` + AGGREGATE_COLUMNS + `, ...)`."""
