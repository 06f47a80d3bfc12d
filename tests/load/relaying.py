"""P6 and P7: the relay. How fast it drains an outbox to Kafka, and what a poll costs however much is retained."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from statistics import median
from time import perf_counter
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from kit.events.relay import Relay
from measure import Benchmark, Figure, Goal, Pair, demand
from rig import Rig, Sample, wal

PER_TRANSACTION = 500
POLLS = 200
RETAINED = 70_000
FEW = 10

_FILL = """
INSERT INTO outbox (topic, key, type, sequence, headers, payload)
SELECT $1, id, 'org.santun.sample.thing.changed.v1', 1,
       jsonb_build_object('time', '2026-01-05T02:03:04.567890Z', 'correlationid', md5(id::text),
                          'traceparent', '00-' || md5(id::text) || '-0123456789abcdef-01'),
       jsonb_build_object('thing_id', id, 'amount_idr', 2000000, 'region', '32.76.03', 'programme', 'lansia',
                          'state', 'approved', 'period', '2026-01', 'facts_version', 7)
  FROM (SELECT uuidv7() AS id FROM generate_series(1, $2)) AS made
"""
_ALL = """
SELECT pos, xid::text AS xid, id, topic, key, type, sequence, headers::text AS headers, payload::text AS payload, created_at
  FROM outbox ORDER BY pos
"""
_BATCH = 1_000


def relay_of(sample: Sample) -> Relay:
    """The relay of the small service, as its process has it."""
    settings = sample.runtime.settings
    url = settings.database_url.get_secret_value()
    return Relay(database_url=url, kafka=settings.kafka(), contracts=sample.runtime.contracts, service="sample")


async def fill(sample: Sample, rows: int, each: int = PER_TRANSACTION) -> None:
    """Put events into the outbox, a few hundred to a transaction."""
    for start in range(0, rows, each):
        await sample.sql.execute(_FILL, sample.runtime.topic("sample.thing"), min(each, rows - start))


async def offsets(sample: Sample) -> int:
    """How many messages lie in the topic."""
    consumer = AIOKafkaConsumer(bootstrap_servers=sample.runtime.settings.kafka_bootstrap)
    await consumer.start()
    try:
        topic = sample.runtime.topic("sample.thing")
        places = [
            TopicPartition(topic, part) for part in range(sample.runtime.contracts.topics["sample.thing"].partitions)
        ]
        return sum((await consumer.end_offsets(places)).values())
    finally:
        await consumer.stop()


async def _read(sample: Sample) -> tuple[float, list[Sequence[Any]]]:
    """A bare read of the whole outbox through one cursor: seconds, and the rows in their batches."""
    batches: list[Sequence[Any]] = []
    async with sample.sql.transaction(readonly=True):
        started = perf_counter()
        cursor = await sample.sql.cursor(_ALL)
        while batch := await cursor.fetch(_BATCH):
            batches.append(batch)
        return perf_counter() - started, batches


async def _sent(relay: Relay, batches: Sequence[Sequence[Any]]) -> float:
    """Seconds to put ready-made messages into batches and send these, with the relay's own producer and nothing else."""
    producer = await relay._producer()
    try:
        made = [_made(relay, batch) for batch in batches]
        parts = sorted(await producer.partitions_for(batches[0][0]["topic"]))
        started = perf_counter()
        for batch in made:
            builders = [(part, producer.create_batch()) for part in parts]
            for number, message in enumerate(batch):
                demand(builders[number % len(parts)][1].append(**message) is not None, "a batch holds its messages")
            waiting = [await producer.send_batch(b, batches[0][0]["topic"], partition=part) for part, b in builders]
            await asyncio.gather(*waiting)
        return perf_counter() - started
    finally:
        await producer.stop()


def _made(relay: Relay, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """The messages of rows, byte for byte as the relay makes them."""
    return [
        {
            "timestamp": None, "key": str(row["key"]).encode(), "value": row["payload"].encode(),
            "headers": relay._headers(row, str(row["key"])),
        }
        for row in rows
    ]  # fmt: skip


async def drain(rig: Rig) -> AsyncIterator[Pair]:
    """Read alone, send alone, and the relay doing both, round after round over the same rows."""
    rows = rig.size.rows
    async with rig.sample() as sample:
        relay = relay_of(sample)
        await fill(sample, rows)
        await sample.sql.execute("ANALYZE outbox")
        for _ in range(rig.size.rounds):
            reading, batches = await _read(sample)
            sending = await _sent(relay, batches)
            del batches
            await sample.sql.execute("DELETE FROM relay_cursor")
            before, written = await offsets(sample), await wal(sample.sql)
            started = perf_counter()
            sent = await relay.once()
            seconds = perf_counter() - started
            written = await wal(sample.sql) - written
            arrived = await offsets(sample) - before
            demand(sent == rows == arrived, "every row was sent once", sent, arrived, rows)
            yield Pair("P6", rows / seconds, rows / max(reading, sending))
            yield Pair("P6 log", written / rows)


async def poll(rig: Rig) -> AsyncIterator[Pair]:
    """An idle poll (something else was committed) on a small outbox and on a large one, in turn."""
    async with rig.sample() as small, rig.sample() as large:
        for sample, rows in ((small, RETAINED), (large, rig.size.retained)):
            await fill(sample, rows, 5_000)
            await sample.sql.execute("ANALYZE outbox")
            await sample.sql.execute(
                "INSERT INTO relay_cursor (name, snapshot) VALUES ('relay', pg_current_snapshot()::text)"
            )
        for _ in range(rig.size.rounds):
            costs = [await _polls(sample) for sample in (small, large)]
            yield Pair("P7", costs[1] * 1e3, costs[0] * 1e3)
            yield Pair("P7 idle", costs[1] * 1e3)
        for sample in (small, large):
            await fill(sample, FEW)
            sent = await relay_of(sample).once()
            demand(sent == FEW, "the poll finds what is new and nothing else", sent)


async def _polls(sample: Sample) -> float:
    """The median seconds of a poll after which nothing is found; before each one something else is committed."""
    relay = relay_of(sample)
    connection = await relay._connect()
    producer = await relay._producer()
    try:
        taken = []
        for _ in range(POLLS):
            await sample.sql.execute("SELECT pg_current_xact_id()")
            started = perf_counter()
            demand(await relay._round(connection, producer) == 0, "nothing is new")
            taken.append(perf_counter() - started)
        return median(taken)
    finally:
        await producer.stop()
        await connection.close()


DRAIN = Benchmark(
    (
        Figure("P6", "the relay drains an outbox to Kafka", "events/s", "the slower of: a bare read through one cursor; sending ready-made batches", Goal(at_least=0.60)),
        Figure("P6 log", "write-ahead log that draining costs", "B/event", "", Goal(at_most=1.0, of="measured", unit="B")),
    ),
    drain,
)  # fmt: skip
POLL = Benchmark(
    (
        Figure("P7", "an idle poll of the relay with millions of events retained", "ms", "the same poll with 70,000 retained", Goal(at_most=2.0)),
        Figure("P7 idle", "the same poll in itself", "ms", "", Goal(at_most=1.0, of="measured", unit="ms")),
    ),
    poll,
)  # fmt: skip
