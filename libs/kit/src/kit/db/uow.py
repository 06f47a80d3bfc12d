"""The unit of work: one transaction that holds a change, the events that tell of it, and its audit entry.

The only module that commits. HTTP, consumers, jobs and imports all work through it, so that what is announced has
happened and what has happened is announced.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Column, Executable, MetaData, Result, Table, bindparam, text, update
from sqlalchemy import select as columns
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.types import Text
from sqlmodel import select

from kit.auth.actor import Actor
from kit.db.types import Aggregate, Keyed
from kit.errors import Missing, OutOfRegion, Refused, Stale
from kit.failpoints import failpoint
from kit.machine import Context, Refusal
from kit.telemetry import trace_id, traceparent

if TYPE_CHECKING:
    from kit.events.envelope import Event
    from kit.runtime import Runtime

T = TypeVar("T")
A = TypeVar("A", bound=Aggregate)

_SETUP = text("SELECT set_config('santun.regions', :regions, true), set_config('santun.actor', :actor, true)")

_OUTBOX = text(
    "INSERT INTO outbox (topic, key, type, sequence, headers, payload)"
    " VALUES (:topic, :key, :type, :sequence, :headers, :payload) RETURNING id"
).bindparams(bindparam("headers", type_=JSONB), bindparam("payload", type_=JSONB), bindparam("key", type_=PG_UUID))

_OUTBOX_COLUMNS = ("topic", "key", "type", "sequence", "headers", "payload")

_AUDIT = text(
    "INSERT INTO audit (business_at, actor, client, command, outcome, aggregate, aggregate_id, version, before, after,"
    " reasons, trace_id) VALUES (:at, :actor, :client, :command, :outcome, :aggregate, :id, :version, :before, :after,"
    " :reasons, :trace)"
).bindparams(
    bindparam("before", type_=JSONB(none_as_null=True)),
    bindparam("after", type_=JSONB(none_as_null=True)),
    bindparam("reasons", type_=ARRAY(Text)),
    bindparam("id", type_=PG_UUID),
)

_READ = text(
    "INSERT INTO read_log (actor, client, purpose, route, fields, subjects, trace_id)"
    " VALUES (:actor, :client, :purpose, :route, :fields, :subjects, :trace)"
).bindparams(bindparam("fields", type_=ARRAY(Text)), bindparam("subjects", type_=ARRAY(PG_UUID)))


@cache
def _raising(table: type[Aggregate]) -> Executable:
    """Raise a row's `seq` and write its outbox row in one statement; the second takes the number from the first.

    So the row's lock is held before the outbox hands out a position.
    """
    rows = cast("Table", table.__table__)  # type: ignore[attr-defined] # SQLModel does not declare it
    change = update(rows).where(rows.c.id == bindparam("key")).values(seq=bindparam("sequence"))
    raised = change.returning(rows.c.id, rows.c.seq).cte("raised")
    line = columns(
        bindparam("topic", type_=Text), raised.c.id, bindparam("type", type_=Text), raised.c.seq,
        bindparam("headers", type_=JSONB), bindparam("payload", type_=JSONB),
    )  # fmt: skip
    outbox = Table("outbox", MetaData(), *(Column(name) for name in ("id", *_OUTBOX_COLUMNS)))
    return outbox.insert().from_select(_OUTBOX_COLUMNS, line).returning(outbox.c.id)


@dataclass(frozen=True, slots=True)
class Line:
    """One event of a set-based chunk: its key, its sequence (raised on the key's row by the caller's SQL), its payload."""

    key: UUID
    sequence: int
    payload: BaseModel | Mapping[str, Any]


class UnitOfWork:
    """One transaction on behalf of one actor. Made by `Runtime.begin`; used by commands, stores and queries."""

    def __init__(
        self, runtime: "Runtime", session: AsyncSession, actor: Actor, origin: str, cause: "Event | None"
    ) -> None:
        self.runtime = runtime
        self.session = session
        self.actor = actor
        self.origin = origin
        self.cause = cause
        self.route = origin
        self.now: datetime = runtime.clock.now()
        self.today: date = runtime.clock.today()
        self.context = Context(
            actor=actor.sub,
            roles=actor.roles,
            now=self.now,
            today=self.today,
            person_id=actor.person_id,
            unit=actor.unit,
        )
        self._announced = False
        self._done = False

    async def execute(
        self, sql: Executable, params: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> Result[Any]:
        """Run one statement in this transaction (stores and queries only)."""
        return await self.session.execute(sql, params)

    async def driver(self) -> Any:
        """The asyncpg connection of this very transaction, for COPY and the few hot statements."""
        connection = await self.session.connection()
        return (await connection.get_raw_connection()).driver_connection

    def settle(self, decision: T | Refusal) -> T:
        """Return the decision, or raise `Refused` (403 or 409) with every reason."""
        if isinstance(decision, Refusal):
            raise Refused(decision)
        return decision

    def within(self, region_code: str) -> None:
        """Raise `OutOfRegion` (404) unless the actor's regions cover the code."""
        if not self.actor.sees(region_code):
            raise OutOfRegion

    async def save(self, row: Aggregate) -> None:
        """Write a new aggregate, or the next version of a stored one. Takes the row lock; announce after this."""
        if row in self.session:
            row.version += 1
            row.updated_at = self.now
        else:
            row.created_by = self.actor.sub
            row.created_at = row.updated_at = self.now
            row.client = row.client or self.actor.client
            self.session.add(row)
        await self.session.flush()
        failpoint(f"{self.origin}.after_state")

    async def announce(self, row: Keyed, event: str, payload: BaseModel | Mapping[str, Any]) -> UUID:
        """Put one event into the outbox; `row` is the row whose id is the key of the event's topic.

        Raises the row's `seq` by one and writes it before the outbox row, so that the order of the outbox is the order
        of the key. The payload is validated against the contract (`ContractBroken` is a defect of ours: 500).
        Returns the event's id.
        """
        contract = self.runtime.contracts.event(event)
        data = contract.check(payload)
        await self.session.flush()
        params = {
            "topic": self.runtime.topic(contract.topic), "key": row.id, "type": contract.type, "sequence": row.seq + 1,
            "headers": self._headers(), "payload": data,
        }  # fmt: skip
        self._announced = True
        stored = isinstance(row, Aggregate)
        id = (await self.session.execute(_raising(type(row)) if stored else _OUTBOX, params)).scalar_one()
        if stored:
            set_committed_value(row, "seq", row.seq + 1)
        else:
            row.seq += 1
        failpoint(f"{self.origin}.after_outbox")
        return UUID(str(id))

    async def announce_many(self, event: str, lines: Sequence[Line]) -> None:
        """Put the events of a set-based chunk (at most 5,000) into the outbox with one COPY, in the given order.

        The caller has raised `seq` on the rows in SQL and passes the numbers; every payload is validated here, before
        the chunk commits.
        """
        if not lines:
            return
        contract = self.runtime.contracts.event(event)
        topic, headers = self.runtime.topic(contract.topic), json.dumps(self._headers())
        records = [
            (topic, line.key, contract.type, line.sequence, headers, json.dumps(contract.check(line.payload)))
            for line in lines
        ]
        await self.session.flush()
        await (await self.driver()).copy_records_to_table("outbox", columns=_OUTBOX_COLUMNS, records=records)
        self._announced = True

    async def audit(
        self,
        command: str,
        aggregate: str,
        row: Aggregate,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        reasons: Sequence[str] = (),
    ) -> None:
        """Append who did what to which version, and why. States, codes, ids and amounts only: no personal data."""
        await self.append_audit(command, aggregate, row.id, row.version, before=before, after=after, reasons=reasons)

    async def append_audit(
        self,
        command: str,
        aggregate: str,
        aggregate_id: UUID | None,
        version: int | None,
        *,
        outcome: str = "done",
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        reasons: Sequence[str] = (),
    ) -> None:
        """Append an audit entry for something that is no single aggregate row: a set-based chunk, a refusal."""
        await self.session.execute(
            _AUDIT,
            {
                "at": self.now, "actor": self.actor.sub, "client": self.actor.client, "command": command,
                "outcome": outcome, "aggregate": aggregate, "id": aggregate_id, "version": version,
                "before": _plain(before), "after": _plain(after), "reasons": list(reasons), "trace": trace_id(),
            },
        )  # fmt: skip

    async def log_reads(self, purpose: str, fields: Sequence[str], subjects: Sequence[UUID]) -> None:
        """Record that personal data of these subjects left this service, for whom and for what purpose."""
        if subjects:
            await self.session.execute(
                _READ,
                {
                    "actor": self.actor.sub, "client": self.actor.client, "purpose": purpose, "route": self.route,
                    "fields": list(fields), "subjects": list(subjects), "trace": trace_id(),
                },
            )  # fmt: skip

    async def commit(self) -> None:
        """Commit once; the relay of this process is woken when something was announced."""
        if self._done:
            return
        await self.session.flush()
        failpoint(f"{self.origin}.before_commit")
        await self.session.commit()
        self._done = True
        failpoint(f"{self.origin}.after_commit")
        if self._announced:
            self.runtime.wake_relay()

    def _headers(self) -> dict[str, str]:
        """The envelope attributes that come from the circumstances: time, correlation, cause, trace."""
        cause = self.cause
        headers = {"time": self.now.isoformat().replace("+00:00", "Z"), "traceparent": traceparent() or ""}
        if cause is not None:
            headers["causationid"] = str(cause.id)
            headers["correlationid"] = cause.correlation_id or str(cause.id)
        else:
            headers["correlationid"] = trace_id()
        return {name: value for name, value in headers.items() if value}


