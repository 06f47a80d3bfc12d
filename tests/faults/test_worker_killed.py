"""The sender of messages dies after it took a message and after the provider took it: everybody is told, nobody twice."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
from faults.calls import Calls
from faults.canaries import Canaries
from faults.desk import Desk
from faults.links import LinkedStack
from faults.payday import Payday
from kit.failpoints import POINTS
from kit.testing import eventually

POINTS_OF_THE_WORKER = [point for point in POINTS if point.startswith("worker.")]


async def test_a_sender_killed_at_each_of_its_points_tells_everybody_once(stack: LinkedStack, desk: Desk):
    payday = await Payday(Calls(desk.office), Canaries(seed=47)).open(elders=2)
    await stack.at_rest()
    await _calm(stack, desk)
    stack.kill("notifications")
    await payday.paid()
    async with _time_passes(desk):
        for point in POINTS_OF_THE_WORKER:
            await stack.restart_armed("notifications", point)
    await stack.start("notifications")
    await _calm(stack, desk)
    await stack.at_rest()
    for elder in payday.elders:
        told = await _heard(stack, elder.phone)
        assert told, "nobody told her anything"
        assert set(told.values()) == {1}, told
        sent = await stack.sql(
            "notifications", "SELECT 1 FROM message WHERE person_id = $1 AND state <> 'skipped'", elder.id
        )
        assert len(sent) == sum(told.values())


@asynccontextmanager
async def _time_passes(desk: Desk) -> AsyncIterator[None]:
    """A minute of business a second: what a dead sender held is free again after two of them."""

    async def minutes() -> None:
        while True:
            await asyncio.sleep(1)
            desk.office.move_clock(desk.office.now() + timedelta(minutes=1))

    passing = asyncio.create_task(minutes())
    try:
        yield
    finally:
        passing.cancel()


async def _calm(stack: LinkedStack, desk: Desk) -> None:
    """Time passes until no message to a telephone waits to be sent, asked about or tried again."""

    async def still() -> bool:
        rows = await stack.sql(
            "notifications",
            "SELECT DISTINCT state FROM message WHERE state IN ('planned', 'rendered', 'queued', 'sending', 'unknown', 'retry_wait')",
        )
        if rows:
            desk.office.move_clock(desk.office.now() + timedelta(minutes=1))
        return not rows

    await eventually(still, within=60, every=1.0)


async def _heard(stack: LinkedStack, phone: str) -> Counter[str]:
    """What the provider has told this number, each text with how often."""
    url = f"http://127.0.0.1:{stack.ports.gateways['sms']}"
    async with httpx.AsyncClient(base_url=url, timeout=10) as provider:
        every = plain_list(await provider.get("/admin/messages?limit=200"))
    return Counter(one["text"] for one in every if one["to"].endswith(phone[1:]))


def plain_list(answer: httpx.Response) -> list[dict[str, str]]:
    """The rows of an answer."""
    answer.raise_for_status()
    return list(answer.json())
