"""P11: what the audit trail costs a command, sealed every second beside it; and how fast a trail is verified."""

import asyncio
from collections.abc import AsyncIterator
from time import perf_counter

from kit.auth.actor import Actor
from kit.db import audit, audit_verify
from kit.runtime import Runtime
from measure import Benchmark, Figure, Goal, Pair, demand
from rig import Rig, Sample
from shop import Thing

WRITERS = 8
_ENTRIES = """
INSERT INTO audit (business_at, actor, client, command, outcome, aggregate, aggregate_id, version, before, after)
SELECT now(), 'bench', 'bench', 'change', 'done', 'thing', uuidv7(), 1, '{"state": "draft"}', '{"state": "open"}'
  FROM generate_series(1, $1)
"""


async def _write(runtime: Runtime, *, audited: bool) -> None:
    async with runtime.begin(Actor.system("bench"), origin="api") as uow:
        row = Thing(amount_idr=1)
        await uow.save(row)
        await uow.announce(row, "thing.changed", {"thing_id": str(row.id), "amount_idr": 1})
        if audited:
            await uow.audit("create", "thing", row, after={"amount_idr": 1})


async def _rate(runtime: Runtime, seconds: float, *, audited: bool) -> tuple[int, float]:
    """Commands a second of several writers; with audit the sealer works beside them."""
    done, started = 0, perf_counter()

    async def writer() -> None:
        nonlocal done
        while perf_counter() - started < seconds:
            await _write(runtime, audited=audited)
            done += 1

    async def sealer() -> None:
        while perf_counter() - started < seconds:
            await asyncio.sleep(1)
            await audit.seal(runtime)

    await asyncio.gather(*(writer() for _ in range(WRITERS)), *([sealer()] if audited else []))
    return done, done / (perf_counter() - started)


async def _verified(sample: Sample, entries: int) -> float:
    """Entries verified a second, of the sealed trail as an auditor has it."""
    lines = await audit.export(sample.runtime)
    started = perf_counter()
    faults = audit_verify.verify(lines)
    seconds = perf_counter() - started
    demand(faults == [], "the chain holds", *faults[:3])
    return entries / seconds


async def run(rig: Rig) -> AsyncIterator[Pair]:
    """Without, with, round after round; then the whole trail is verified as often."""
    entries = 0
    async with rig.sample(pool=10, kafka=False) as sample:
        await _rate(sample.runtime, 0.3, audited=False)
        for _ in range(rig.size.rounds):
            _, bare = await _rate(sample.runtime, rig.size.seconds, audited=False)
            made, audited = await _rate(sample.runtime, rig.size.seconds, audited=True)
            entries += made
            yield Pair("P11", audited, bare)
        demand(await sample.count("audit") == entries, "one entry for each command", entries)
        await sample.sql.execute(_ENTRIES, rig.size.rows)
        await audit.seal(sample.runtime)
        entries += rig.size.rows
        sealed = await sample.sql.fetchval("SELECT sum(cardinality(positions)) FROM audit_seal")
        demand(sealed == entries, "every entry is sealed", sealed, entries)
        for _ in range(rig.size.rounds):
            yield Pair("P11 verify", await _verified(sample, entries))


BENCHMARK = Benchmark(
    (
        Figure("P11", "commands with an audit entry, sealed every second", "tx/s", "the same commands without", Goal(at_least=0.80)),
        Figure("P11 verify", "entries of a sealed trail verified", "entries/s", "", Goal(at_least=150_000, of="measured", unit="entries/s")),
    ),
    run,
)  # fmt: skip
