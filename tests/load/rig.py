"""What every benchmark stands on: PostgreSQL and Kafka of this run, services as processes, the small service in process."""

import asyncio
import io
import os
import secrets
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Self

import asyncpg
import httpx
from kit.db import migrate
from kit.events import topics
from kit.runtime import Runtime
from kit.settings import Base, variable
from kit.testing import eventually
from measure import demand
from shop import SAMPLE, SCOPE
from shop import sample_service as sample
from stack import processes, running
from stack.backends import Backends
from stack.kafka import groups_ready
from stack.members import member
from stack.places import CONTRACTS, ROOT

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Size:
    """How long a run may be: rounds of each figure, seconds of each load, and how many rows are worked on."""

    name: str
    rounds: int
    seconds: float
    rows: int
    retained: int
    people: tuple[int, ...]

    @property
    def full(self) -> bool:
        """Whether its figures may stand in the table without the word `small`."""
        return self.name == "full"


SIZES = {
    "small": Size("small", 3, 1.5, 10_000, 300_000, (10_000, 50_000)),
    "full": Size("full", 5, 4.0, 100_000, 3_000_000, (10_000, 100_000, 1_000_000)),
}


@dataclass(frozen=True, slots=True)
class Sample:
    """The small service in this process: its runtime and a connection past every check, for filling and counting."""

    runtime: Runtime
    database: str
    sql: asyncpg.Connection

    async def count(self, table: str) -> int:
        """Rows of a table."""
        return int(await self.sql.fetchval(f"SELECT count(*) FROM {table}"))

    async def copied(self, *tables: str) -> float:
        """Seconds to COPY what stands in these tables back into them, from CSV in memory; they are emptied before."""
        content: dict[str, bytes] = {}
        for table in tables:
            out = io.BytesIO()
            await self.sql.copy_from_query(f"SELECT * FROM {table}", output=out, format="csv")
            content[table] = out.getvalue()
        counts = {table: await self.count(table) for table in tables}
        await self.sql.execute(f"TRUNCATE {', '.join(tables)}")
        started = perf_counter()
        async with self.sql.transaction():
            for table in tables:
                await self.sql.copy_to_table(table, source=io.BytesIO(content[table]), format="csv")
        seconds = perf_counter() - started
        for table in tables:
            demand(await self.count(table) == counts[table], f"{table} was copied whole")
        return seconds


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service that runs as a process answers, and its database."""

    port: int
    database: str
    pid: int


class Rig:
    """Made once for a run of benchmarks. `size` says how much they do."""

    def __init__(self, parts: Backends, size: Size) -> None:
        self.parts = parts
        self.size = size

    async def __aenter__(self) -> Self:
        """Start PostgreSQL so that it remembers when transactions committed."""
        await asyncio.to_thread(lambda: self.parts.postgres)
        connection = await asyncpg.connect(self.parts.postgres.url())
        await connection.execute("ALTER SYSTEM SET track_commit_timestamp = on")
        await connection.close()
        await asyncio.to_thread(self.parts.postgres.stop)
        await asyncio.to_thread(self.parts.postgres.start)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing: the run itself is ended by whoever began it."""

    async def kafka(self) -> None:
        """Start Kafka unless it runs; wait until groups can be joined."""
        await asyncio.to_thread(lambda: self.parts.kafka)
        await groups_ready(self.parts.bootstrap)

    async def connect(self, database: str) -> asyncpg.Connection:
        """A connection of the superuser."""
        return await asyncpg.connect(self.parts.postgres.url(database))

    @asynccontextmanager
    async def database(self, service: str) -> AsyncIterator[str]:
        """A new, migrated database of a service."""
        name = await asyncio.to_thread(self.parts.create_database, service)
        try:
            yield name
        finally:
            await asyncio.to_thread(self.parts.drop_database, name)

    @asynccontextmanager
    async def sample(self, *, pool: int = 5, kafka: bool = True) -> AsyncIterator[Sample]:
        """The small service on a database (and topics) of its own."""
        name = await asyncio.to_thread(self.parts.create_database, "registry", migrated=False)
        await migrate.upgrade(SAMPLE.migrations, self.parts.owner_url(name, "registry"))
        settings = sample.settings(
            database_url=self.parts.app_url(name, "registry"), kafka_bootstrap=self.parts.bootstrap,
            topic_prefix=f"{name}.", database_pool_size=pool, log_level="warning",
        )  # fmt: skip
        runtime = SAMPLE.runtime(settings)
        if kafka:
            await self.kafka()
            await topics.create(settings.kafka(), runtime.contracts, prefix=settings.topic_prefix)
        sql = await self.connect(name)
        try:
            yield Sample(runtime, name, sql)
        finally:
            await sql.close()
            await runtime.close()
            await asyncio.to_thread(self.parts.drop_database, name)

    @asynccontextmanager
    async def shop(self, *, pool: int = 16) -> AsyncIterator[Address]:
        """The small service as a process that serves HTTP."""
        name = await asyncio.to_thread(self.parts.create_database, "registry", migrated=False)
        await migrate.upgrade(SAMPLE.migrations, self.parts.owner_url(name, "registry"))
        contracts = self.parts.folder / "shop-contracts"
        if not contracts.exists():
            contracts.mkdir()
            (contracts / "reference").symlink_to(CONTRACTS / "reference")
            for found in (sample.HERE / "contracts").iterdir():
                (contracts / found.name).symlink_to(found)
        given = {"contracts_dir": contracts, "database_pool_size": pool}
        argv = [str(HERE / "shop.py"), "api"]
        async with self._process(sample.Settings, argv, name, "registry", given) as address:
            yield address
        await asyncio.to_thread(self.parts.drop_database, name)

    @asynccontextmanager
    async def service(self, name: str, part: str, **given: object) -> AsyncIterator[Address]:
        """One of the four services as a process on a database of its own."""
        async with self.database(name) as database:
            argv = ["-m", name, part]
            async with self._process(member(name).settings, argv, database, name, given) as address:
                yield address

    @asynccontextmanager
    async def _process(
        self, settings: type[Base], argv: list[str], database: str, service: str, given: Mapping[str, object]
    ) -> AsyncIterator[Address]:
        port = processes.free_port()
        values = {
            "profile": "test", "port": port, "database_url": self.parts.app_url(database, service),
            "database_pool_size": 16, "kafka_bootstrap": self.parts.bootstrap, "issuer": running.ISSUER,
            "jwks_url": running._jwks(self.parts.folder).as_uri(), "contracts_dir": CONTRACTS, "log_level": "warning",
            **given,
        }  # fmt: skip
        environment = dict(os.environ) | {variable(settings, field): str(value) for field, value in values.items()}
        with (self.parts.folder / f"{database}.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, *argv, env=environment, cwd=ROOT, stdout=log, stderr=log
            )
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
                await eventually(lambda: _ready(client), within=60)
            yield Address(port, database, process.pid)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    def token(self, who: str = "op_kab", **claims: Any) -> str:
        """An access token of a role, or of the small service's clerk."""
        return running.token(self.parts.folder, running.identity_of(who, **claims), lifetime=14_400)

    def clerk(self) -> str:
        """A token that may make things at the small service."""
        return self.token(scopes=[SCOPE], regions=["32.76"])


async def _ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health/live")).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def prefix() -> str:
    """A prefix of topics for services that hear each other."""
    return f"{secrets.token_hex(4)}."


async def wal(connection: asyncpg.Connection) -> int:
    """How many bytes of write-ahead log the whole server has written so far."""
    return int(await connection.fetchval("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"))