@asynccontextmanager
async def begin(
    runtime: "Runtime", actor: Actor, *, origin: str, cause: "Event | None" = None
) -> AsyncIterator[UnitOfWork]:
    """Open a transaction for the actor; commit when the block ends well, roll back when it raises."""
    async with AsyncSession(runtime.engine, expire_on_commit=False) as session:
        regions = "*" if actor.is_system else ",".join(actor.regions)
        await session.execute(_SETUP, {"regions": regions, "actor": actor.sub})
        uow = UnitOfWork(runtime, session, actor, origin, cause)
        yield uow
        await uow.commit()


async def lock(
    uow: UnitOfWork, table: type[A], id: UUID, expected: int | None, *, may: Callable[[A], None] | None = None
) -> A:
    """Load an aggregate and hold its row until the transaction ends.

    Raises `Missing` (404) when there is none in the actor's regions, `Stale` (412) when `expected` is given and is not
    the stored version. Consumers and system rules pass None. `may` raises for rows that are closed to the actor by more
    than their region; it is asked before the version is compared, so that strangers do not learn it.
    """
    statement = select(table).where(table.id == id).with_for_update().execution_options(populate_existing=True)
    row: A | None = (await uow.session.execute(statement)).scalar_one_or_none()
    if row is None:
        raise Missing(table.__name__)
    if (region := getattr(row, "region_code", None)) is not None:
        uow.within(region)
    if may is not None:
        may(row)
    if expected is not None and row.version != expected:
        raise Stale(row.version)
    return row


def _plain(value: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """JSON-ready copy: ids, dates and enums become text."""
    return None if value is None else json.loads(json.dumps(value, default=str))
