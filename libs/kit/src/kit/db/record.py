"""What a unit of work has to tell: its events, its audit entries, the answer that is kept. Written together, late.

A command moves a row, tells of it, and says who did it; its answer is kept for a repeat. Each of these as a statement
of its own cost more of the process than the change itself, so they wait here and go out as one, before anything else is
asked of the database and at the latest before the commit. Only `kit.db.uow` and `kit.http.idempotency` come in.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from kit.failpoints import failpoint

TOGETHER = 4
"""So many events at most go out in one statement: each number is a statement of its own to prepare."""

_ENCODER = json.JSONEncoder(default=str)
"""Made once: `json.dumps` makes one a call when it is told of a default."""
_OUTBOX = sa.Table(
    "outbox", sa.MetaData(), sa.Column("topic", sa.Text), sa.Column("key", sa.Uuid), sa.Column("type", sa.Text),
    sa.Column("sequence", sa.BigInteger), sa.Column("headers", JSONB), sa.Column("payload", JSONB),
)  # fmt: skip
_ENTERED = sa.text("""
INSERT INTO audit (business_at, actor, client, command, outcome, aggregate, aggregate_id, version, before, after, reasons, trace_id)
SELECT * FROM json_to_recordset(CAST(CAST(:entries AS text) AS json)) AS entry(business_at timestamptz, actor text, client text,
    command text, outcome text, aggregate text, aggregate_id uuid, version int, before jsonb, after jsonb, reasons text[], trace_id text)
RETURNING 1""")
_KEPT = sa.text("""
UPDATE idempotency SET status = :status, body = :body, headers = CAST(CAST(:headers AS text) AS jsonb)
 WHERE principal = :principal AND key = :key RETURNING 1""")


@dataclass(frozen=True, slots=True)
class Told:
    """An event on its way into the outbox. `counted` is the table whose row counts it; None where nothing is raised."""

    counted: sa.Table | None
    key: UUID
    sequence: int
    topic: str
    type: str
    headers: Mapping[str, str]
    payload: Mapping[str, Any]


@dataclass
class Record:
    """What waits to be written."""

    events: list[Told] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    answer: Mapping[str, Any] = field(default_factory=dict)
    """What a repeat of the command is answered: principal, key, status, sealed body, headers as JSON. Empty: nothing."""

    def __bool__(self) -> bool:
        return bool(self.events or self.entries or self.answer)

    def takes(self, key: UUID) -> bool:
        """Whether one more event fits: a statement raises each row once."""
        return len(self.events) < TOGETHER and all(event.key != key for event in self.events)

    async def write(self, execute: Callable[..., Awaitable[Any]]) -> None:
        """Write all of it with one statement, events in the order in which they were told; nothing is left waiting.

        Raises LookupError when a row that counts an event is not there, or not visible to the actor.
        """
        events, entries, answer = self.events, self.entries, self.answer
        self.events, self.entries, self.answer = [], [], {}
        given = dict(answer)
        for no, event in enumerate(events):
            given |= {f"{column.name}_{no}": getattr(event, column.name) for column in _OUTBOX.c}
        if entries:
            given["entries"] = _ENCODER.encode(entries)
        shape = _statement(tuple(event.counted for event in events), bool(entries), bool(answer))
        written = (await execute(shape, given)).scalar_one()
        if written != len(events):
            raise LookupError(f"{len(events) - written} of {len(events)} events have no row that counts them")


@cache
def _statement(counted: Sequence[sa.Table | None], entered: bool, answered: bool) -> sa.Executable:
    """The statement for so many events of these tables, with or without entries and answer. Gives the events written."""
    parts = [
        sql.columns().cte(name)
        for sql, name, wanted in ((_KEPT, "kept", answered), (_ENTERED, "entered", entered))
        if wanted
    ]
    if not counted:
        return sa.select(sa.literal(0)).add_cte(*parts)
    lines = [_line(no, table) for no, table in enumerate(counted)]
    told = _OUTBOX.insert().from_select([*_OUTBOX.c], sa.union_all(*lines) if len(lines) > 1 else lines[0])
    return sa.select(sa.func.count()).select_from(told.returning(sa.literal(1)).cte("told")).add_cte(*parts)


def _line(no: int, counted: sa.Table | None) -> Any:
    """One row of the outbox; it takes its number from the row it raises, whose lock is therefore held before."""
    given: dict[str, Any] = {
        column.name: sa.bindparam(f"{column.name}_{no}", type_=column.type) for column in _OUTBOX.c
    }
    if counted is not None:
        change = sa.update(counted).where(counted.c.id == given["key"]).values(seq=given["sequence"])
        raised = change.returning(counted.c.id, counted.c.seq).cte(f"raised_{no}")
        given |= {"key": raised.c.id, "sequence": raised.c.seq}
    return sa.select(*(sa.cast(value, _OUTBOX.c[name].type).label(name) for name, value in given.items()))


class RecordingSession(AsyncSession):
    """A session that writes the record before it asks the database anything else, so that nobody reads past it."""

    record: Record
    origin: str
    """Which part of the process acts, for the named points at which it may die."""

    if not TYPE_CHECKING:  # to a reader of types it is a session as any other

        async def execute(self, *args: Any, **kwargs: Any) -> Any:
            """As AsyncSession."""
            await self.write_record()
            return await super().execute(*args, **kwargs)

        async def get(self, *args: Any, **kwargs: Any) -> Any:
            """As AsyncSession."""
            await self.write_record()
            return await super().get(*args, **kwargs)

        async def refresh(self, *args: Any, **kwargs: Any) -> None:
            """As AsyncSession."""
            await self.write_record()
            await super().refresh(*args, **kwargs)

        async def connection(self, *args: Any, **kwargs: Any) -> Any:
            """As AsyncSession; who takes the connection itself goes past this session."""
            await self.write_record()
            return await super().connection(*args, **kwargs)

    async def write_record(self) -> None:
        """Write what waits, after the rows that it speaks of."""
        if not self.record:
            return
        telling = bool(self.record.events)
        await self.flush()
        await self.record.write(super().execute)
        if telling:
            failpoint(f"{self.origin}.after_outbox")
