"""A link to the database that is half open: nobody says that the server is gone, and the service finds out by itself."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from faults.proxy import Links
from kit.db import engine as engines
from kit.testing import eventually
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from stack import processes
from stack.postgres import Postgres

SILENCE = 1.0
ONE = text("SELECT 1")


@pytest_asyncio.fixture
async def linked(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[AsyncEngine, Links]]:
    """A pool of one connection, soon out of patience, and the link that it goes through."""
    monkeypatch.setattr(engines, "SILENCE_SECONDS", SILENCE)
    links, near = Links(), processes.free_port()
    links.add("database", near, postgres.port)
    url = postgres.url().replace(f":{postgres.port}/", f":{near}/")
    engine = engines.create_engine(url, pool_size=1, name="dead")
    yield engine, links
    await engine.dispose()
    links.close()


async def test_a_silent_database_is_given_up_and_another_connection_serves(linked: tuple[AsyncEngine, Links]):
    engine, links = linked
    async with engine.connect() as connection:
        assert (await connection.execute(ONE)).scalar_one() == 1
        links.bereave("database")
        await asyncio.sleep(0.1)  # the link dies in another thread
        began = time.monotonic()
        with pytest.raises(DBAPIError):
            await connection.execute(ONE)
        assert SILENCE <= time.monotonic() - began < SILENCE + 5

    async def serves() -> bool:
        async with engine.connect() as connection:
            return bool((await connection.execute(ONE)).scalar_one() == 1)

    assert await eventually(serves)


async def test_a_commit_that_is_never_answered_is_given_up(linked: tuple[AsyncEngine, Links]):
    engine, links = linked
    async with asyncio.timeout(15):
        with pytest.raises(DBAPIError):
            async with engine.begin() as connection:
                await connection.execute(ONE)
                links.bereave("database")
                await asyncio.sleep(0.1)  # the link dies in another thread
