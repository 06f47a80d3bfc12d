"""The pytest plugin of every test in this workspace: real PostgreSQL, real Kafka, services in process.

    async def test_a_death_is_announced(service_factory):
        registry = await service_factory("registry")
        async with registry.client("op_desa", regions=["32.76.03"]) as desk:
            answer = await desk.post("/v1/deaths", json={...})
        assert [event.type for event in await registry.outbox()] == [...]

Nothing is started before a test asks for it. Write: `postgres`, `kafka`, `create_database` for the raw parts,
`service_factory` for a whole service.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from stack import backends
from stack.backends import Backends
from stack.kafka import Kafka
from stack.postgres import Postgres

if TYPE_CHECKING:
    from stack.running import Running

_run: Path | None = None


def pytest_configure() -> None:
    """Begin the run, unless this is a worker of one."""
    global _run
    _run = backends.begin()


def pytest_unconfigure() -> None:
    """End the run that this process began."""
    global _run
    if _run is not None:
        backends.end(_run)
        _run = None


@pytest.fixture(scope="session")
def parts() -> Backends:
    """PostgreSQL and Kafka of this run, each started on first use."""
    return Backends(Path(os.environ[backends.RUN]), durable=False)


@pytest.fixture(scope="session")
def postgres(parts: Backends) -> Postgres:
    """The running PostgreSQL; `postgres.url(database)` connects as superuser."""
    return parts.postgres


@pytest.fixture(scope="session")
def kafka(parts: Backends) -> Kafka:
    """The running Kafka; `kafka.bootstrap` is its address."""
    return parts.kafka


@pytest.fixture
def create_database(parts: Backends) -> Iterator[Callable[..., str]]:
    """`create_database(service, migrated=True)`: a new database for this test alone, dropped after it; its name."""
    made: list[str] = []

    def create(service: str, *, migrated: bool = True) -> str:
        made.append(parts.create_database(service, migrated=migrated))
        return made[-1]

    yield create
    for name in made:
        parts.drop_database(name)


@pytest_asyncio.fixture
async def service_factory(parts: Backends) -> AsyncIterator[Callable[..., Awaitable["Running"]]]:
    """A function: awaited with a name it gives a whole service in this process, with a database and topics of its own.

    Keyword arguments are settings of the service. Everything is closed and dropped after the test.
    """
    from stack.running import Running

    running: list[Running] = []

    async def create(name: str, **settings: object) -> Running:
        service = await Running.start(parts, name, settings)
        running.append(service)
        return service

    yield create
    for service in reversed(running):
        await service.close()
