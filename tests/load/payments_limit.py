"""What the machine can do with the very rows of the run: each table by COPY into an empty database of the same shape.

With every index, without triggers and foreign keys: the least that writing these rows can cost over one connection.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import asyncpg
from measure import demand
from stack.running import Running

TABLES = (
    "line", "line_item", "live_item", "payment_file", "attempt", "result_file", "result_row", "journal", "posting",
    "entitlement", "outbox",
)  # fmt: skip
"""What the money side writes for a payment, the rights it moves, and the events that it tells."""
NOTIFIED = ("inbox", "stream_position", "message", "decision")

PHASES: Mapping[str, Sequence[str]] = {
    "freeze": ("line", "line_item", "live_item", "entitlement"),
    "check": ("line",),
    "sign and fund": (),
    "export": ("line", "attempt", "payment_file"),
    "send": ("line", "attempt", "outbox:payment.sent"),
    "upload": ("result_file", "result_row"),
    "apply": ("line", "attempt", "result_row", "journal", "posting", "entitlement", "outbox:payment.settled",
              "outbox:payment.returned", "outbox:entitlement.fulfilled"),
    "reconcile and close": (),
}  # fmt: skip
"""The rows that each phase writes, old ones in a new version among them."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Seconds to COPY each table (`outbox:<event>`: the share of one event), and to read the outbox out."""

    tables: Mapping[str, float]
    read: float

    def of(self, phase: str) -> float:
        """Seconds to COPY what a phase writes."""
        return sum(self.tables.get(table, 0.0) for table in PHASES[phase])

    @property
    def payments(self) -> float:
        """Seconds to COPY all rows of the payments once: the limit of the headline."""
        return sum(self.tables[table] for table in TABLES)

    @property
    def notified(self) -> float:
        """Seconds to COPY what the planner of notifications writes."""
        return sum(self.tables[table] for table in NOTIFIED)


async def measure(disbursement: Running, notifications: Running, events: Mapping[str, int], rounds: int) -> Limit:
    """COPY everything out and in again, in as many rounds as told; medians."""
    seconds: dict[str, float] = {}
    for service, tables in ((disbursement, TABLES), (notifications, NOTIFIED)):
        found = [await _copied(service, tables) for _ in range(rounds)]
        seconds |= {name: median(one[name] for one in found) for name in found[0]}
    told = max(1, sum(events.values()))
    for name, count in events.items():
        seconds[f"outbox:{name}"] = seconds["outbox"] * count / told
    return Limit(seconds, seconds["outbox out"])


async def _copied(service: Running, tables: Sequence[str]) -> dict[str, float]:
    """Seconds for each table into a new database, and for `<table> out`."""
    parts = service.parts
    name = await asyncio.to_thread(parts.create_database, service.service.name, folder=service.service.migrations)
    source = await asyncpg.connect(parts.postgres.url(service.database))
    target = await asyncpg.connect(parts.postgres.url(name))
    await target.execute("SET session_replication_role = replica")
    seconds: dict[str, float] = {}
    file: Path = parts.folder / f"{name}.copy"
    try:
        for table in tables:
            started = perf_counter()
            await source.copy_from_query(f"SELECT * FROM {table}", output=file, format="binary")
            seconds[f"{table} out"] = perf_counter() - started
            started = perf_counter()
            await target.copy_to_table(table, source=file, format="binary")
            seconds[table] = perf_counter() - started
            counts = [await one.fetchval(f"SELECT count(*) FROM {table}") for one in (source, target)]
            demand(counts[0] == counts[1], f"{table} was copied whole", *counts)
    finally:
        await asyncio.to_thread(file.unlink, missing_ok=True)
        await source.close()
        await target.close()
        await asyncio.to_thread(parts.drop_database, name)
    return seconds
