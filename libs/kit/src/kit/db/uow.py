"""The unit of work: one transaction that holds a change, the events that tell of it, and its audit entry.

The only module that commits. HTTP, consumers, jobs and imports all work through it, so that what is announced has
happened and what has happened is announced.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast
from uuid import UUID

from opentelemetry.trace import SpanKind
from pydantic import BaseModel
from sqlalchemy import Executable, Result, Table, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.types import Text
from sqlmodel import select

from kit.auth.actor import Actor
from kit.db.record import Record, RecordingSession, Told
from kit.db.types import Aggregate, Keyed
from kit.errors import Missing, OutOfRegion, Refused, Stale
from kit.events import outbox
from kit.failpoints import failpoint
from kit.machine import Context, Refusal
from kit.telemetry import extract, span, trace_id, trace_of, traceparent

if TYPE_CHECKING:
    from kit.events.envelope import Event
    from kit.runtime import Runtime

T = TypeVar("T")
A = TypeVar("A", bound=Aggregate)

SETUP = "SELECT set_config('santun.regions', :regions, true), set_config('santun.actor', :actor, true)"
_SETUP = text(SETUP)
First = tuple[Executable, Mapping[str, Any]]
"""A statement that begins a transaction, and its parameters but for regions and actor."""

_READ = text(
    "INSERT INTO read_log (actor, client, purpose, route, fields, subjects, trace_id)"
    " VALUES (:actor, :client, :purpose, :route, :fields, :subjects, :trace)"
).bindparams(bindparam("fields", type_=ARRAY(Text)), bindparam("subjects", type_=ARRAY(PG_UUID)))


@dataclass(frozen=True, slots=True)
class Line:
    """One event of a set-based chunk: its key, its sequence (raised on the key's row by the caller's SQL), its payload.

    `cause` is the event that this line answers, where the lines of a chunk answer different ones.
    """

    key: UUID
    sequence: int
    payload: BaseModel | Mapping[str, Any]
    cause: "Event | None" = None


class UnitOfWork:
    """One transaction on behalf of one actor. Made by `Runtime.begin`; used by commands, stores and queries."""

    def __init__(
        self, runtime: "Runtime", session: RecordingSession, actor: Actor, origin: str, opened: Result[Any]
    ) -> None:
        self.runtime = runtime
        self.session = session
        self.record = session.record
        self.opened = opened
        self.actor = actor
        self.origin = origin
        self.cause: Event | None = None
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

    async def announce(self, row: Keyed, event: str, payload: BaseModel | Mapping[str, Any]) -> None:
        """Tell of an event; `row` is the row whose id is the key of the event's topic.

        It raises the row's `seq` by one; its outbox row is written after that, before anything else is asked of the
        database, so that the order of the outbox is the order of the key. The payload is validated against the contract
        here (`ContractBroken` is a defect of ours: 500).
        """
        contract = self.runtime.contracts.event(event)
        data = contract.check(payload)
        if not self.record.takes(row.id):
            await self.session.write_record()
        stored, number = isinstance(row, Aggregate), row.seq + 1
        counted = cast("Table", type(row).__table__) if stored else None  # type: ignore[attr-defined] # SQLModel declares none
        self.record.events.append(
            Told(counted, row.id, number, self.runtime.topic(contract.topic), contract.type, self._headers(), data)
        )
        self._announced = True
        if stored:
            set_committed_value(row, "seq", number)
        else:
            row.seq = number

    async def announce_many(self, event: str, lines: Sequence[Line]) -> None:
        """Put the events of a set-based chunk (at most 5,000) into the outbox with one COPY, in the given order.

        The caller has raised `seq` on the rows in SQL and passes the numbers; every payload is validated here, before
        the chunk commits. A line with a cause of its own continues the trace and the correlation of that cause.
        """
        if not lines:
            return
        contract = self.runtime.contracts.event(event)
        data, shared = contract.check_many([line.payload for line in lines]), self._headers()
        rows = [
            (line.key, line.sequence, shared if line.cause is None else self._headers(line.cause), payload)
            for line, payload in zip(lines, data, strict=True)
        ]
        await self.session.flush()
        source = outbox.copied(self.runtime.topic(contract.topic), contract.type, rows)
        await (await self.driver()).copy_to_table("outbox", columns=outbox.COLUMNS, source=source, format="text")
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
        self, command: str, aggregate: str, aggregate_id: UUID | None, version: int | None, *, outcome: str = "done",
        before: Mapping[str, Any] | None = None, after: Mapping[str, Any] | None = None, reasons: Sequence[str] = (),
        cause: "Event | None" = None,
    ) -> None:  # fmt: skip
        """Append an audit entry for something that is no single loaded row: a set-based chunk, a refusal.

        `cause` is the event whose trace the entry belongs to, where those of a chunk belong to different ones.
        """
        self.record.entries.append({
            "business_at": self.now, "actor": self.actor.sub, "client": self.actor.client, "command": command,
            "outcome": outcome, "aggregate": aggregate, "aggregate_id": aggregate_id, "version": version,
            "before": before, "after": after, "reasons": list(reasons),
            "trace_id": (trace_of(cause.traceparent) if cause else "") or trace_id(),
        })  # fmt: skip

    @contextmanager
    def because(self, event: "Event") -> Iterator[None]:
        """Within, what is told and recorded has this event as its cause and continues its trace."""
        before, self.cause = self.cause, event
        try:
            with span(event.type, SpanKind.CONSUMER, event.traceparent or None):
                yield
        finally:
            self.cause = before

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
        await self.session.write_record()
        await self.session.flush()
        failpoint(f"{self.origin}.before_commit")
        await self.session.commit()
        self._done = True
        failpoint(f"{self.origin}.after_commit")
        if self._announced:
            self.runtime.wake_relay()

    def _headers(self, own: "Event | None" = None) -> dict[str, str]:
        """The envelope attributes that come from the circumstances: time, correlation, cause, trace.

        `own` is the cause of one line of many: no span stands around it, so its trace is handed on as it came.
        """
        cause = own or self.cause
        trace = (extract({"traceparent": own.traceparent}) if own else None) or traceparent() or ""
        headers = {"time": self.now.isoformat().replace("+00:00", "Z"), "traceparent": trace}
        if cause is not None:
            headers["causationid"] = str(cause.id)
            headers["correlationid"] = cause.correlation_id or str(cause.id)
        else:
            headers["correlationid"] = trace_id()
        return {name: value for name, value in headers.items() if value}


@asynccontextmanager
async def begin(
    runtime: "Runtime", actor: Actor, *, origin: str, first: First | None = None
) -> AsyncIterator[UnitOfWork]:
    """Open a transaction for the actor; commit when the block ends well, roll back when it raises.

    `first` is a statement that sets the transaction up as `SETUP` does and has an effect beside; its result is
    `uow.opened`.
    """
    async with RecordingSession(runtime.engine, expire_on_commit=False) as session:
        session.record, session.origin = Record(), origin
        regions = "*" if actor.is_system else ",".join(actor.regions)
        statement, given = first or (_SETUP, {})
        opened = await session.execute(statement, {"regions": regions, "actor": actor.sub, **given})
        uow = UnitOfWork(runtime, session, actor, origin, opened)
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
