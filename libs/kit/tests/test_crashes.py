"""Kill -9 at every crash point of the relay, the consumer and the sealer: nothing lost, nothing doubled, in order."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from kit.auth.actor import Actor
from kit.db import audit
from kit.db.audit_verify import verify
from kit.failpoints import POINTS
from kit.runtime import Runtime
from kit.service import Processes
from kit.testing.eventually import eventually
from sample_service import SAMPLE, tell
from sqlalchemy import text
from stack.processes import free_port

KEYS, EVENTS = 3, 6


def environment(runtime: Runtime, point: str) -> dict[str, str]:
    settings = runtime.settings
    return {
        **os.environ,
        "SAMPLE_PROFILE": "test",
        "SAMPLE_DATABASE_URL": settings.database_url.get_secret_value(),
        "SAMPLE_KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
        "SAMPLE_TOPIC_PREFIX": settings.topic_prefix,
        "SAMPLE_CONTRACTS_DIR": str(settings.contracts_dir),
        "SAMPLE_PORT": str(free_port()),
        "SAMPLE_INSTANCE": settings.instance,
        "SANTUN_FAILPOINT": point,
    }


async def run_until_it_dies(runtime: Runtime, part: str, point: str) -> None:
    """Start the part as a process armed at the point, and see it kill itself there."""
    main = Path(__file__).parent / "sample_service.py"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(main),
        part,
        env=environment(runtime, point),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(40):
        assert await process.wait() == -signal.SIGKILL


async def events_of(runtime: Runtime) -> None:
    things = [await tell(runtime) for _ in range(KEYS)]
    for amount in range(1, EVENTS):
        for thing in things:
            await tell(runtime, thing, amount=amount)


async def effects(runtime: Runtime) -> list[tuple[int, int, int, int]]:
    """Per key: how many effects, of how many events, first and last sequence."""
    async with runtime.begin(Actor.system("test")) as uow:
        rows = await uow.execute(
            text("SELECT count(*), count(DISTINCT event_id), min(sequence), max(sequence) FROM effect GROUP BY key")
        )
        return [tuple(row) for row in rows]  # type: ignore[misc]


async def settles(runtime: Runtime) -> None:
    """Run relay and consumer to rest and see every event applied once."""
    stop = asyncio.Event()
    processes = Processes(SAMPLE, runtime)
    running = [asyncio.create_task(processes.relay.run(stop)), asyncio.create_task(processes.consumer.run(stop))]
    expected = [(EVENTS, EVENTS, 1, EVENTS)] * KEYS

    async def done() -> bool:
        return await effects(runtime) == expected

    try:
        await eventually(done, within=30)
    finally:
        stop.set()
        await asyncio.gather(*running)


@pytest.mark.faults
@pytest.mark.parametrize("point", [p for p in POINTS if p.startswith("relay.")])
async def test_a_relay_killed_anywhere_loses_and_doubles_nothing(sample: Runtime, point: str) -> None:
    await events_of(sample)
    await run_until_it_dies(sample, "relay", point)
    await settles(sample)


@pytest.mark.faults
@pytest.mark.parametrize("point", [p for p in POINTS if p.startswith("consumer.")])
async def test_a_consumer_killed_anywhere_loses_and_doubles_nothing(sample: Runtime, point: str) -> None:
    await events_of(sample)
    await Processes(SAMPLE, sample).relay.once()
    await run_until_it_dies(sample, "consume", point)
    await settles(sample)


@pytest.mark.faults
@pytest.mark.parametrize("point", [p for p in POINTS if p.startswith("sealer.")])
async def test_a_sealer_killed_anywhere_leaves_a_whole_chain(sample: Runtime, point: str) -> None:
    await events_of(sample)
    await run_until_it_dies(sample, "work", point)
    sealed = 0

    async def all_are_sealed() -> bool:
        # The lock of the killed sealer stands until the database has seen that its client is gone.
        nonlocal sealed
        sealed += await audit.seal(sample)
        return sealed == KEYS * EVENTS

    await eventually(all_are_sealed)
    assert verify(await audit.export(sample)) == []
