"""P12: from the commit in one service to the effect in the next one's database, both as processes, with real events.

Deaths of known persons are reported at the registry; disbursement holds what it pays them. Times are PostgreSQL's own
commit times of the event's row and of the row that the other service wrote for it.
"""

import json
from collections.abc import AsyncIterator, Iterator
from statistics import median
from time import perf_counter
from typing import Any

import asyncpg
import callers
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from kit.events import topics
from kit.events.schemas import Contracts
from kit.ids import new_id
from kit.testing import eventually
from measure import Benchmark, Figure, Goal, Pair, demand, percentile
from rig import Address, Rig, prefix
from stack.places import CONTRACTS

CALLERS = 32
LIFE = "org.santun.registry.person.life_changed.v1"
_COMMITTED = "SELECT id, pg_xact_commit_timestamp(xmin) AS at FROM outbox WHERE type = $1 AND pos > $2"
_APPLIED = "SELECT event_id, pg_xact_commit_timestamp(xmin) AS at FROM inbox WHERE event_id = ANY($1)"


class Street:
    """Registry and disbursement side by side, and persons who are still alive."""

    def __init__(self, rig: Rig, registry: Address, here: asyncpg.Connection, there: asyncpg.Connection) -> None:
        self.rig, self.registry, self.here, self.there = rig, registry, here, there
        self.token = rig.token("op_kab", regions=["32.76"])
        self.alive: Iterator[Any] = iter(())

    async def settle(self, persons: int) -> None:
        """Register so many persons."""
        people = iter(range(persons))
        body = {"sex": "L", "birth_date": "1950-02-03", "region_code": "32.76.03.1001", "reason": "lain orang"}

        def request() -> bytes | None:
            number = next(people, None)
            if number is None:
                return None
            named = {**body, "name": f"Warga Contoh {number}", "id": str(new_id())}
            return callers.post("/v1/persons", self.token, json.dumps(named).encode())

        load = await callers.closed(self.registry.port, request, connections=16, seconds=600)
        demand(set(load.statuses) == {201}, "persons are registered", load.statuses)
        self.alive = iter(await self.here.fetch("SELECT id FROM person ORDER BY id"))

    def death(self) -> bytes | None:
        """The report of one more death."""
        person = next(self.alive, None)
        if person is None:
            return None
        report = {
            "source": "rt", "died_on": "2026-01-05", "region_code": "32.76.03.1001", "person_id": str(person["id"]),
        }  # fmt: skip
        return callers.post("/v1/deaths", self.token, json.dumps(report).encode())

    async def lags(self, since: int, expected: int) -> list[float]:
        """Milliseconds from commit to effect of every report after a position; waits until all have their effect."""
        told = {row["id"]: row["at"] for row in await self.here.fetch(_COMMITTED, LIFE, since)}
        demand(len(told) == expected, "each report is told once", len(told), expected)
        applied: dict[Any, Any] = {}

        async def all_applied() -> bool:
            applied.update({r["event_id"]: r["at"] for r in await self.there.fetch(_APPLIED, list(told))})
            return len(applied) == len(told)

        await eventually(all_applied, within=60)
        return [(applied[id] - at).total_seconds() * 1e3 for id, at in told.items()]

    async def last(self) -> int:
        """The position of the newest event."""
        return int(await self.here.fetchval("SELECT coalesce(max(pos), 0) FROM outbox"))


async def _floor(rig: Rig, topic: str, sql: asyncpg.Connection, times: int = 40) -> float:
    """Milliseconds of two commits and one message through Kafka, one after another, with nothing else."""
    producer = AIOKafkaProducer(bootstrap_servers=rig.parts.bootstrap, acks="all", enable_idempotence=True, linger_ms=0)
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=rig.parts.bootstrap, auto_offset_reset="latest")
    await producer.start()
    await consumer.start()
    try:
        await consumer.seek_to_end()
        taken = []
        for _ in range(times):
            started = perf_counter()
            await sql.execute("INSERT INTO bench_commit VALUES (1)")
            await producer.send_and_wait(topic, b"x", partition=0)
            await consumer.getone()
            await sql.execute("INSERT INTO bench_commit VALUES (1)")
            taken.append(perf_counter() - started)
        return median(taken) * 1e3
    finally:
        await producer.stop()
        await consumer.stop()


async def run(rig: Rig) -> AsyncIterator[Pair]:
    """The floor, saturation, and half of it, round after round."""
    before, seconds = prefix(), rig.size.seconds
    await rig.kafka()
    await topics.create({"bootstrap_servers": rig.parts.bootstrap}, Contracts(CONTRACTS), prefix=before)
    async with (
        rig.service("registry", "all", topic_prefix=before) as registry,
        rig.service("disbursement", "all", topic_prefix=before) as disbursement,
    ):
        here, there = await rig.connect(registry.database), await rig.connect(disbursement.database)
        try:
            await here.execute("CREATE TABLE bench_commit (n int)")
            street = Street(rig, registry, here, there)
            await street.settle(int(rig.size.rounds * seconds * 250))
            for _ in range(rig.size.rounds):
                floor = await _floor(rig, f"{before}registry.import", here)
                since = await street.last()
                full = await callers.closed(registry.port, street.death, connections=CALLERS, seconds=seconds)
                demand(set(full.statuses) == {201}, "reports are taken", full.statuses)
                crowded = await street.lags(since, len(full.latencies))
                since = await street.last()
                half = await callers.paced(
                    registry.port, street.death, connections=CALLERS, seconds=seconds, rate=full.rate / 2
                )
                demand(set(half.statuses) == {201}, "reports are taken", half.statuses)
                calm = await street.lags(since, len(half.latencies))
                yield Pair("P12 p50", percentile(calm, 0.5), floor)
                yield Pair("P12 p99", percentile(calm, 0.99), floor)
                yield Pair("P12 crowded", percentile(crowded, 0.99), floor)
        finally:
            await here.close()
            await there.close()


_LIMIT = "two commits and one message through Kafka, measured alone"
BENCHMARK = Benchmark(
    (
        Figure("P12 p50", "commit in the registry to effect in disbursement, at half of the load it can take; median", "ms", _LIMIT, Goal(at_most=15, of="measured", unit="ms")),
        Figure("P12 p99", "the same, slowest hundredth", "ms", _LIMIT, Goal(at_most=75, of="measured", unit="ms")),
        Figure("P12 crowded", "the same with 32 callers who never wait, slowest hundredth", "ms", _LIMIT, Goal(at_most=400, of="measured", unit="ms")),
    ),
    run,
)  # fmt: skip
