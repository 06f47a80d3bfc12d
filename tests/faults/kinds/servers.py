"""Database and broker: killed, away for a while, without their data, without a free connection, with a table locked."""

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
from faults.ground import Ground, fault
from faults.kinds.crashes import SERVICES
from stack import processes

LOCKED_SECONDS = 7.0
"""Longer than any statement waits for a lock (5 s)."""


@fault("kill -9 of the broker", steps=6)
async def broker_killed(ground: Ground) -> AsyncIterator[None]:
    """Work goes on without it."""
    ground.stack.kill("Kafka")
    yield
    await ground.stack.start("Kafka")


@fault("the broker lost its data", steps=0)
async def broker_lost(ground: Ground) -> AsyncIterator[None]:
    """As an operator mends it: services stopped, topics made again, each outbox published from the last good moment on."""
    ground.stack.kill("Kafka")
    yield
    await published_anew(ground)


async def published_anew(ground: Ground, meanwhile: Callable[[], Awaitable[None]] | None = None) -> None:
    """The topics are made again and filled from the outboxes, with the services stopped and what has to be done meanwhile.

    Whatever was announced before the last look had arrived, so nothing older is needed.
    """
    stack = ground.stack
    await asyncio.gather(*(asyncio.to_thread(stack.part(service).stop) for service in SERVICES))
    if meanwhile is not None:
        await meanwhile()
    if stack.part("Kafka").alive:
        stack.kill("Kafka")
    shutil.rmtree(stack.system.kafka.folder / "data")
    await stack.start("Kafka")
    await asyncio.to_thread(stack.system.make_topics, stack.said.append)
    for service in SERVICES:
        done = await asyncio.to_thread(stack.command, service, "replay", "--from", ground.quiet_at.isoformat())
        assert done.returncode == 0, done.stderr
    await stack.start(*SERVICES)


async def stop_database(ground: Ground, how: signal.Signals = signal.SIGINT) -> None:
    """End the server, in order (SIGINT) or at once (SIGQUIT), and wait until it is gone."""
    child = ground.stack.system.postgres.child
    assert child is not None
    assert await asyncio.to_thread(processes.stop, child, by=how, within=30)


@fault("crash of the database", steps=0)
async def database_crash(ground: Ground) -> AsyncIterator[None]:
    """SIGQUIT, as `pg_ctl stop -m immediate`: no checkpoint, recovery at the next start."""
    await stop_database(ground, signal.SIGQUIT)
    yield
    await ground.stack.start("PostgreSQL")


@fault("outage of the database", steps=0)
async def database_away(ground: Ground) -> AsyncIterator[None]:
    """Stopped in order, away for some seconds: callers hear 503, nobody 500."""
    await stop_database(ground)
    refused = ground.calls.answers[503]
    await asyncio.sleep(ground.chance.choice((2, 6)))  # as long as the fault lasts
    assert ground.calls.answers[503] >= refused
    yield
    await ground.stack.start("PostgreSQL")


@fault("an administrator ends every session of the database")
async def sessions_ended(ground: Ground) -> AsyncIterator[None]:
    """All at once, in the middle of whatever they do."""
    await _end_sessions(ground)
    yield


@fault("no connection to the database is free", steps=0)
async def exhausted(ground: Ground) -> AsyncIterator[None]:
    """Somebody else holds all of them, and those of the services are lost."""
    held: list[asyncpg.Connection] = []
    url = ground.stack.system.environment("grants")["GRANTS_DATABASE_URL"]
    try:
        for _ in range(2):
            try:
                while True:
                    held.append(await asyncpg.connect(url))
            except asyncpg.TooManyConnectionsError:
                await _end_sessions(ground, but=[one.get_server_pid() for one in held])
        await asyncio.sleep(3)  # as long as the fault lasts
    finally:
        await asyncio.gather(*(one.close() for one in held))
    yield


@fault("a table is locked longer than anybody waits", steps=0)
async def locked(ground: Ground) -> AsyncIterator[None]:
    """A maintenance command holds what every write needs."""
    service = ground.choose("registry", "disbursement")
    holder = await asyncpg.connect(ground.stack.system.postgres.url(service))
    try:
        async with holder.transaction():
            await holder.execute("LOCK TABLE audit IN EXCLUSIVE MODE")
            await asyncio.sleep(LOCKED_SECONDS)  # as long as the fault lasts
    finally:
        await holder.close()
    yield


async def _end_sessions(ground: Ground, *, but: list[int] | None = None) -> None:
    await ground.stack.sql(
        "registry",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend'"
        " AND pid <> pg_backend_pid() AND NOT pid = ANY($1::int[])",
        but or [],
    )
