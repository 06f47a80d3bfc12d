"""P8: a consumer takes events in from Kafka, a tenth of them twice, each effect once; beside COPY of what it wrote."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from time import perf_counter

import relaying
from kit.db.uow import UnitOfWork
from kit.events.consumer import Consumer, Handlers, Together
from kit.events.envelope import Event
from measure import Benchmark, Figure, Goal, Pair, demand
from rig import Rig, Sample
from shop import SAMPLE

TABLES = ("inbox", "effect")
_EFFECTS = "INSERT INTO effect SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[])"
_SPAN = "SELECT count(*), extract(epoch FROM max(received_at) - min(received_at))::float8 FROM inbox"


async def _apply(uow: UnitOfWork, events: Sequence[Event]) -> None:
    """The effect of the small service, of many events with one statement."""
    ids, keys, numbers = [e.id for e in events], [e.key for e in events], [e.sequence for e in events]
    await (await uow.driver()).execute(_EFFECTS, ids, keys, numbers)


TOGETHER: Handlers = dict.fromkeys(SAMPLE.handlers, Together(_apply))


async def _rate(sample: Sample, handlers: Handlers, enough: int, group: str) -> float:
    """Events a second, from the first transaction to the last, of a consumer that begins a topic from its beginning."""
    await sample.sql.execute("TRUNCATE inbox, effect, stream_position")
    consumer = Consumer(sample.runtime, handlers, group=sample.runtime.topic(group))
    stop = asyncio.Event()
    running = asyncio.create_task(consumer.run(stop))
    limit = perf_counter() + 300
    try:
        while await sample.count("inbox") < enough:
            demand(perf_counter() < limit, "the consumer keeps going")
            await asyncio.sleep(0.3)
    finally:
        stop.set()
        await running
    count, seconds = await sample.sql.fetchrow(_SPAN)
    effects = await sample.sql.fetchval("SELECT count(DISTINCT event_id) FROM effect")
    demand(count >= enough, "all were taken in", count, enough)
    demand(count == effects == await sample.count("effect"), "one effect for each event", count, effects)
    demand(await sample.count("parked") == 0, "nothing was parked")
    return float(count / seconds)


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
            alone = await _rate(sample, SAMPLE.handlers, unique // 20, f"alone-{number}")
            together = await _rate(sample, TOGETHER, unique, f"together-{number}")
            demand(await sample.count("inbox") == unique, "each event once, however often it came")
            yield Pair("P8 factor", together, alone)
            yield Pair("P8", together, unique / await sample.copied(*TABLES))


BENCHMARK = Benchmark(
    (
        Figure("P8", "events taken in from Kafka and applied once, a tenth of them sent twice", "events/s", "raw COPY of the inbox and the effects", Goal(at_least=0.50)),
        Figure("P8 factor", "the same", "events/s", "a handler that takes events one by one", Goal(at_least=15)),
    ),
    run,
)  # fmt: skip
