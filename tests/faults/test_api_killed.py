"""The api dies anywhere inside a command: the repetition finds one effect, or makes it, and gives the same answer."""

import asyncio

import httpx
import pytest
from faults.desk import Desk
from kit.failpoints import POINTS
from kit.ids import new_id
from private_stack import PrivateStack

POINTS_OF_THE_API = [point for point in POINTS if point.startswith("api.")]


@pytest.mark.parametrize("point", POINTS_OF_THE_API)
async def test_a_command_repeated_after_a_kill_has_one_effect(stack: PrivateStack, desk: Desk, point: str):
    person = await desk.person()
    key = {"Idempotency-Key": str(new_id())}
    async with stack.another("registry", "api", point) as (url, died):
        async with httpx.AsyncClient(base_url=url, auth=desk.operator.auth, timeout=30) as other:
            with pytest.raises(httpx.TransportError):
                await other.post("/v1/deaths", json=desk.report(person), headers=key)
        await died()
    first = await desk.operator.post("/v1/deaths", json=desk.report(person), headers=key)
    again = await desk.operator.post("/v1/deaths", json=desk.report(person), headers=key)
    assert first.status_code == again.status_code == httpx.codes.CREATED
    assert first.content == again.content
    assert ("idempotency-replayed" in first.headers) == (point == "api.after_commit")
    assert "idempotency-replayed" in again.headers
    await desk.once_each([person])
    await stack.at_rest()


async def test_fifty_equal_posts_at_once_are_one_command(stack: PrivateStack, desk: Desk):
    person = await desk.person()
    key = {"Idempotency-Key": str(new_id())}

    async def post() -> httpx.Response:
        return await desk.operator.post("/v1/deaths", json=desk.report(person), headers=key)

    answers = await asyncio.gather(*(post() for _ in range(50)))
    statuses = {answer.status_code for answer in answers}
    assert statuses <= {httpx.codes.CREATED, httpx.codes.CONFLICT}, statuses
    made = [answer for answer in answers if answer.status_code == httpx.codes.CREATED]
    assert len({answer.content for answer in made}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in made) == 1
    assert all("retry-after" in answer.headers for answer in answers if answer not in made)
    assert (await post()).content == made[0].content
    await desk.once_each([person])
    await stack.at_rest()
