"""Measure the system against the limits of this machine, and write `docs/benchmarks.md`.

    python tests/load/bench.py                    all, at full size
    python tests/load/bench.py P6 P8 --size small two of them, small
    python tests/load/bench.py --read FILE ...    only take over rows that other scripts wrote

P4 and P5 (imports), P9 (a million payments) and C4 (growth) are scripts of their own, which this one calls. They write their
rows with `--json FILE` in the form that `page.py` describes. Rows of benchmarks that did not run this time stay as they were.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import budget
import bulk
import consuming
import latency
import lists
import page
import relaying
import trail
import writes
from measure import Benchmark, Series, Untrue
from rig import SIZES, Rig
from stack import backends
from stack.backends import Backends

HERE = Path(__file__).parent
BENCHMARKS: Sequence[Benchmark] = (
    writes.BENCHMARK, bulk.BENCHMARK, relaying.DRAIN, relaying.POLL, consuming.BENCHMARK, budget.BENCHMARK,
    trail.BENCHMARK, latency.BENCHMARK, lists.BENCHMARK,
)  # fmt: skip

SCRIPTS = {
    ("P4", "P5"): {
        "small": ("import_people.py", "--people", "20000"),
        "full": ("import_people.py", "--people", "1000000"),
    },
    ("P9",): {
        "small": ("payments_million.py", "--payments", "20000"),
        "full": ("payments_million.py", "--payments", "1000000", "--small", "100000"),
    },
    ("C4",): {
        "small": ("growth.py", "--sizes", "2000", "20000"),
        "full": ("growth.py", "--sizes", "10000", "100000", "1000000"),
    },
}
"""Benchmarks that start everything for themselves: their ids, and how they are called at each size."""


def apart(wanted: Sequence[str], size: str) -> tuple[list[dict[str, Any]], bool]:
    """Run the scripts that have a wanted figure, all when none is named; their rows, and whether all of them were valid."""
    rows: list[dict[str, Any]] = []
    valid = True
    for ids, calls in SCRIPTS.items():
        if wanted and not set(ids) & set(wanted):
            continue
        script, *arguments = calls[size]
        with tempfile.TemporaryDirectory() as folder:
            found = Path(folder) / "rows.json"
            done = subprocess.run([sys.executable, HERE / script, *arguments, "--json", found], check=False)
            valid &= done.returncode == 0
            rows += page.read(found) if found.exists() else []
    return rows, valid


def chosen(wanted: Sequence[str]) -> list[Benchmark]:
    """The benchmarks that have a figure of these numbers; all when none is named. Raises SystemExit for an unknown one."""
    every = {figure.id.split()[0] for benchmark in BENCHMARKS for figure in benchmark.figures}
    others = {id for ids in SCRIPTS for id in ids}
    if unknown := set(wanted) - every - others:
        raise SystemExit(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(sorted(every | others))}")
    return [b for b in BENCHMARKS if not wanted or {f.id.split()[0] for f in b.figures} & set(wanted)]


async def measure(benchmark: Benchmark, rig: Rig) -> list[dict[str, Any]]:
    """Run one benchmark to its end and give its rows."""
    series = {figure.id: Series(figure) for figure in benchmark.figures}
    async for pair in benchmark.run(rig):
        series[pair.figure].pairs.append(pair)
    ids = sorted({figure.id.split()[0] for figure in benchmark.figures})
    size = "" if rig.size.full else f" --size {rig.size.name}"
    command = f"python tests/load/bench.py {' '.join(ids)}{size}"
    return [one.row({**page.circumstances(rig.size.name), "command": command}) for one in series.values() if one.pairs]


async def work(benchmarks: Sequence[Benchmark], rig: Rig) -> tuple[list[dict[str, Any]], bool]:
    """Run benchmarks one after another, saying each row as it comes; whether all of them were valid."""
    rows: list[dict[str, Any]] = []
    valid = True
    for benchmark in benchmarks:
        began = time.perf_counter()
        try:
            found = await measure(benchmark, rig)
        except Untrue as untrue:
            show(f"{benchmark.figures[0].id}: not valid: {untrue}")
            valid = False
            continue
        rows += found
        for row in found:
            show(page.say(row))
        show(f"    {time.perf_counter() - began:.0f} s")
    return rows, valid


def show(line: str) -> None:
    """Say it at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Parse the arguments, start PostgreSQL and Kafka, measure, stop them, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ids", nargs="*", help="P1, P6, ...; default: all")
    parser.add_argument("--size", choices=sorted(SIZES), default="full")
    parser.add_argument("--read", type=Path, nargs="+", default=[], help="files with rows of other scripts")
    parser.add_argument("--json", type=Path, help="write the rows of this run there as well")
    parser.add_argument("--no-page", action="store_true", help="leave docs/benchmarks.md as it is")
    given = parser.parse_args()
    rows = [row for file in given.read for row in page.read(file)]
    valid = True
    if given.ids or not given.read:
        run = backends.begin()
        assert run is not None, "begin it outside of a test run"
        try:
            measured, valid = asyncio.run(started(chosen(given.ids), Backends(run), given.size))
        finally:
            backends.end(run)
        others, sound = apart(given.ids, given.size)
        measured, valid = measured + others, valid and sound
        rows += measured
        if given.json:
            page.write(measured, given.json)
    if rows and not given.no_page:
        page.keep(rows)
        show(f"docs/benchmarks.md: {page.named(rows)}")
    sys.exit(not valid)


async def started(benchmarks: Sequence[Benchmark], parts: Backends, size: str) -> tuple[list[dict[str, Any]], bool]:
    """Make the rig and run the benchmarks on it."""
    async with Rig(parts, SIZES[size]) as rig:
        return await work(benchmarks, rig)


if __name__ == "__main__":
    main()
