"""P1 and P2: what one command over HTTP costs, beside a bare route of the same process.

P1 is the mechanism alone: token, region, idempotency key, row, event, audit entry, kept answer, one commit. P2 is a real
command of the registry (a death is reported), beside P1 in the same round. 32 callers, one process each.
"""

import json
from collections.abc import AsyncIterator

import callers
from callers import Load
from measure import Benchmark, Figure, Goal, Pair, demand, percentile
from rig import Address, Rig

CALLERS = 32


async def _hello(address: Address, seconds: float) -> Load:
    message = callers.get("/version")
    load = await callers.closed(address.port, lambda: message, connections=CALLERS, seconds=seconds)
    demand(set(load.statuses) == {200}, "the bare route answers 200", load.statuses)
    return load


async def _write(address: Address, path: str, token: str, body: bytes, seconds: float) -> Load:
    load = await callers.closed(
        address.port, lambda: callers.post(path, token, body), connections=CALLERS, seconds=seconds
    )
    demand(set(load.statuses) == {201}, f"{path} answers 201", load.statuses)
    return load


async def run(rig: Rig) -> AsyncIterator[Pair]:
    """Bare route, small command, real command, round after round."""
    seconds, clerk, desk = rig.size.seconds, rig.clerk(), rig.token("op_desa", regions=["32.76.03"])
    thing = json.dumps({"amount_idr": 2_000_000, "region_code": "32.76.03"}).encode()
    death = {"source": "rt", "died_on": "2026-01-05", "region_code": "32.76.03.1001", "subject_name": "Warga Contoh"}
    written = 0
    async with rig.shop() as shop, rig.service("registry", "api") as registry:
        sql, records = await rig.connect(shop.database), await rig.connect(registry.database)
        try:
            await _hello(shop, 0.5)
            written += len((await _write(shop, "/v1/things", clerk, thing, 0.5)).latencies)
            reported = len((await _write(registry, "/v1/deaths", desk, json.dumps(death).encode(), 0.5)).latencies)
            for _ in range(rig.size.rounds):
                hello = await _hello(shop, seconds / 2)
                fsyncs = await _fsyncs(sql)
                small = await _write(shop, "/v1/things", clerk, thing, seconds)
                fsyncs = await _fsyncs(sql) - fsyncs
                real = await _write(registry, "/v1/deaths", desk, json.dumps(death).encode(), seconds)
                written, reported = written + len(small.latencies), reported + len(real.latencies)
                yield Pair("P1", small.rate, hello.rate)
                yield Pair("P1 p99", percentile(small.latencies, 0.99) * 1e3, percentile(hello.latencies, 0.99) * 1e3)
                yield Pair("P1 fsyncs", fsyncs / len(small.latencies))
                yield Pair("P2", real.rate, small.rate)
            for table in ("thing", "outbox", "audit", "idempotency"):
                found = await sql.fetchval(f"SELECT count(*) FROM {table}")
                demand(found == written, f"one row of {table} for each 201", found, written)
            for table in ("death_record", "outbox", "audit", "death_report"):
                found = await records.fetchval(f"SELECT count(*) FROM {table}")
                demand(found == reported, f"one row of {table} for each report", found, reported)
        finally:
            await sql.close()
            await records.close()


async def _fsyncs(sql: object) -> int:
    """Flushes of the write-ahead log by the whole server so far."""
    return int(await sql.fetchval("SELECT sum(fsyncs) FROM pg_stat_io WHERE object = 'wal'"))  # type: ignore[attr-defined]


BENCHMARK = Benchmark(
    (
        Figure(
            "P1", "a command over HTTP: token, region, idempotency, row, event, audit, kept answer; 32 callers", "req/s",
            "GET of a bare route of the same process", Goal(at_least=0.45),
        ),
        Figure("P1 p99", "the same, slowest hundredth", "ms", "the bare route's slowest hundredth", Goal(at_most=4.0)),
        Figure("P1 fsyncs", "flushes of the log for each command", "fsync/req", "", Goal(at_most=0.15, of="measured", unit="fsync")),
        Figure("P2", "a real command: POST /v1/deaths of the registry; 32 callers", "req/s", "P1 in the same round", Goal(at_least=0.60)),
    ),
    run,
)  # fmt: skip
