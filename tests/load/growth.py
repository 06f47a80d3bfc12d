"""How bulk work grows: each job at several sizes, with statistics fresh and stale, with and without bad lines.

    python tests/load/growth.py --sizes 10000 100000
    python tests/load/growth.py --sizes 10000 100000 1000000 --only payments --json FILE

A plan that flips, a statement that looks at every earlier line, an index on the wrong key: all look harmless at the first
size. The exponent says it: 1 is work that grows as its input, 2 as its square. Jobs: a list of people into an empty
registry, the list again with a tenth of it changed, payments from due rights to the bank's answer.
"""

import argparse
import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import import_people
import page
import payments_million
from import_people import BROKEN, Bench, changed, show
from measure import Figure, Goal, Pair, Series
from stack import backends
from stack.backends import Backends
from stack.running import Running
from stack.synthetic import families, files

MOST = 1.05
SEED = 1


@dataclass(frozen=True, slots=True)
class Variant:
    """The circumstances of a job: what the planner knows, and whether some lines are bad."""

    fresh: bool
    rejects: bool

    @property
    def text(self) -> str:
        """In words."""
        return f"statistics {'fresh' if self.fresh else 'stale'}, {'with' if self.rejects else 'without'} bad lines"


VARIANTS = tuple(Variant(fresh, rejects) for fresh in (True, False) for rejects in (True, False))
Job = Callable[[Backends, int, Variant], AsyncIterator[tuple[str, float]]]
"""Runs a job at a size and tells the seconds of its parts."""


async def people(parts: Backends, size: int, variant: Variant) -> AsyncIterator[tuple[str, float]]:
    """A list of people, and the same list with a tenth of it changed."""
    count = families.families_for(size)

    def lines() -> Iterator[list[str]]:
        broken = BROKEN if variant.rejects else 0.0
        return families.lines(families.families(count, seed=SEED), broken=broken, seed=SEED)

    folder = parts.folder / f"growth-{size}-{variant.fresh}-{variant.rejects}"
    folder.mkdir()
    registry = await Running.start(parts, "registry", {"imports_dir": folder / "imports"})
    try:
        bench = Bench(parts, registry, folder)
        await asyncio.to_thread(files.write_csv, folder / "first.csv", lines())
        await asyncio.to_thread(files.write_csv, folder / "changed.csv", changed(lines(), 10))
        yield "people into an empty registry", await bench.imported("first", folder / "first.csv", date(2026, 1, 1))
        if variant.fresh:
            await _analyze(registry)
        yield "people again, a tenth changed", await bench.imported("again", folder / "changed.csv", date(2026, 1, 2))
    finally:
        await registry.close()


async def payments(parts: Backends, size: int, variant: Variant) -> AsyncIterator[tuple[str, float]]:
    """Payments from due rights to the bank's answer; the planning of messages is left out."""
    given = argparse.Namespace(
        plan=1, statements=False, rounds=1, stale=not variant.fresh, rejected_each=50 if variant.rejects else size + 1
    )
    yield "payments", (await payments_million.run(parts, size, given)).money


JOBS: dict[str, Job] = {"people": people, "payments": payments}


async def _analyze(running: Running) -> None:
    connection = await asyncpg.connect(running.parts.postgres.url(running.database))
    await connection.execute("ANALYZE")
    await connection.close()


async def measure(
    parts: Backends, sizes: Sequence[int], jobs: Sequence[str], keep: Callable[[list[dict[str, Any]]], None]
) -> None:
    """Every job in every variant at every size; after each variant all rows so far are kept, a row for each job and variant."""
    connection = await asyncpg.connect((await asyncio.to_thread(lambda: parts.postgres)).url())
    await connection.execute("ALTER SYSTEM SET autovacuum = off")  # what the planner knows is decided here alone
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()
    rows: list[dict[str, Any]] = []
    for job in jobs:
        for variant in VARIANTS:
            seconds: dict[str, list[float]] = {}
            for size in sizes:
                async for part, took in JOBS[job](parts, size, variant):
                    seconds.setdefault(part, []).append(took)
                    show(f"{part}, {variant.text}: {size:,} in {took:.2f} s")
            found = [row(part, variant, sizes, took) for part, took in seconds.items()]
            for one in found:
                show(page.say(one))
            rows += found
            keep(rows)


def row(part: str, variant: Variant, sizes: Sequence[int], seconds: Sequence[float]) -> dict[str, Any]:
    """The worst exponent between two neighbouring sizes, as a row of the table."""
    steps = zip(sizes, sizes[1:], seconds, seconds[1:], strict=False)
    grown = max(math.log(took / before) / math.log(size / smaller) for smaller, size, before, took in steps)
    each = ", ".join(f"{size:,}: {took:.1f} s" for size, took in zip(sizes, seconds, strict=True))
    number = f"C4 {part.split(maxsplit=1)[0]}{' again' if 'again' in part else ''} {'fresh' if variant.fresh else 'stale'}{' bad' if variant.rejects else ''}"
    figure = Figure(number, f"exponent of {part}; {variant.text} ({each})", "", "", Goal(at_most=MOST, of="measured"))
    about = page.circumstances("full" if max(sizes) >= import_people.FULL else "small")
    command = f"python tests/load/growth.py --sizes {' '.join(map(str, sizes))}"
    return Series(figure, [Pair(figure.id, grown)]).row({**about, "command": command})


def main() -> None:
    """Parse the arguments, start what is needed, measure, stop it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--only", choices=sorted(JOBS), action="append")
    parser.add_argument("--json", type=Path, help="write the rows of the table there")
    given = parser.parse_args()

    def keep(found: list[dict[str, Any]]) -> None:
        if given.json:
            page.write(found, given.json)

    begun = backends.begin()
    assert begun is not None, "begin it outside of a test run"
    try:
        asyncio.run(measure(Backends(begun), given.sizes, given.only or list(JOBS), keep))
    finally:
        backends.end(begun)


if __name__ == "__main__":
    main()
