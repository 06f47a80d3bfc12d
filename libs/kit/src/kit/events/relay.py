"""The relay: reads the outbox by snapshot difference and publishes in order; the only publisher of a service.

One relay per service, elected by an advisory lock on its own connection. Its cursor is a snapshot, stored after the
broker's acknowledgements: a crash in between sends again, and the consumers' inbox eats the repetition. Measured
alternatives lost or reordered events (performance.md B5).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any

import asyncpg
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from kit.db.engine import LOST, SILENCE_SECONDS
from kit.events.envelope import encode, headers_of, of_row, of_type
from kit.events.schemas import Contracts
from kit.failpoints import failpoint
from kit.metrics import relay_lag_seconds, relay_published

log = structlog.get_logger()

BATCH = 1_000
"""Rows fetched and in flight at once."""
POLL_SECONDS = 0.05
IDLE_SECONDS = 0.4
"""The pause between two looks doubles after each that found nothing, up to this one (or stays what was asked for)."""
SEND_TIMEOUT = 30
_LOCK = 4_721_002

_NEW = """
WITH b AS MATERIALIZED (
    SELECT pos, id, topic, key, type, sequence, headers, payload, created_at FROM outbox
     WHERE xid >= $1::text::xid8 AND xid < $2::text::xid8 AND pg_visible_in_snapshot(xid, $3::text::pg_snapshot)
    UNION ALL
    SELECT pos, id, topic, key, type, sequence, headers, payload, created_at FROM outbox
     WHERE xid = ANY($4::text[]::xid8[]) AND pg_visible_in_snapshot(xid, $3::text::pg_snapshot))
SELECT pos, id, topic, key, type, sequence, headers::text AS headers, payload::text AS payload, created_at FROM b ORDER BY pos
"""
_SINCE = """
SELECT pos, id, topic, key, type, sequence, headers::text AS headers, payload::text AS payload, created_at
  FROM outbox WHERE created_at >= $1 AND created_at <= $2 ORDER BY pos
"""
_WHERE = (
    "SELECT (SELECT snapshot FROM relay_cursor WHERE name = 'relay') AS stored, pg_current_snapshot()::text AS current"
)
_STORE = """
INSERT INTO relay_cursor (name, snapshot) VALUES ('relay', $1)
ON CONFLICT (name) DO UPDATE SET snapshot = excluded.snapshot, updated_at = now()
"""
Target = tuple[str, int]
"""A topic and one of its partitions."""
BEGINNING = "3:3:"
"""A snapshot before every transaction: everything retained is new."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`xmin:xmax:xip,...` as PostgreSQL writes it."""

    text: str
    xmax: str
    running: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Snapshot":
        """Read the text form of pg_snapshot."""
        _, xmax, running = text.split(":")
        return cls(text, xmax, tuple(x for x in running.split(",") if x))


