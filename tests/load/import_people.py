"""Import of synthetic people against raw COPY of the same rows, in one run: rows/s, ratios, peak memory of the client.

    python tests/load/import_people.py --people 1000000 --json FILE

Prints the limits first: L1 is COPY of the file into a table of texts without index, L2 is COPY of the very rows that the
import made into the same tables with the same indexes and constraints. Every figure is of this run on this machine.
"""

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import page
from measure import Figure, Goal, Pair, Series
from registry.app import SERVICE
from registry.imports import worker
from registry.settings import Settings
from stack import backends
from stack.backends import Backends
from stack.running import Running
from stack.synthetic import families, files

TABLES = (
    "person", "family", "person_name", "identity_claim", "family_card", "family_member", "residence", "contact",
    "payee_account", "desil", "person_facts", "import_subject",
)  # fmt: skip
BROKEN = 0.012
FULL = 1_000_000
P4 = Figure(
    "P4",
    "an import of people into an empty registry",
    "rows/s",
    "COPY of the same rows, same indexes",
    Goal(at_least=0.55),
)
P4_MEMORY = Figure(
    "P4 memory", "the most that the importing process holds", "MiB", "", Goal(at_most=100, of="measured", unit="MiB")
)
P5 = Figure(
    "P5 unchanged",
    "the same list again: no event, no row version",
    "rows/s",
    "COPY of the file into texts",
    Goal(at_least=0.35),
)
P5_CHANGED = Figure(
    "P5 changed",
    "the list again with a tenth of it changed",
    "rows/s",
    "COPY of the file into texts",
    Goal(at_least=0.28),
)
NAME = families.COLUMNS.index("nama")


