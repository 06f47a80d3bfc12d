"""The broker or the database goes away under writes and comes back: callers are told the truth, nothing is lost, all heals unaided."""

import asyncio
import shutil
import signal
from datetime import UTC, datetime, timedelta

import pytest
from faults.desk import Desk, Written
from kit.testing import eventually
from private_stack import PrivateStack
from stack import processes

pytestmark = pytest.mark.long


def _running(stack: PrivateStack) -> dict[str, int]:
    return {service: stack.pid(service) for service in stack.members}


async def test_writes_go_on_while_the_broker_is_down(stack: PrivateStack, desk: Desk):
    people, before = await desk.people(30), _running(stack)
    stack.kill("Kafka")
    async with desk.writing(people) as written:
        pass
    assert set(written.answers) == {201}, written.answers
    await stack.start("Kafka")
    await stack.at_rest()
    await desk.once_each(people)
    assert _running(stack) == before


async def test_a_broker_killed_under_writes_loses_nothing(stack: PrivateStack, desk: Desk):
    people = await desk.people(60)
    async with desk.writing(people) as written:
        await eventually(lambda: _done(written, 15))
        stack.kill("Kafka")
        await stack.start("Kafka")
    assert set(written.answers) == {201}, written.answers
    await stack.at_rest()
    await desk.once_each(people)


async def test_a_broker_that_lost_its_data_is_filled_again_by_replay(stack: PrivateStack, desk: Desk):
    """The topics are gone, the outboxes are not: `replay --from` publishes again with the same ids."""
    began = datetime.now(UTC) - timedelta(minutes=1)
    stack.kill("Kafka")
    people = await desk.people(5)
    for person in people:
        await desk.death(person)
    shutil.rmtree(stack.system.kafka.folder / "data")
    await stack.start("Kafka")
    await asyncio.to_thread(stack.system.make_topics, stack.said.append)
    for service in stack.members:
        done = await asyncio.to_thread(stack.command, service, "replay", "--from", began.isoformat())
        assert done.returncode == 0, done.stderr
    await stack.at_rest(within=90)
    await desk.once_each(people)


async def test_a_database_that_crashes_under_writes_is_waited_for(stack: PrivateStack, desk: Desk):
    """As `pg_ctl stop -m immediate`: no shutdown checkpoint, recovery at the next start."""
    people, before = await desk.people(60), _running(stack)
    async with desk.writing(people) as written:
        await eventually(lambda: _done(written, 15))
        child = stack.system.postgres.child
        assert child is not None
        assert await asyncio.to_thread(processes.stop, child, by=signal.SIGQUIT, within=10)
        await eventually(lambda: _refused(written, 8), within=30)
        await stack.start("PostgreSQL")
    assert set(written.answers) <= {201, 503}, written.answers
    assert _running(stack) == before
    await stack.at_rest()
    await desk.once_each(people)


async def test_data_survive_kill_9_of_everything(stack: PrivateStack, desk: Desk):
    people = await desk.people(30)
    for person in people[:10]:
        await desk.death(person)
    async with desk.writing(people[10:]) as written:
        await eventually(lambda: _done(written, 5))
        stack.kill()
        assert not any(part.alive for part in stack.system.parts)
        await asyncio.to_thread(stack.system.start, stack.said.append)
    await stack.at_rest()
    await desk.once_each(people)


async def test_services_killed_again_and_again_under_writes_lose_and_double_nothing(stack: PrivateStack, desk: Desk):
    people = await desk.people(80)
    async with desk.writing(people) as written:
        for service in (*stack.members, *reversed(stack.members)):
            await eventually(lambda so_far=len(written.done): _done(written, min(so_far + 3, len(people))))
            stack.kill(service)
            await stack.start(service)
    assert set(written.answers) <= {0, 201, 409, 503}, written.answers
    await stack.at_rest()
    await desk.once_each(people)


async def _done(written: Written, count: int) -> bool:
    return len(written.done) >= count


async def _refused(written: Written, count: int) -> bool:
    return written.answers[503] >= count
