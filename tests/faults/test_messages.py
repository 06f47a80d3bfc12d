"""Messages that come again, and messages that nobody can read."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import AIOKafkaProducer
from faults.desk import Desk
from kit.testing import eventually
from private_stack import PrivateStack, topics_of

pytestmark = pytest.mark.long

PERSON = "registry.person"
NIK = "3276031703500001"


async def test_every_event_delivered_twice_changes_nothing(stack: PrivateStack, desk: Desk):
    people = await desk.people(5)
    deaths = [await desk.death(person) for person in people]
    for number, death in enumerate(deaths[:2], 1):
        assert (await desk.certify(death, int(datetime.now(UTC).timestamp()) % 9_000 + number)).status_code == 200
    await stack.at_rest()
    before = await _calm(stack)
    began = datetime.now(UTC) - timedelta(hours=6)
    for service in stack.members:
        told = len(await stack.sql(service, "SELECT 1 FROM outbox WHERE created_at >= $1", began))
        done = await asyncio.to_thread(stack.command, service, "replay", "--from", began.isoformat())
        assert f"{told} events published again" in done.stdout, done.stderr
    await stack.at_rest()
    after = await _calm(stack)
    assert {s: _differing(before[s], after[s]) for s in stack.members} == {s: set() for s in stack.members}


async def test_a_poison_message_blocks_its_key_and_nothing_else(stack: PrivateStack, desk: Desk):
    poisoned, healthy = await desk.people(2)
    await stack.at_rest()
    async with AIOKafkaProducer(bootstrap_servers=stack.system.kafka.bootstrap) as producer:
        # as long as the key is parked its next events wait; every other key goes on
        await producer.send_and_wait(PERSON, f'{{"nik": "{NIK}", "broken'.encode(), key=poisoned.encode())
    readers = [service for service in stack.members if PERSON in topics_of(service)]
    for reader in readers:
        await eventually(lambda reader=reader: _parked(stack, reader, 1), within=30)
    await desk.death(poisoned)
    await desk.death(healthy)
    for reader in readers:
        await eventually(lambda reader=reader: _taken_in(stack, reader, healthy), within=30)
        await eventually(lambda reader=reader: _parked(stack, reader, 2), within=30)
    for reader in readers:
        await _resolve(stack, reader, poisoned)
    await stack.at_rest()
    for reader in readers:
        assert await _taken_in(stack, reader, poisoned)
        states = await stack.sql(reader, "SELECT state, resolved_by FROM parked WHERE key = $1", poisoned)
        assert {row["state"] for row in states} == {"discarded", "redriven"}
        assert {row["resolved_by"] for row in states} == {"operator-1"}


async def _resolve(stack: PrivateStack, reader: str, key: str) -> None:
    """As the runbook says: look, give the unreadable one up with a reason, handle again what waited behind it."""
    listed = await asyncio.to_thread(stack.command, reader, "parked", "list")
    assert NIK not in listed.stdout + listed.stderr
    broken, *behind = [line for line in listed.stdout.splitlines() if key in line]
    assert "broken_envelope" in broken
    assert all("behind_parked" in line for line in behind)
    ids = [re.split(r"\s+", line)[0] for line in (broken, behind[0])]
    why = ("--by", "operator-1", "--why", "unreadable, sender told")
    done = await asyncio.to_thread(stack.command, reader, "parked", "discard", ids[0], *why)
    assert done.returncode == 0, done.stderr
    done = await asyncio.to_thread(stack.command, reader, "parked", "redrive", ids[1], "--by", "operator-1")
    assert f"{len(behind)} messages handled" in done.stdout, done.stdout + done.stderr
    left = await asyncio.to_thread(stack.command, reader, "parked", "list")
    assert key not in left.stdout


async def _parked(stack: PrivateStack, reader: str, least: int) -> bool:
    return len(await stack.sql(reader, "SELECT 1 FROM parked WHERE state = 'parked'")) >= least


async def _taken_in(stack: PrivateStack, reader: str, key: str) -> bool:
    """Whether the reader's position on this key is that of the key's last event."""
    told = await stack.sql("registry", "SELECT max(sequence) FROM outbox WHERE topic = $1 AND key = $2", PERSON, key)
    seen = await stack.sql(
        reader, "SELECT last_sequence FROM stream_position WHERE topic = $1 AND key = $2", PERSON, key
    )
    return bool(seen) and seen[0][0] == told[0][0]


async def _calm(stack: PrivateStack) -> dict[str, dict[str, str]]:
    """Fingerprints of all tables once two looks in a row are the same: jobs still at work have ended."""
    last: dict[str, dict[str, str]] = {}

    async def same() -> bool:
        nonlocal last
        now = {service: await stack.digest(service) for service in stack.members}
        last, before = now, last
        return now == before

    await eventually(same, within=60, every=1.5)
    return last


def _differing(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {table for table in before if before[table] != after[table]}