def show(line: str) -> None:
    """Say it at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def child() -> None:
    """One pass of the worker in a process of its own; says how long it took and how much memory it held at most."""

    async def run() -> None:
        runtime = SERVICE.runtime(Settings())
        await worker.work(runtime)
        await runtime.close()

    started = time.perf_counter()
    asyncio.run(run())
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    show(json.dumps({"seconds": time.perf_counter() - started, "rss_mib": rss}))


async def in_child(registry: Running) -> dict[str, float]:
    """Run `child` on the database of a running registry."""
    settings: Any = registry.settings
    environment = {
        "REGISTRY_PROFILE": "test",
        "REGISTRY_DATABASE_URL": settings.database_url.get_secret_value(),
        "REGISTRY_CONTRACTS_DIR": str(settings.contracts_dir),
        "REGISTRY_IMPORTS_DIR": str(settings.imports_dir),
        "REGISTRY_LOG_LEVEL": "warning",
    }
    command = [sys.executable, __file__, "--child"]
    done = await asyncio.to_thread(
        subprocess.run, command, env={**os.environ, **environment}, check=True, capture_output=True, text=True
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


class Bench:
    """One registry, one list, and what was measured of them."""

    def __init__(self, parts: Backends, registry: Running, folder: Path) -> None:
        self.parts, self.registry, self.folder = parts, registry, folder
        self.peak_mib = 0.0
        """The most memory that the worker held in any import."""
        self.rows: list[dict[str, Any]] = []

    async def imported(self, what: str, path: Path, as_of: date) -> float:
        """Upload, read, compare, approve, apply; the seconds of all of it."""
        clerk = self.registry.client("op_kab", regions=["32.76"], sub="op-kab-1")
        started = time.perf_counter()
        with path.open("rb") as file:
            form = {"source": "dtsen", "region_code": "32.76", "as_of": as_of.isoformat()}
            answer = await clerk.post("/v1/imports", files={"file": file}, data=form, timeout=600)
        answer.raise_for_status()
        run = f"/v1/imports/{answer.json()['id']}"
        uploaded = time.perf_counter() - started
        read = await in_child(self.registry)
        state = (await clerk.get(run)).json()["state"]
        head = self.registry.client("kadis" if state == "held" else "kabid", regions=["32.76"], sub="head-1")
        await head.get(f"{run}/sample")
        report = (await clerk.get(run)).json()
        approved = await head.post(f"{run}:approve", headers={"If-Match": f'"{report["version"]}"'})
        approved.raise_for_status()
        applied = await in_child(self.registry)
        report = (await clerk.get(run)).json()
        assert report["state"] == "applied", report
        total = uploaded + read["seconds"] + applied["seconds"]
        rows = report["rows_read"]
        self.peak_mib = max(self.peak_mib, read["rss_mib"], applied["rss_mib"])
        counts = {
            k: report[k]
            for k in ("rows_read", "rows_rejected", "new_rows", "changed_rows", "unchanged_rows", "gone_rows")
        }
        self.say(f"{what}: all", total, f"{rows / total:,.0f} rows/s  {counts}")
        self.say(f"{what}: upload", uploaded, "")
        self.say(f"{what}: read, seal, stage, judge", read["seconds"], f"client peak {read['rss_mib']:.0f} MiB")
        self.say(f"{what}: apply", applied["seconds"], f"client peak {applied['rss_mib']:.0f} MiB")
        return total

    def say(self, what: str, seconds: float, more: str) -> None:
        """Print one figure."""
        show(f"{what:<44}{seconds:>9.2f} s   {more}")

    def figure(self, figure: Figure, measured: float, limit: float | None, people: int) -> None:
        """Keep a row of the table and print it."""
        about = page.circumstances("full" if people >= FULL else "small")
        command = f"python tests/load/import_people.py --people {people}"
        row = Series(figure, [Pair(figure.id, measured, limit)]).row({**about, "command": command})
        self.rows.append(row)
        show(page.say(row))

    async def copy_text(self, path: Path) -> float:
        """L1: COPY of the file into an unlogged table of texts."""
        database = await asyncio.to_thread(self.parts.create_database, "registry", migrated=False)
        connection = await asyncpg.connect(self.parts.postgres.url(database))
        columns = ", ".join(f"{name} text" for name in families.COLUMNS)
        await connection.execute(f"CREATE UNLOGGED TABLE list ({columns})")
        started = time.perf_counter()
        await connection.copy_to_table("list", source=str(path), format="csv", header=True)
        seconds = time.perf_counter() - started
        await connection.close()
        await asyncio.to_thread(self.parts.drop_database, database)
        return seconds

    async def copy_rows(self) -> float:
        """L2: COPY of the rows that the import made into the same tables of an empty registry."""
        source = await asyncpg.connect(self.parts.postgres.url(self.registry.database))
        for table in TABLES:
            await source.copy_from_table(table, output=str(self.folder / f"{table}.copy"))
        await source.close()
        database = await asyncio.to_thread(self.parts.create_database, "registry", folder=SERVICE.migrations)
        target = await asyncpg.connect(self.parts.postgres.url(database))
        total = 0.0
        for table in TABLES:
            started = time.perf_counter()
            await target.copy_to_table(table, source=str(self.folder / f"{table}.copy"), timeout=3600)
            total += time.perf_counter() - started
            (self.folder / f"{table}.copy").unlink()
        await target.close()
        await asyncio.to_thread(self.parts.drop_database, database)
        return total


def changed(lines: Iterator[list[str]], share: int) -> Iterator[list[str]]:
    """The same lines, every `share`-th with another street and phone."""
    street = families.COLUMNS.index("alamat")
    for number, line in enumerate(lines):
        if number % share == 0:
            line[street] = "Jl. Baru No. 1"
        yield line


async def measure(people: int, seed: int, folder: Path, parts: Backends) -> list[dict[str, Any]]:
    """The whole benchmark; the rows of the table."""
    count = families.families_for(people)

    def lines(broken: float = BROKEN) -> Iterator[list[str]]:
        return families.lines(families.families(count, seed=seed), broken=broken, seed=seed)

    first, clean = folder / "first.csv", folder / "clean.csv"
    rows = await asyncio.to_thread(files.write_csv, first, lines())
    await asyncio.to_thread(files.write_csv, clean, lines(0.0))
    show(f"{rows:,} people in {count:,} families, {first.stat().st_size / 1e6:.0f} MB, seed {seed}")
    registry = await Running.start(parts, "registry", {"imports_dir": folder / "imports"})
    bench = Bench(parts, registry, folder)
    try:
        l1 = await bench.copy_text(clean)
        bench.say("L1: COPY of the file into texts", l1, f"{rows / l1:,.0f} rows/s")
        total = await bench.imported("first import", first, date(2026, 1, 1))
        l2 = await bench.copy_rows()
        bench.say("L2: COPY of the same rows, same indexes", l2, f"{rows / l2:,.0f} rows/s")
        bench.figure(P4, rows / total, rows / l2, people)
        before = await state_of(registry)
        again = folder / "again.csv"
        await asyncio.to_thread(files.write_csv, again, lines(), delimiter=";")
        total = await bench.imported("same rows again", again, date(2026, 1, 2))
        after = await state_of(registry)
        assert before == after, (before, after)
        bench.figure(P5, rows / total, rows / l1, people)
        await asyncio.to_thread(files.write_csv, again, changed(lines(), 10))
        total = await bench.imported("10 % changed", again, date(2026, 1, 3))
        bench.figure(P5_CHANGED, rows / total, rows / l1, people)
        bench.figure(P4_MEMORY, bench.peak_mib, None, people)
    finally:
        await registry.close()
    return bench.rows


async def state_of(registry: Running) -> list[tuple[Any, ...]]:
    """Events about people and row versions written so far: equal before and after an import that changes nothing."""
    union = " UNION ALL ".join(f"SELECT '{t}', count(*), max(xmin::text::bigint)::bigint, 0 FROM {t}" for t in TABLES)
    told = "SELECT 'events', count(*), 0, 0 FROM outbox WHERE topic NOT LIKE '%registry.import'"
    return [tuple(row) for row in await registry.sql(f"SELECT * FROM ({told} UNION ALL {union}) AS s(a, b, c, d)")]


def main() -> None:
    """Parse the arguments, start what is needed, measure, stop it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=70_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the rows of the table there")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child()
        return
    run = backends.begin()
    assert run is not None
    try:
        folder = run / "bench"
        folder.mkdir()
        rows = asyncio.run(measure(given.people, given.seed, folder, Backends(run)))
        if given.json:
            page.write(rows, given.json)
    finally:
        backends.end(run)


if __name__ == "__main__":
    main()