class Relay:
    """Publishes one service's outbox to Kafka until told to stop."""

    def __init__(
        self,
        *,
        database_url: str,
        kafka: Mapping[str, Any],
        contracts: Contracts,
        service: str,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._database_url = database_url
        self._kafka = kafka
        self._contracts = contracts
        self._service = service
        self._poll_seconds = poll_seconds
        self._wake = asyncio.Event()
        self._partitioner = DefaultPartitioner()
        self._common: dict[str, list[tuple[str, bytes]]] = {}
        self.leader = False
        self.last_round = monotonic()

    def wake(self) -> None:
        """Say that something was committed, so that the next poll comes at once."""
        self._wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Publish until `stop`; every failure of the database or the broker is retried with growing pauses."""
        pause = 0.2
        while not stop.is_set():
            try:
                await self._lead(stop)
                pause = 0.2
            except (KafkaError, *LOST) as lost:
                log.warning("relay_interrupted", error=type(lost).__name__, retry_in=pause)
            self.leader = False
            await wait(stop, pause)
            pause = min(pause * 2, 5.0)

    async def once(self) -> int:
        """Publish all that is committed now and return how many events went out (tests, replay, drain)."""
        connection = await self._connect()
        producer = await self._producer()
        try:
            return await self._round(connection, producer)
        finally:
            await _bounded(producer.stop())
            await connection.close()

    async def replay(self, since: datetime, until: datetime) -> int:
        """Publish again, with the same ids, every retained event committed between the two times."""
        connection = await self._connect()
        producer = await self._producer()
        try:
            return await self._publish(producer, _stream(connection, _SINCE, since, until))
        finally:
            await _bounded(producer.stop())
            await connection.close()

    async def _connect(self) -> asyncpg.Connection:
        name = {"application_name": f"{self._service}-relay"}
        return await asyncpg.connect(
            self._database_url, timeout=5, command_timeout=SILENCE_SECONDS, server_settings=name
        )

    async def _lead(self, stop: asyncio.Event) -> None:
        """Hold the lock and publish round after round; ends when the lock's connection is lost or `stop` is set."""
        connection = await self._connect()
        try:
            while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
                self.last_round = monotonic()
                if await wait(stop, 1.0):
                    return
            producer = await self._producer()
            self.leader = True
            try:
                pause = self._poll_seconds
                while not stop.is_set():
                    self._wake.clear()  # before the round: who commits during it calls for another one
                    sent = await self._round(connection, producer)
                    self.last_round = monotonic()
                    if not sent:
                        await _first(self._wake, stop, pause)
                    pause = self._poll_seconds if sent else max(self._poll_seconds, min(2 * pause, IDLE_SECONDS))
                await self._round(connection, producer)
            finally:
                await _bounded(producer.stop())
        finally:
            await _bounded(connection.close())

    async def _round(self, connection: asyncpg.Connection, producer: AIOKafkaProducer) -> int:
        stored, current = await connection.fetchrow(_WHERE)
        before, now = Snapshot.parse(stored or BEGINNING), Snapshot.parse(current)
        if now.text == before.text:
            return 0
        anew = int(before.xmax) > int(now.xmax)
        if anew:
            # The database came back from a dump: transactions are counted from the beginning, and a cursor of the old
            # count would hide every new event until the count gets there.
            log.warning("relay_cursor_of_another_server")
            before = Snapshot.parse(BEGINNING)
        rows = _stream(connection, _NEW, before.xmax, now.xmax, now.text, list(before.running))
        sent = await self._publish(producer, rows)
        failpoint("relay.after_ack")
        if anew or sent or int(now.xmax) - int(before.xmax) > BATCH:
            await connection.execute(_STORE, now.text)
            failpoint("relay.after_cursor")
        return sent

    async def _publish(self, producer: AIOKafkaProducer, rows: AsyncIterator[Sequence[asyncpg.Record]]) -> int:
        """Send batch after batch. While the broker acknowledges one the next is read and packed, but not sent.

        If a batch is refused, nothing of a later one may lie in a topic before it.
        """
        sent = 0
        under_way: asyncio.Task[None] | None = None
        try:
            async for batch in rows:
                failpoint("relay.after_read")
                packed = await self._pack(producer, batch)
                if under_way is not None:
                    await under_way
                under_way = asyncio.create_task(self._send(producer, packed))
                sent += len(batch)
                relay_published.inc(len(batch))
                relay_lag_seconds.set(
                    (datetime.now(batch[-1]["created_at"].tzinfo) - batch[-1]["created_at"]).total_seconds()
                )
            if under_way is not None:
                await under_way
        finally:
            if under_way is not None:
                under_way.cancel()
        return sent

    async def _pack(self, producer: AIOKafkaProducer, rows: Sequence[asyncpg.Record]) -> list[tuple[Target, Any]]:
        """The rows as full batches of their partitions, in order."""
        partitions = {topic: await self._partitions(producer, topic) for topic in {row["topic"] for row in rows}}
        builders: dict[Target, Any] = {}
        full: list[tuple[Target, Any]] = []
        for row in rows:
            key = str(row["key"])
            known = partitions[row["topic"]]
            target = (row["topic"], self._partitioner(key.encode(), known, known))
            builder = builders.get(target)
            if builder is None:
                builder = builders[target] = producer.create_batch()
            message = {
                "timestamp": None, "key": key.encode(), "value": row["payload"].encode(), "headers": self._headers(row, key),
            }  # fmt: skip
            if builder.append(**message) is None:
                # A full batch refuses silently: put it aside and start another (ignoring this lost 46 of 25,000).
                full.append((target, builder))
                builder = builders[target] = producer.create_batch()
                if builder.append(**message) is None:
                    raise ValueError(f"event {row['id']} does not fit an empty batch")
        return [*full, *builders.items()]

    async def _send(self, producer: AIOKafkaProducer, packed: Sequence[tuple[Target, Any]]) -> None:
        """Send batches in order and wait until the broker has acknowledged every one."""
        waiting: list[asyncio.Future[Any]] = []
        async with asyncio.timeout(SEND_TIMEOUT):
            for (topic, partition), builder in packed:
                waiting.append(await producer.send_batch(builder, topic, partition=partition))
                failpoint("relay.after_some_sent")
            await asyncio.gather(*waiting)

    async def _partitions(self, producer: AIOKafkaProducer, topic: str) -> list[int]:
        found = await producer.partitions_for(topic)
        if not found:
            raise ConnectionError(f"topic {topic} does not exist")
        return sorted(found)

    def _headers(self, row: asyncpg.Record, key: str) -> list[tuple[str, bytes]]:
        """The envelope of a row; what events of one type share is made once."""
        common = self._common.get(row["type"])
        if common is None:
            contract = self._contracts.of_type(row["type"])
            shared = of_type(
                source=f"/{self._service}", type=row["type"], schema=contract.schema_urn if contract else "",
                classification=contract.classification if contract else "restricted",
            )  # fmt: skip
            common = self._common[row["type"]] = encode(shared)
        own = of_row(id=str(row["id"]), key=key, sequence=row["sequence"], headers=json.loads(row["headers"]))
        return [*common, *headers_of(own)]

    async def _producer(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **self._kafka,
            client_id=f"{self._service}-relay",
            acks="all",
            enable_idempotence=True,
            compression_type="gzip",
            max_batch_size=256 * 1024,
            max_request_size=4 * 1024 * 1024,
            linger_ms=0,
            request_timeout_ms=10_000,
        )
        async with asyncio.timeout(15):
            await producer.start()
        return producer


async def _stream(connection: asyncpg.Connection, query: str, *args: Any) -> AsyncIterator[Sequence[asyncpg.Record]]:
    """Rows in batches through a server-side cursor: one transaction may have written a million."""
    async with connection.transaction(readonly=True):
        cursor = await connection.cursor(query, *args)
        while batch := await cursor.fetch(BATCH):
            yield batch


async def wait(stop: asyncio.Event, seconds: float) -> bool:
    """Wait, at most so long; True when told to stop."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return False
    return True


async def _first(wake: asyncio.Event, stop: asyncio.Event, seconds: float) -> None:
    """Wait for either event, at most so long."""
    waits = [asyncio.ensure_future(wake.wait()), asyncio.ensure_future(stop.wait())]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for waiting in waits:
            waiting.cancel()


async def _bounded(closing: Any) -> None:
    """Close something that is known to hang when its server is gone (aiokafka #1101)."""
    try:
        async with asyncio.timeout(5):
            await closing
    except LOST as lost:
        log.warning("close_gave_up", error=type(lost).__name__)
