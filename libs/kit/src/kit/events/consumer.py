"""The consumer loop: inbox row, effects and own events in one transaction, and only then the Kafka offset.

Delivery is at least once; effects are once. A chunk of a partition is handled in one transaction; when one message of
it fails, the chunk is rolled back and taken in halves, so that the one that cannot be handled is parked with
its key and the partition goes on (engineering.md C6, C7).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic, time
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from opentelemetry.trace import SpanKind
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from kit.auth.actor import Actor
from kit.db.engine import LOST
from kit.db.uow import UnitOfWork
from kit.errors import Problem, Unavailable
from kit.events import inbox, parked
from kit.events.envelope import BrokenEnvelope, Event, decode
from kit.events.inbox import Stream
from kit.events.parked import Message
from kit.events.relay import wait
from kit.events.schemas import ContractBroken
from kit.failpoints import failpoint
from kit.metrics import consumer_events
from kit.runtime import Runtime
from kit.telemetry import span
from kit.together import together

log = structlog.get_logger()

Handler = Callable[[UnitOfWork, Event], Awaitable[None]]
"""An incoming event becomes a command. Calls nothing outside the transaction."""


@dataclass(frozen=True, slots=True)
class Together:
    """A handler of many events at once: those that follow each other in a chunk and are handed to it, in order.

    For effects that a few statements have for all. One that stands for several types gets them mixed, as they came.
    Its events have no single cause: what it tells names the cause line by line (`Line.cause`, `UnitOfWork.because`).
    """

    func: Callable[[UnitOfWork, Sequence[Event]], Awaitable[None]]


Handlers = Mapping[str, Handler | Together]
"""What a service does with the events it hears, by wire type."""

CHUNK = 500
"""Events of one transaction."""
POLL = 4 * CHUNK
"""Events taken from the broker's answers at one time: enough for several partitions, little enough to be seen alive."""
LANES = 3
"""Transactions open at one time: while the process works on one, the database works on another."""
PREFETCH_SECONDS = 60.0
"""How long messages that are not yet taken keep the next fetch back. One waits at the broker at a time, for half a second
when nothing is new; a partition that it left without would only be asked for after it."""
_PASSING = {"40P01", "40001", "55P03", "57014", "57P01", "57P02", "57P03", "58030"}
ATTEMPTS = 5
"""Tries of a message whose handler fails for a reason that may pass, before it is parked."""


_DUPLICATE, _SKIPPED = (consumer_events.labels(outcome=outcome) for outcome in ("duplicate", "skipped"))


class Transient(Exception):
    """The database or a neighbour is not there: try again in place, without limit; nothing is parked."""


