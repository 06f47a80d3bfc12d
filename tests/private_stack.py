"""One whole stack of a test's own: started, hurt, looked at and forgotten. For `tests/faults` and `tests/e2e`.

It looks from outside, as an operator does: HTTP, the databases past the services, the offsets on the broker, the logs.
"""

import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Self

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from kit import invariants
from kit.runtime import Runtime
from kit.settings import load
from kit.testing import eventually
from stack import backends, delivered, places, processes
from stack.kafka import partitions
from stack.members import member
from stack.places import Ports
from stack.processes import Child
from stack.system import Part, System

UNSETTLED = ("relay_cursor", "audit_seal", "idempotency", "read_log")
"""Tables that move without any effect: cursors, seals, answers kept, who looked."""
DEFECTS = ('"event":"unexpected_error"', '"event": "unexpected_error"', '"event":"job_failed"', '"event": "job_failed"')


def existing() -> tuple[str, ...]:
    """The services that there are."""
    return tuple(name for name in places.SERVICES if find_spec(name) and find_spec(f"{name}.app"))


def free_base() -> int:
    """A base whose ports are all free, given to nobody else in this run and to no single listener (`free_port`)."""
    taken = Path(os.environ[backends.RUN])
    for base in random.sample(range(20_000, 21_000, 7), 143):
        ports = Ports(base)
        every = [*range(base, base + 7), ports.postgres, ports.kafka, ports.kafka_controller, ports.smtp]
        if all(processes.port_free(port) for port in every):
            with suppress(FileExistsError):
                (taken / f"ports-{base}").touch(exist_ok=False)
                return base
    raise AssertionError("no ports are left for one more stack")


