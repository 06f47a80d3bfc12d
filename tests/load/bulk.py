"""P3: a set-based command writes rows and one event for each, beside raw COPY of the very same rows and events."""

from collections.abc import AsyncIterator
from time import perf_counter

from kit.auth.actor import Actor
from kit.db.uow import Line
from kit.ids import new_id
from measure import Benchmark, Figure, Goal, Pair, demand
from rig import Rig, Sample

TABLES = ("thing", "outbox")
_INSERT = """
INSERT INTO thing (id, region_code, amount_idr, seq)
SELECT i, '32.76.03', a, 1 FROM unnest($1::uuid[], $2::bigint[]) AS line(i, a)
"""
CHUNKS = {"P3": 1_000, "P3 chunk": 5_000}


async def _ours(sample: Sample, rows: int, chunk: int) -> float:
    """Seconds for the rows through the unit of work: rows, events (checked against the contract), commit, chunk by chunk."""
    chunks = []
    for start in range(0, rows, chunk):
        things = [(new_id(), number) for number in range(start, min(start + chunk, rows))]
        lines = [Line(id, 1, {"thing_id": str(id), "amount_idr": amount}) for id, amount in things]
        chunks.append(([id for id, _ in things], [amount for _, amount in things], lines))
    started = perf_counter()
    for ids, amounts, lines in chunks:
        async with sample.runtime.begin(Actor.system("bench")) as uow:
            await (await uow.driver()).execute(_INSERT, ids, amounts)
            await uow.announce_many("thing.changed", lines)
    return perf_counter() - started


async def run(rig: Rig) -> AsyncIterator[Pair]:
    """Chunks of 1,000, chunks of 5,000, and the copy of what they wrote, round after round."""
    rows = max(10_000, rig.size.rows // 2)
    async with rig.sample(kafka=False) as sample:
        await _ours(sample, 2_000, 1_000)
        for _ in range(rig.size.rounds):
            for figure, chunk in CHUNKS.items():
                await sample.sql.execute(f"TRUNCATE {', '.join(TABLES)}")
                seconds = await _ours(sample, rows, chunk)
                told = await sample.sql.fetchval("SELECT count(*) FROM outbox JOIN thing ON thing.id = outbox.key")
                demand(told == rows == await sample.count("thing"), "one event for each row", told, rows)
                yield Pair(figure, rows / seconds, rows / await sample.copied(*TABLES))


BENCHMARK = Benchmark(
    (
        Figure("P3", "rows with one event each, in transactions of 1,000", "rows/s", "raw COPY (CSV) of both tables in one transaction", Goal(at_least=0.70)),
        Figure("P3 chunk", "the same in transactions of 5,000", "rows/s", "the same COPY", Goal(at_least=0.90)),
    ),
    run,
)  # fmt: skip
