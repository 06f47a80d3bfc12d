"""What each container takes at rest and under load: `python -m containers.sizing` writes docs/sizing.md.

At rest is a minute in which nobody asks for anything. Under load, eight callers report deaths through the proxy for a minute, each
command under its own key, and the effects travel through all services. Processor is the share of one core over the minute,
memory what the kernel cannot take back without writing (the most seen, asked every two seconds).
"""

import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
from containers.compose import Compose, officer, started
from containers.work import under_way
from stack.places import ROOT

PAGE = ROOT / "docs" / "sizing.md"
SECONDS, CALLERS, MIB = 60.0, 8, 1 << 20
ENGINE = "/var/run/docker.sock"


@dataclass
class Taken:
    """What containers took within a while, by the name of their service: share of one core, and MiB at most."""

    cores: dict[str, float] = field(default_factory=dict)
    mib: Counter[str] = field(default_factory=Counter)


def _counters(engine: httpx.Client, ids: Mapping[str, str]) -> dict[str, tuple[float, float]]:
    """Seconds of processor so far and MiB now, by service."""
    found = {}
    for service, id in ids.items():
        said = engine.get(f"/containers/{id}/stats", params={"stream": "false", "one-shot": "true"}).json()
        memory = said["memory_stats"]
        held = memory["usage"] - memory["stats"].get("inactive_file", 0)
        found[service] = (said["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9, held / MIB)
    return found


@contextmanager
def taken(system: Compose) -> Iterator[Taken]:
    """What every running container takes while the block runs."""
    result, stop = Taken(), threading.Event()
    ids = {one["Service"]: one["ID"] for one in system.listed()}
    with httpx.Client(transport=httpx.HTTPTransport(uds=ENGINE), base_url="http://engine", timeout=30) as engine:
        before, begun = _counters(engine, ids), time.monotonic()

        def watch() -> None:
            while not stop.wait(2):
                for service, (_, mib) in _counters(engine, ids).items():
                    result.mib[service] = max(result.mib[service], round(mib))

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield result
        finally:
            stop.set()
            watcher.join()
        seconds = time.monotonic() - begun
        result.cores = {name: (now - before[name][0]) / seconds for name, (now, _) in _counters(engine, ids).items()}


@dataclass(frozen=True, slots=True)
class Measured:
    """At rest and under load; commands a second that were answered well; KiB that each left in PostgreSQL and on Kafka."""

    rest: Taken
    load: Taken
    rate: float
    database_kib: float
    broker_kib: float


def _kept(system: Compose) -> tuple[float, float]:
    """KiB of all databases, and of the broker's folder."""
    rows = system.sql("postgres", "CHECKPOINT; SELECT sum(pg_database_size(datname)) / 1024 FROM pg_database")
    folder = system("exec", "-T", "kafka", "du", "-sk", "/var/lib/kafka/data").split()[0]
    return float(rows[0][0]), float(folder)


def measure(system: Compose, folder: Path) -> Measured:
    """A minute at rest and a minute under load."""
    with taken(system) as rest:
        time.sleep(SECONDS)
    before = _kept(system)
    with ExitStack() as stack:
        told = []
        with taken(system) as load:
            for _ in range(CALLERS):
                client = stack.enter_context(
                    httpx.Client(base_url=system.origin, verify=system.authority(folder), timeout=30)
                )
                told.append(stack.enter_context(under_way(client, officer(client, "op_desa"))))
            time.sleep(SECONDS)
            answered = sum(len(one.deaths) for one in told)
    assert not any(one.bad for one in told), [one.bad for one in told]
    commands = sum(len(one.deaths) for one in told)
    grown = [(now - then) / commands for now, then in zip(_kept(system), before, strict=True)]
    return Measured(rest, load, answered / SECONDS, *grown)


def page(found: Measured, limits: Mapping[str, float]) -> str:
    """The page, its table measured and its advice after it."""
    rest, load = found.rest, found.load
    rows = [
        f"| `{name}` | {rest.mib[name]} | {load.mib[name]} | {limits.get(name, 0):.0f} | {rest.cores[name]:.3f} | {load.cores[name]:.2f} |"
        for name in sorted(load.cores)
    ]
    sums = f"| all | {sum(rest.mib.values())} | {sum(load.mib.values())} | | {sum(rest.cores.values()):.2f} | {sum(load.cores.values()):.2f} |"
    return HEAD.format(
        when=f"{datetime.now(UTC):%Y-%m-%d}", callers=CALLERS, rate=found.rate, database=found.database_kib,
        broker=found.broker_kib, rows="\n".join([*rows, sums]),
    )  # fmt: skip


HEAD = """# Sizing

Generated by `PYTHONPATH=tests python -m containers.sizing` on {when}, two cores, all containers on one machine with stand-ins of the
public images (the Python among them is built without profile-guided optimisation: up to a fifth slower). Under load {callers}
callers reported deaths through the proxy, {rate:.0f} a second answered well, each checked, sealed, audited, announced on Kafka and
taken in by its readers.

| container | MiB at rest | MiB under load | limit, MiB | cores at rest | cores under load |
|---|---|---|---|---|---|
{rows}

## What to change

| office | people | machine | settings |
|---|---|---|---|
| a regency (kabupaten/kota) | up to 1.5 million | 4 cores, 8 GB, 100 GB SSD | as they are |
| a large regency, one payday of a million lines | the same | 8 cores, 16 GB, 200 GB SSD | `shared_buffers` 2 GB and `mem_limit` 6g of `postgres`; `mem_limit` 1g of `disbursement-work` and `registry-work` |
| a province, as a service for its regencies | up to 40 million | several machines: `deploy/k8s` | three brokers, PostgreSQL with standbys, two and more of each `api`; readers scale up to the number of partitions (twelve); one relay per service leads |

Each of these commands, with its events, audit and what its readers noted, left {database:.1f} KiB in PostgreSQL and {broker:.1f} KiB on
Kafka. Partitions of announced events are dropped after their time and Kafka keeps 30 days, so the disk grows with what is kept:
people, rights, payments, books, audit. What grows with the load are `postgres` and the processes of the service that is asked;
`keycloak` grows with sign-ins, not with payments.
"""


def main() -> None:
    """Start the demonstration, measure, write the page."""
    with (
        tempfile.TemporaryDirectory() as folder,
        started("santun-sizing", Path(folder), {"COMPOSE_PROFILES": ""}) as system,
    ):
        limits = {
            name: system.inspect(name)["HostConfig"]["Memory"] / MIB
            for name in (one["Service"] for one in system.listed())
        }
        text = page(measure(system, Path(folder)), limits)
    PAGE.write_text(text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
