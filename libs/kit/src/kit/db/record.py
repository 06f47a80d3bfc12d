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

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    DateTime,
    Executable,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    bindparam,
    column,
    func,
    literal,
    select,
    union_all,
    update,
)
from sqlalchemy import cast as as_type
from sqlalchemy.dialects.postgresql import JSON, JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from kit.failpoints import failpoint

TOGETHER = 4
"""So many events at most go out in one statement: each number is a statement of its own to prepare."""

_META = MetaData()
_OUTBOX = Table(
    "outbox", _META, Column("topic", Text), Column("key", Uuid), Column("type", Text), Column("sequence", BigInteger),
    Column("headers", JSONB), Column("payload", JSONB),
)  # fmt: skip
_AUDIT = Table(
    "audit", _META, Column("business_at", DateTime(timezone=True)), Column("actor", Text), Column("client", Text),
    Column("command", Text), Column("outcome", Text), Column("aggregate", Text), Column("aggregate_id", Uuid),
    Column("version", Integer), Column("before", JSONB), Column("after", JSONB), Column("reasons", ARRAY(Text)),
    Column("trace_id", Text),
)  # fmt: skip
_IDEMPOTENCY = Table(
    "idempotency", _META, Column("principal", Text), Column("key", Text), Column("status", Integer),
    Column("body", LargeBinary), Column("headers", JSONB),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """An event on its way into the outbox. `counted` is the table whose row counts it; None where nothing is raised."""

    counted: Table | None
    key: UUID
    sequence: int
    topic: str
    type: str
    headers: Mapping[str, str]
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered to a repeat of the command: the key that the transaction holds, and the sealed answer."""

    principal: str
    key: str
    status: int
    body: bytes
    headers: Mapping[str, str]


@dataclass
class Record:
    """What waits to be written."""

    events: list[Told] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    answer: Answer | None = None

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
        self.events, self.entries, self.answer = [], [], None
        given: dict[str, Any] = {}
        for no, event in enumerate(events):
            given |= {f"{name}_{no}": getattr(event, name) for name in _OUTBOX.c.keys()}  # noqa: SIM118 - columns
        if entries:
            given["entries"] = json.dumps(entries, default=str)
        if answer is not None:
            given |= {f"answer_{name}": getattr(answer, name) for name in _IDEMPOTENCY.c.keys()}  # noqa: SIM118
        shape = _statement(tuple(event.counted for event in events), bool(entries), answer is not None)
        written = (await execute(shape, given)).scalar_one()
        if written != len(events):
            raise LookupError(f"{len(events) - written} of {len(events)} events have no row that counts them")


@cache
def _statement(counted: Sequence[Table | None], entered: bool, answered: bool) -> Executable:
    """The statement for so many events of these tables, with or without entries and answer. Gives the events written."""
    parts = [_kept()] if answered else []
    parts += [_entered()] if entered else []
    if not counted:
        return select(literal(0)).add_cte(*parts)
    lines = [_line(no, table) for no, table in enumerate(counted)]
    told = (
        _OUTBOX.insert().from_select([*_OUTBOX.c], union_all(*lines) if len(lines) > 1 else lines[0])
        .returning(literal(1)).cte("told")
    )  # fmt: skip
    return select(func.count()).select_from(told).add_cte(*parts)


def _line(no: int, counted: Table | None) -> Any:
    """One row of the outbox; it takes its number from the row it raises, whose lock is therefore held before."""
    given: dict[str, Any] = {name: bindparam(f"{name}_{no}", type_=_OUTBOX.c[name].type) for name in _OUTBOX.c.keys()}  # noqa: SIM118
    if counted is not None:
        change = update(counted).where(counted.c.id == given["key"]).values(seq=given["sequence"])
        raised = change.returning(counted.c.id, counted.c.seq).cte(f"raised_{no}")
        given |= {"key": raised.c.id, "sequence": raised.c.seq}
    return select(*(as_type(value, _OUTBOX.c[name].type).label(name) for name, value in given.items()))


def _entered() -> Any:
    """The audit entries, from one JSON text."""
    columns = [column(c.name, c.type) for c in _AUDIT.c]
    rows = func.json_to_recordset(as_type(bindparam("entries", type_=Text), JSON)).table_valued(*columns)
    rows = rows.render_derived(name="entry", with_types=True)
    return _AUDIT.insert().from_select([*_AUDIT.c], select(*rows.c)).returning(literal(1)).cte("entered")


def _kept() -> Any:
    """The answer, beside the key that was claimed at the beginning."""
    given = {name: bindparam(f"answer_{name}", type_=_IDEMPOTENCY.c[name].type) for name in _IDEMPOTENCY.c.keys()}  # noqa: SIM118
    mine = (_IDEMPOTENCY.c.principal == given.pop("principal")) & (_IDEMPOTENCY.c.key == given.pop("key"))
    return update(_IDEMPOTENCY).where(mine).values(given).returning(literal(1)).cte("kept")


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
