"""Messages that come again, that nobody can read, and readers that come and go."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

from aiokafka import AIOKafkaProducer
from faults.ground import Ground, fault
from faults.kinds.crashes import SERVICES
from kit.ids import new_id
from kit.testing import eventually
from private_stack import topics_of

STORMS, GUESTS = 3, 2


@fault("everything since the last look is delivered again")
async def replayed(ground: Ground) -> AsyncIterator[None]:
    """`replay --from` of every service, under load."""
    for service in SERVICES:
        done = await asyncio.to_thread(ground.stack.command, service, "replay", "--from", ground.quiet_at.isoformat())
        assert done.returncode == 0, done.stderr
    yield


@fault("a poison message")
async def poison(ground: Ground) -> AsyncIterator[None]:
    """Under a key of its own, with a canary in it; every reader of the topic sets it apart, an officer gives it up."""
    topic, key = ground.choose("registry.person", "disbursement.payment"), str(new_id())
    readers = [service for service in SERVICES if topic in topics_of(service)]
    canaries = ground.load.canaries
    nik = canaries.plant(canaries.nik(canaries.birthday(), "P"))
    body = ground.chance.choice((f'{{"nik": "{nik}", "broken', f'{{"nik": "{nik}"}}', nik * 40_000, "\x00"))
    async with AIOKafkaProducer(
        bootstrap_servers=ground.stack.system.kafka.bootstrap, max_request_size=4 * 1024 * 1024
    ) as producer:
        await producer.send_and_wait(topic, body.encode(), key=key.encode())
    for reader in readers:
        await eventually(lambda reader=reader: _parked(ground, reader, key), within=90)
        listed = await asyncio.to_thread(ground.stack.command, reader, "parked", "list")
        (line,) = [line for line in listed.stdout.splitlines() if key in line]
        why = ("--by", "operator-1", "--why", "unreadable, sender told")
        done = await asyncio.to_thread(
            ground.stack.command, reader, "parked", "discard", re.split(r"\s+", line)[0], *why
        )
        assert done.returncode == 0, done.stderr
    yield


@fault("a storm of rebalances", steps=0)
async def storm(ground: Ground) -> AsyncIterator[None]:
    """Other readers join the group and leave it by kill -9, one while another comes."""
    service = ground.choose("disbursement", "notifications")
    logs = ground.stack.system.logs
    for _ in range(STORMS):
        before = _joined(logs, service)
        async with AsyncExitStack() as guests:
            for _ in range(GUESTS):
                await guests.enter_async_context(ground.stack.another(service, "consume", instance=""))
            await eventually(lambda before=before: _all_joined(logs, service, before + GUESTS), within=120)
            await ground.load.moved(1)
    yield


def _joined(logs: Path, service: str) -> int:
    """How often readers beside the first were given partitions; each has a log of its own."""
    found = logs.glob(f"{service}-consume-*.log")
    return sum(log.read_text(errors="replace").count("partitions_assigned") for log in found)


async def _all_joined(logs: Path, service: str, count: int) -> bool:
    return _joined(logs, service) >= count


async def _parked(ground: Ground, reader: str, key: str) -> bool:
    return bool(await ground.stack.sql(reader, "SELECT 1 FROM parked WHERE key = $1 AND state = 'parked'", key))