class Consumer:
    """Reads the topics of a service's handlers as one group and applies each event once."""

    def __init__(self, runtime: Runtime, handlers: Handlers, *, group: str, instance: str | None = None) -> None:
        self._runtime = runtime
        self._handlers = handlers
        self._group = group
        self._instance = instance
        contracts = (runtime.contracts.of_type(wire_type) for wire_type in handlers)
        self.topics = sorted({runtime.topic(c.topic) for c in contracts if c is not None})
        self.last_poll = monotonic()
        self.connected = False
        self._in_hand: dict[TopicPartition, float] = {}
        self._lanes = asyncio.Semaphore(LANES)

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop`; a lost broker is rejoined with growing pauses."""
        pause = 0.2
        while not stop.is_set() and self.topics:
            try:
                await self._session(stop)
                pause = 0.2
            except (KafkaError, OSError, TimeoutError) as lost:
                log.warning("consumer_interrupted", error=type(lost).__name__, retry_in=pause)
                await wait(stop, pause)
                pause = min(pause * 2, 5.0)
            self.connected = False

    def lag(self) -> float:
        """Age in seconds of the oldest message in hand; 0 when all that came was applied."""
        return max((time() - at for at in self._in_hand.values()), default=0.0)

    async def _session(self, stop: asyncio.Event) -> None:
        kafka = AIOKafkaConsumer(
            **self._runtime.settings.kafka(),
            group_id=self._group,
            group_instance_id=self._instance,
            client_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            session_timeout_ms=10_000,
            heartbeat_interval_ms=1_000,
            max_poll_interval_ms=300_000,
            max_poll_records=POLL,
            request_timeout_ms=10_000,
            metadata_max_age_ms=30_000,
        )
        async with asyncio.timeout(30):
            await kafka.start()
        try:
            kafka._fetcher._prefetch_backoff = PREFETCH_SECONDS  # noqa: SLF001 - there is no setting for it
            kafka.subscribe(self.topics, listener=_Forget())
            self.connected = True
            while not stop.is_set():
                records = await kafka.getmany(timeout_ms=200, max_records=POLL)
                _demand_fetching(kafka)
                self.last_poll = monotonic()
                failpoint("consumer.after_poll")
                await together(self._partition(kafka, tp, batch, stop) for tp, batch in records.items())
        finally:
            self._in_hand.clear()
            await _leave(kafka)

    async def _partition(
        self, kafka: AIOKafkaConsumer, tp: TopicPartition, records: Sequence[Any], stop: asyncio.Event
    ) -> None:
        """Handle one partition's records in order, chunk by chunk, and commit the offset after what the database has."""
        messages = [Message(r.topic, r.partition, r.offset, r.key, r.value, r.headers) for r in records]
        handled: int | None = None
        self._in_hand[tp] = records[0].timestamp / 1000
        for start in range(0, len(messages), CHUNK):
            chunk = messages[start : start + CHUNK]
            if not await self._until_handled(chunk, stop):
                break
            handled = chunk[-1].offset + 1
        if handled is None:
            return
        self._in_hand.pop(tp, None)
        try:
            await kafka.commit({tp: handled})
        except (CommitFailedError, IllegalStateError):
            return  # the partition went to another member; the inbox makes its rerun harmless
        failpoint("consumer.after_offset")

    async def _until_handled(self, chunk: Sequence[Message], stop: asyncio.Event) -> bool:
        """Handle a chunk, however long the database or a neighbour is away; False when told to stop before."""
        pause = 0.1
        while not stop.is_set():
            try:
                async with self._lanes:
                    await self.handle(chunk)
            except Transient as away:
                log.warning("consumer_waits", reason=str(away), retry_in=pause)
                await wait(stop, pause)
                pause = min(pause * 2, 5.0)
            else:
                return True
        return False

    async def handle(self, messages: Sequence[Message]) -> None:
        """Apply messages of one partition, in order, each effect once. Raises `Transient` when they must come again."""
        if len(messages) == 1:
            await self._alone(messages[0])
            return
        try:
            await self._transaction(messages, attempt=1)
        except Transient:
            raise
        except Exception as failed:  # noqa: BLE001 - the chunk was rolled back whole; its halves now stand for themselves
            log.info("consumer_chunk_split", error=type(failed).__name__, size=len(messages))
            await self._halve_until_alone(messages)

    async def _halve_until_alone(self, messages: Sequence[Message]) -> None:
        half = len(messages) // 2
        await self.handle(messages[:half])
        await self.handle(messages[half:])

    async def _alone(self, message: Message) -> None:
        """Apply one message, parking it when it cannot be handled: refusals at once, other failures after some tries."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await self._transaction([message], attempt=attempt)
                return
            except Transient:
                raise
            except (ContractBroken, Problem) as refused:
                # Codes and places only: these two never hold values.
                await self._park(message, _code(refused), str(refused), attempt)
                return
            except Exception as failed:  # noqa: BLE001 - tried again, then parked
                if attempt == ATTEMPTS:
                    await self._park(message, "handler_failed", type(failed).__name__, attempt)
                    return
                await asyncio.sleep(0.02 * 2**attempt)

    async def _transaction(self, messages: Sequence[Message], *, attempt: int) -> None:
        """One transaction: skip what is blocked or known, run the handlers, remember the positions."""
        events: list[tuple[Message, Event | BrokenEnvelope]] = [(m, _decode(m)) for m in messages]
        keys = {message.key_text for message in messages}
        try:
            async with self._runtime.begin(Actor.system("consumer"), origin="consumer") as uow:
                waiting, fresh, stream = await inbox.take_in(uow, events, self._handlers, blocked=keys)
                failpoint("consumer.after_inbox")
                run: list[Event] = []
                for message, event in events:
                    if message.key_text in waiting:
                        known = event if isinstance(event, Event) else None
                        await parked.park(
                            uow, message, reason="behind_parked", detail="", attempts=0,
                            event_id=str(known.id) if known else None, type=known.type if known else None,
                        )  # fmt: skip
                    elif isinstance(event, BrokenEnvelope):
                        await parked.park(uow, message, reason="broken_envelope", detail=event.code, attempts=attempt)
                        waiting |= {message.key_text}
                    elif self._counts(event, fresh, stream):
                        if run and not self._joins(event, run[-1]):
                            await self._run(uow, run)
                            run = []
                        run.append(event)
                await self._run(uow, run)
                await inbox.advance(uow, messages[0].topic, stream)
                failpoint("consumer.after_effect")
        except (OperationalError, InterfaceError, PoolTimeout, OSError, Unavailable) as lost:
            raise Transient(type(lost).__name__) from lost
        except (DBAPIError, *LOST) as failed:
            if getattr(failed, "connection_invalidated", False) or _passes(failed):
                raise Transient(type(failed).__name__) from failed
            raise

    def _counts(self, event: Event, fresh: set[UUID], stream: Stream) -> bool:
        """Advance the key's position; False for an event that was applied before or is of no interest."""
        handler = self._handlers.get(event.type)
        last = stream.last(event.key)
        if (handler is not None and event.id not in fresh) or (last is not None and event.sequence <= last):
            _DUPLICATE.inc()
            return False
        stream.advance(event.key, event.sequence)
        if handler is None:
            _SKIPPED.inc()
            return False
        contract = self._runtime.contracts.of_type(event.type)
        if contract is not None:
            contract.check(event.data)
        return True

    def _joins(self, event: Event, last: Event) -> bool:
        """Whether the two go to one handler that takes its events together."""
        handler = self._handlers[event.type]
        return isinstance(handler, Together) and handler is self._handlers[last.type]

    async def _run(self, uow: UnitOfWork, run: Sequence[Event]) -> None:
        """Hand events over to their handler: one, or a run of them to a handler that takes them together.

        Only one event alone is the cause of what is done, and continued in its trace.
        """
        if not run:
            return
        handler = self._handlers[run[0].type]
        if len(run) > 1 and isinstance(handler, Together):
            uow.cause = None
            with span(f"{len(run)} events", SpanKind.CONSUMER, of=(event.traceparent for event in run)):
                await handler.func(uow, run)
        else:
            with uow.because(run[0]):
                await (handler.func(uow, run) if isinstance(handler, Together) else handler(uow, run[0]))
        consumer_events.labels(outcome="applied").inc(len(run))

    async def _park(self, message: Message, reason: str, detail: str, attempts: int) -> None:
        decoded = _decode(message)
        known = decoded if isinstance(decoded, Event) else None
        log.error(
            "message_parked",
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            reason=reason,
            detail=detail,
        )
        async with self._runtime.begin(Actor.system("consumer"), origin="consumer") as uow:
            await parked.park(
                uow, message, reason=reason, detail=detail, attempts=attempts,
                event_id=str(known.id) if known else None, type=known.type if known else None,
            )  # fmt: skip
        consumer_events.labels(outcome="parked").inc()

    async def redrive(self, topic: str, key: str, *, by: str) -> int:
        """Handle the parked messages of a key again, in order, until one fails again; returns how many went through."""
        done = 0
        while True:
            async with self._runtime.begin(Actor.system("redrive"), origin="consumer") as uow:
                taken = await parked.take(uow, topic, key)
                if taken is None:
                    return done
                id, message = taken
                event = _decode(message)
                if isinstance(event, BrokenEnvelope):
                    raise Problem(f"message cannot be read: {event.code}; discard it with a reason")
                uow.cause = event
                await parked.resolve(uow, id, state="redriven", by=by, why="redrive")
                _, fresh, stream = await inbox.take_in(uow, [(message, event)], self._handlers, blocked=())
                if self._counts(event, fresh, stream):
                    await self._run(uow, [event])
                await inbox.advance(uow, topic, stream)
            done += 1


class _Forget(ConsumerRebalanceListener):  # type: ignore[misc]
    """Nothing to save at a rebalance: offsets follow the database, and the inbox absorbs what is read twice."""

    async def on_partitions_revoked(self, revoked: Any) -> None:
        log.info("partitions_revoked", count=len(revoked))

    async def on_partitions_assigned(self, assigned: Any) -> None:
        log.info("partitions_assigned", count=len(assigned))


def _decode(message: Message) -> Event | BrokenEnvelope:
    try:
        return decode(message.topic, message.key, message.value, message.headers)
    except BrokenEnvelope as broken:
        return broken


def _passes(error: Exception) -> bool:
    """Deadlocks, serialization failures, lock time-outs and a server that ends or starts pass by themselves.

    So does a full disk (class 53, and 58030 where the system calls it an input error) and a password that is being
    changed (class 28): no message is to blame for it.
    What went past SQLAlchemy (COPY and the hot statements) comes as the driver's own exception, a lost connection too.
    """
    if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError):
        return True
    source = error.orig if isinstance(error, DBAPIError) else error
    state = str(getattr(source, "sqlstate", ""))
    return state[:2] in {"08", "28", "53"} or state in _PASSING


def _code(error: Exception) -> str:
    return "contract_broken" if isinstance(error, ContractBroken) else "refused"


def _demand_fetching(kafka: AIOKafkaConsumer) -> None:
    """Raise when nothing fetches any more: aiokafka then answers "nothing new" for ever (its issue 1038)."""
    if kafka._fetcher.error_future.done():  # noqa: SLF001 - it tells nobody else
        raise KafkaError("the task that fetches has ended")


async def _leave(kafka: AIOKafkaConsumer) -> None:
    """Leave the group and close; a dead fetcher keeps `stop` from closing the connections."""
    try:
        async with asyncio.timeout(10):
            await kafka.stop()
    except (TimeoutError, KafkaError):
        log.warning("consumer_stop_gave_up")
        await kafka._client.close()  # noqa: SLF001