class PrivateStack:
    """A `System` in a folder of the test run, with what a test asks of it."""

    def __init__(self, members: Sequence[str] | None = None, launch: Callable[..., Child] = processes.start) -> None:
        self.launch = launch
        self.folder = Path(tempfile.mkdtemp(prefix="stack-", dir=os.environ[backends.RUN]))
        self.members = existing() if members is None else tuple(members)
        self.ports = Ports(free_base())
        self.system = self._system()
        self.said: list[str] = []
        self.killed = 0
        """Processes that died by SIGKILL, from here or by their own hand at a crash point."""
        self._armed: dict[str, tuple[str, int]] = {}
        """Per service started to die: the point, and how long its log was before."""
        self._read: dict[str, list[TopicPartition]] = {}
        self._runtimes: dict[str, Runtime] = {}

    def _system(self) -> System:
        return System(self.folder / "data", self.ports, members=self.members, launch=self.launch)

    def __enter__(self) -> Self:
        self.system.start(self.said.append)
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        if os.environ.get("SANTUN_TEST_KEEP"):
            shutil.copytree(self.system.logs, os.environ["SANTUN_TEST_KEEP"], dirs_exist_ok=True)
        self.system.postgres.remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    def part(self, name: str) -> Part:
        """A part by its name: `registry`, `Kafka`, `PostgreSQL`."""
        return next(part for part in self.system.parts if part.name == name)

    def kill(self, *names: str) -> None:
        """SIGKILL to the named parts, or to all that run, at once; returns when they are gone."""
        doomed = [self.part(name) for name in names] or list(self.system.parts)
        children = [child for part in doomed if (child := part.child()) is not None and child.alive]
        self.killed += len(children)
        for child in children:
            os.kill(child.pid, signal.SIGKILL)
        for child in children:
            processes.stop(child, by=signal.SIGKILL, within=10)

    def pid(self, name: str) -> int:
        """The process id of a part that runs."""
        child = self.part(name).child()
        assert child is not None
        assert child.alive, f"{name} does not run"
        return child.pid

    async def mend(self) -> None:
        """Start whatever a failed test left dead, so that the next one begins with a whole stack."""
        for parts in (self.system.foundation, self.system.services):
            await self.start(*(part.name for part in parts if not part.alive))

    async def start(self, *names: str) -> None:
        """Start parts again and wait until they are ready."""
        await asyncio.gather(*(asyncio.to_thread(self.part(name).start) for name in names))

    async def restart_armed(self, service: str, point: str, *, ready: bool = False) -> None:
        """Kill a service and start it so that it kills itself at the point; waits until it did, or until it is `ready`.

        One that is to be `ready` may pass its point before: what was left to do waited for it. `died` sees it then.
        """
        self.kill(service)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SANTUN_FAILPOINT", point)
            environment = self.system.environment(service)
        file, log = self.system.data / "run" / f"{service}.json", self.system.logs / f"{service}.log"
        self._armed[service] = (point.partition(":")[0], log.stat().st_size)
        argv = [sys.executable, "-m", service, "all"]
        child = await asyncio.to_thread(
            self.launch, service, argv, file=file, log=log, env=environment, cwd=places.ROOT
        )
        if not ready:
            await self.died(service)
            return
        part = self.part(service)

        async def ready_or_dead() -> bool:
            return not child.alive or not await asyncio.to_thread(part.ready)

        await eventually(ready_or_dead, within=60)

    async def died(self, service: str, within: float = 60.0) -> None:
        """Wait until the service's process is gone, and see that it died where it was to."""
        child = self.part(service).child()
        await self._died(child, within, *self._armed.pop(service, ("", 0)))

    async def _died(self, child: Child | None, within: float, point: str, before: int) -> None:
        async def gone() -> bool:
            return child is None or not child.alive

        await eventually(gone, within=within)
        self.killed += 1
        name = child.file.stem if child else ""
        words = (self.system.logs / f"{name}.log").read_bytes()[before:].decode(errors="replace")
        assert f'"point":"{point}"' in words or not point, f"{name} did not die at {point}:\n{words[-1_500:]}"

    @asynccontextmanager
    async def another(
        self, service: str, part: str, point: str = "", *, instance: str = "only"
    ) -> AsyncIterator[tuple[httpx.URL, Callable[[], Awaitable[None]]]]:
        """One more process of a service beside the first (`api`, `relay`, ...), armed at a point: its address, and what
        waits until it died there.

        A consumer beside the first needs an `instance` of its own, or none: two of one name throw each other out.
        """
        port = processes.free_port()
        environment = self.system.environment(service) | {
            f"{service.upper()}_PORT": str(port),
            "SANTUN_FAILPOINT": point,
            "SANTUN_INSTANCE": instance,
        }
        name = f"{service}-{part}-{port}"
        log, file = self.system.logs / f"{name}.log", self.system.data / "run" / f"{name}.json"
        argv = [sys.executable, "-m", service, part]
        child = await asyncio.to_thread(self.launch, name, argv, file=file, log=log, env=environment, cwd=places.ROOT)
        url = httpx.URL(f"http://127.0.0.1:{port}")
        try:
            if part == "api":
                await eventually(lambda: _ready(url), within=60)
            yield url, partial(self._died, child, 10.0, point.partition(":")[0], 0)
        finally:
            processes.stop(child, by=signal.SIGKILL)

    def command(self, service: str, *words: str) -> subprocess.CompletedProcess[str]:
        """A service's own command, as an operator runs it."""
        environment = self.system.environment(service) | {"SANTUN_LOG_LEVEL": "warning", "COLUMNS": "300"}
        argv = [sys.executable, "-m", service, *words]
        return subprocess.run(argv, env=environment, cwd=places.ROOT, check=False, capture_output=True, text=True)

    async def sql(self, service: str, query: str, *args: object) -> list[asyncpg.Record]:
        """A statement in a service's database, past every check of the application: for assertions only."""
        connection = await asyncpg.connect(self.system.postgres.url(service))
        try:
            return list(await connection.fetch(query, *args))
        finally:
            await connection.close()

    async def counts(self, service: str) -> dict[str, int]:
        """Rows of every table of a service (partitions as one)."""
        found = await self.sql(
            service,
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
            " AND NOT relispartition ORDER BY relname",
        )
        union = " UNION ALL ".join(f"SELECT '{row[0]}' AS t, count(*) AS n FROM \"{row[0]}\"" for row in found)
        return {row["t"]: row["n"] for row in await self.sql(service, union)}

    async def digest(self, service: str) -> dict[str, str]:
        """A fingerprint of every table's content, but for those that move without effect."""
        tables = [table for table in await self.counts(service) if table not in UNSETTLED]
        union = " UNION ALL ".join(
            f"SELECT '{table}' AS t, md5(coalesce(string_agg(r::text, '|' ORDER BY r::text), '')) AS d FROM \"{table}\" AS r"
            for table in tables
        )
        return {row["t"]: row["d"] for row in await self.sql(service, union)}

    async def lag(self) -> dict[str, int]:
        """Per service how many messages its consumer has not taken in yet; services that read nothing are left out.

        AssertionError when the broker does not say: whoever waits for messages waits for the broker too.
        """
        try:
            return await self._lag()
        except KafkaError as lost:
            raise AssertionError(f"the broker does not answer: {type(lost).__name__}") from lost

    async def _lag(self) -> dict[str, int]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.system.kafka.bootstrap)
        reader = AIOKafkaConsumer(bootstrap_servers=self.system.kafka.bootstrap)
        try:
            await admin.start()
            await reader.start()
            found: dict[str, int] = {}
            for service in self.members:
                every = await self._partitions(service)
                ends = await reader.end_offsets(every) if every else {}
                done = await admin.list_consumer_group_offsets(f"santun.{service}") if every else {}
                found[service] = sum(
                    end - max(0, done[place].offset if place in done else 0) for place, end in ends.items()
                )
            return found
        finally:
            await reader.stop()
            await admin.close()

    async def _partitions(self, service: str) -> list[TopicPartition]:
        """The partitions that a service reads; they never change."""
        if service not in self._read:
            found = await partitions(self.system.kafka.bootstrap, topics_of(service)) if topics_of(service) else {}
            self._read[service] = [TopicPartition(topic, part) for topic, parts in found.items() for part in parts]
        return self._read[service]

    async def violated(self) -> list[str]:
        """What does not hold now: the invariants of every service, and those between them."""
        faults = await delivered.missing({service: self._url(service) for service in self.members})
        for service in self.members:
            faults += [f"{service}: {name}: {line}" for name, line in await self._check(service)]
        return faults

    async def at_rest(self, within: float = 60.0) -> None:
        """Wait until everything announced has arrived, and see that every invariant holds and no defect was logged."""

        async def healed() -> bool:
            lag = await self.lag()
            assert not any(lag.values()), lag
            faults = await self.violated()
            assert not faults, faults
            return True

        await eventually(healed, within=within, every=0.3)
        found = self.defects()
        assert not found, found

    def defects(self) -> list[str]:
        """Lines of the logs that only a defect of ours writes."""
        found = []
        for log in self.system.logs.glob("*.log"):
            found += [line for line in log.read_text(errors="replace").splitlines() if any(d in line for d in DEFECTS)]
        return found

    async def _check(self, service: str) -> list[tuple[str, str]]:
        runtime = self._runtimes.get(service) or self._runtime(service)
        try:
            found = await invariants.check(member(service), runtime)
        finally:
            await runtime.close()
        return [(name, line) for name, lines in found.items() for line in lines]

    def _runtime(self, service: str) -> Runtime:
        """The long-lived objects of a service as its own processes have them; its connections are closed after each use."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.system.environment(service).items():
                patch.setenv(name, value)
            settings = load(member(service).settings)
        self._runtimes[service] = member(service).runtime(settings)
        return self._runtimes[service]

    def _url(self, service: str) -> str:
        return self.system.environment(service)[f"{service.upper()}_DATABASE_URL"]


async def _ready(url: httpx.URL) -> bool:
    if not processes.listening(url.port or 0):  # a client costs 20 ms, and this is asked some hundred times
        return False
    try:
        async with httpx.AsyncClient(base_url=url) as client:
            return (await client.get("/health/ready")).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def topics_of(service: str) -> list[str]:
    """The topics that a service reads."""
    from kit.events.schemas import Contracts

    contracts = Contracts(places.CONTRACTS)
    return sorted({c.topic for wire in member(service).handlers if (c := contracts.of_type(wire)) is not None})


def plain(answer: httpx.Response) -> Mapping[str, Any]:
    """The body of a success; shows the problem otherwise."""
    assert answer.status_code < httpx.codes.BAD_REQUEST, f"{answer.status_code} {answer.text}"
    return dict(json.loads(answer.content))
