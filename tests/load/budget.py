"""P10: sixteen clerks reserve money at once, all on one budget line, beside the same on many lines."""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import count
from time import perf_counter
from uuid import UUID

from disbursement.app import SERVICE
from disbursement.budget import commands
from disbursement.budget.domain import NewLine
from disbursement.ledger.rules import Account
from kit.auth.actor import Actor
from kit.ids import new_id
from kit.runtime import Runtime
from kit.settings import load
from measure import Benchmark, Figure, Goal, Pair, demand
from rig import Rig

CLERKS = 16
CEILING = 10**12
AMOUNT = 1_000
ROLES = frozenset({"bendahara", "bpkad", "kadis"})
TREASURER = Actor(sub="bench", client="bench", roles=ROLES, regions=("32.76",))
_RESERVED = (
    "SELECT coalesce(-sum(balance_idr), 0)::bigint FROM account_balance WHERE account = $1 AND budget_line_id = ANY($2)"
)


async def _line(runtime: Runtime, number: int) -> UUID:
    """A budget line in force."""
    async with runtime.begin(TREASURER, origin="api") as uow:
        new = NewLine(
            fiscal_year=2026, unit="1.06.01", programme_code="1.06.05", activity_code=f"1.06.05.{number:04}",
            sub_activity_code="1.06.05.2.01", account_code="5.1.05.01", funding_source="pad", pagu_idr=CEILING,
        )  # fmt: skip
        row = await commands.draft(uow, new)
        await commands.open_line(uow, row.id, row.version)
        return row.id


async def _rate(runtime: Runtime, line: Callable[[], UUID], seconds: float) -> tuple[int, float]:
    """Reservations made by all clerks, and seconds taken."""
    done, started = 0, perf_counter()

    async def clerk() -> None:
        nonlocal done
        while perf_counter() - started < seconds:
            async with runtime.begin(TREASURER, origin="api") as uow:
                made = await commands.reserve(
                    uow, line(), AMOUNT, source_type="decree", source_id=new_id(), step="reserve"
                )
            demand(made, "a new source reserves")
            done += 1

    await asyncio.gather(*(clerk() for _ in range(CLERKS)))
    return done, perf_counter() - started


async def run(rig: Rig) -> AsyncIterator[Pair]:
    """One line, then many lines, round after round."""
    async with rig.database("disbursement") as database:
        url = rig.parts.app_url(database, "disbursement")
        runtime = SERVICE.runtime(load(SERVICE.settings, profile="test", database_url=url, database_pool_size=CLERKS))
        sql = await rig.connect(database)
        try:
            lines = [await _line(runtime, number) for number in range(200 if rig.size.full else 50)]
            hot, numbers, total = lines[0], count(), 0
            for _ in range(rig.size.rounds):
                one, took = await _rate(runtime, lambda: hot, rig.size.seconds)
                many, taken = await _rate(
                    runtime, lambda: lines[1 + next(numbers) % (len(lines) - 1)], rig.size.seconds
                )
                total += one + many
                yield Pair("P10", one / took, many / taken)
            reserved = await sql.fetchval(_RESERVED, Account.RESERVED.value, lines)
            demand(reserved == total * AMOUNT, "every reservation stands in the ledger", reserved, total * AMOUNT)
        finally:
            await sql.close()
            await runtime.close()


BENCHMARK = Benchmark(
    (Figure("P10", "reservations on one budget line; 16 clerks", "tx/s", "the same on many budget lines", Goal(at_least=0.90)),),
    run,
)  # fmt: skip
