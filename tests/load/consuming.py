"""P8: a consumer takes events in from Kafka, a tenth of them twice, each effect once; beside COPY of what it wrote."""

import asyncio
from collections.abc import AsyncIterator
from time import perf_counter

import relaying
from kit.events.consumer import Consumer
from measure import Benchmark, Figure, Goal, Pair, demand
from rig import Rig, Sample
from shop import SAMPLE

TABLES = ("inbox", "effect")
_SPAN = "SELECT count(*), extract(epoch FROM max(received_at) - min(received_at))::float8 FROM inbox"


async def _consumed(sample: Sample, messages: int, unique: int, group: str) -> float:
    """Seconds from the first transaction to the last one, of a consumer that begins a topic from its beginning."""
    runtime = sample.runtime
    consumer = Consumer(runtime, SAMPLE.handlers, group=runtime.topic(group))
    stop = asyncio.Event()
    running = asyncio.create_task(consumer.run(stop))
    limit = perf_counter() + 300
    try:
        while await sample.count("inbox") < unique:
            demand(perf_counter() < limit, "the consumer keeps going")
            await asyncio.sleep(0.5)
    finally:
        stop.set()
        await running
    count, seconds = await sample.sql.fetchrow(_SPAN)
    effects = await sample.sql.fetchval("SELECT count(DISTINCT event_id) FROM effect")
    demand(
        count == unique == effects == await sample.count("effect"), "one effect for each event", count, effects, unique
    )
    demand(await sample.count("parked") == 0, "nothing was parked", messages)
    return float(seconds)


async def run(rig: Rig) -> AsyncIterator[Pair]:
    """The same topic again and again by a new group, on tables emptied before; then their COPY."""
    unique = rig.size.rows
    async with rig.sample(pool=10) as sample:
        relay = relaying.relay_of(sample)
        await relaying.fill(sample, unique * 9 // 10)
        await relay.once()
        await sample.sql.execute("DELETE FROM relay_cursor")
        await sample.sql.execute("DELETE FROM outbox WHERE pos % 9 <> 0")
        again = await sample.count("outbox")
        await relaying.fill(sample, unique - unique * 9 // 10)
        messages = unique + await relay.once() - (unique - unique * 9 // 10)
        demand(messages == unique + again, "a tenth lies there twice", messages, again)
        for number in range(rig.size.rounds):
            await sample.sql.execute("TRUNCATE inbox, effect, stream_position")
            seconds = await _consumed(sample, messages, unique, f"bench-{number}")
            yield Pair("P8", unique / seconds, unique / await sample.copied(*TABLES))


BENCHMARK = Benchmark(
    (
        Figure("P8", "events taken in from Kafka and applied once, a tenth of them sent twice", "events/s", "raw COPY of the inbox and the effects", Goal(at_least=0.50)),
    ),
    run,
)  # fmt: skip
