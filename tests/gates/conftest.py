"""What one operation costs the database, counted by PostgreSQL itself: the same on a busy machine as on an idle one."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import asyncpg
import pytest
from kit.db import migrate
from kit.events import topics
from kit.runtime import Runtime
from sample_service import SAMPLE, settings
from stack.backends import Backends
from stack.kafka import Kafka

_COUNTS = """
SELECT s.query, s.calls, s.wal_bytes::bigint AS wal, s.wal_fpi::bigint AS pages, s.shared_blks_hit + s.shared_blks_read AS blocks
  FROM pg_stat_statements AS s JOIN pg_database AS d ON d.oid = s.dbid WHERE d.datname = $1
"""
RUNS = 7
_DROPPED = "SELECT dealloc FROM pg_stat_statements_info"


@dataclass(slots=True)
class Cost:
    """What ran in between: statements (BEGIN and COMMIT too), bytes of write-ahead log, blocks touched.

    `pages` are whole pages in the log, which PostgreSQL adds after a checkpoint: they are of the moment, not of the work.
    """

    statements: list[str] = field(default_factory=list)
    wal: int = 0
    pages: int = 0
    blocks: int = 0

    @property
    def verbs(self) -> list[str]:
        """The first word of each statement, sorted."""
        return sorted(statement.split(maxsplit=1)[0].upper() for statement in self.statements)


class Meter:
    """Counts what happens in one database."""

    def __init__(self, connection: asyncpg.Connection, database: str) -> None:
        self._connection = connection
        self._database = database

    async def cost(self, work: Callable[[], Awaitable[object]], times: int = 14) -> Cost:
        """The cost of the work; the first time warms up. A time does not count when a checkpoint fell into it or counts were dropped.

        Of those that count the one with the fewest blocks: the pool gives out its connections in turn, each fills its cache
        of the catalogue at first, and what happens elsewhere on the server can empty it.
        """
        await work()
        counting: list[Cost] = []
        for _ in range(times):
            dropped = await self._connection.fetchval(_DROPPED)
            cost = await self.once(work)
            if not cost.pages and await self._connection.fetchval(_DROPPED) == dropped:
                counting.append(cost)
            if len(counting) == RUNS:
                break
        assert counting, "a checkpoint or a dropped count fell into every time"
        return min(counting, key=lambda cost: cost.blocks)

    async def once(self, work: Callable[[], Awaitable[object]], *, only: str = "") -> Cost:
        """The cost of work that cannot be done twice; `only`: of statements that hold this text."""
        before = await self._read()
        await work()
        cost = Cost()
        for query, after in (await self._read()).items():
            if only not in query:
                continue
            calls, wal, pages, blocks = (
                now - then for now, then in zip(after, before.get(query, (0,) * 4), strict=True)
            )
            cost.statements += [query] * calls
            cost.wal, cost.pages, cost.blocks = cost.wal + wal, cost.pages + pages, cost.blocks + blocks
        return cost

    async def _read(self) -> dict[str, tuple[int, ...]]:
        found: dict[str, tuple[int, ...]] = {}
        for query, *counts in await self._connection.fetch(_COUNTS, self._database):
            known = found.get(query, (0,) * 4)
            found[query] = tuple(one + more for one, more in zip(known, counts, strict=True))
        return found


@pytest.fixture
async def meter_of(parts: Backends) -> AsyncIterator[Callable[[str], Meter]]:
    """A meter for a database by name."""
    connection = await asyncpg.connect(parts.postgres.url())
    await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    yield lambda database: Meter(connection, database)
    await connection.close()


@dataclass(frozen=True, slots=True)
class Metered:
    """The small service of the kit's tests, and what its database is asked."""

    runtime: Runtime
    meter: Meter


@pytest.fixture
async def sample(
    parts: Backends, kafka: Kafka, create_database: Callable[..., str], meter_of: Callable[[str], Meter]
) -> AsyncIterator[Metered]:
    """On a database and topics of its own; one connection, so that nothing of a pool is counted."""
    name = create_database("registry", migrated=False)
    await migrate.upgrade(SAMPLE.migrations, parts.owner_url(name, "registry"))
    given = settings(
        database_url=parts.app_url(name, "registry"), kafka_bootstrap=parts.bootstrap, topic_prefix=name + ".",
        database_pool_size=1,
    )  # fmt: skip
    runtime = SAMPLE.runtime(given)
    await topics.create(runtime.settings.kafka(), runtime.contracts, prefix=name + ".")
    yield Metered(runtime, meter_of(name))
    await runtime.close()
