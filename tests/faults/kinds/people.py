"""People and clocks: the same command many times at once, a clock that jumps."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta

import httpx
from faults.desk import Desk
from faults.ground import Ground, fault
from faults.lists import FORM, see_through, written
from kit.ids import new_id

AT_ONCE = 30
CUTS = 8


@fault("the same command many times at once", steps=1)
async def double_submit(ground: Ground) -> AsyncIterator[None]:
    """One key, one effect, equal answers; whoever comes while it runs is told to wait."""
    person = await ground.load.person()
    key = {"Idempotency-Key": str(new_id())}
    form = Desk.report(person)

    async def post() -> httpx.Response:
        return await ground.desk.operator.post("/v1/deaths", json=form, headers=key)

    answers = await asyncio.gather(*(post() for _ in range(AT_ONCE)))
    made = [answer for answer in answers if answer.status_code == httpx.codes.CREATED]
    assert {answer.status_code for answer in answers} <= {201, 409, 503}
    assert len({answer.content for answer in made}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in made) == 1
    ground.load.done.deaths.append(person)
    yield


@fault("the same form under many keys at once", steps=1)
async def double_entry(ground: Ground) -> AsyncIterator[None]:
    """Two officers report the same death: one record, whoever was first; the others hear of it or add their report."""
    person = await ground.load.person()
    form = Desk.report(person)
    answers = await asyncio.gather(*(ground.desk.operator.post("/v1/deaths", json=form) for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {200, 201, 409, 503}
    rows = await ground.stack.sql("registry", "SELECT count(*) FROM death_record WHERE person_id = $1", person)
    assert rows[0][0] == 1
    yield


@fault("the business clock jumps")
async def clock_jump(ground: Ground) -> AsyncIterator[None]:
    """An hour ahead or behind, or two days ahead over midnight; afterwards it goes on from where it would have been."""
    office, jump = (
        ground.desk.office,
        ground.chance.choice((timedelta(hours=1), timedelta(hours=-1), timedelta(days=2))),
    )
    ground.said.append(str(jump))
    office.move_clock(office.now() + jump)
    yield
    office.move_clock(office.now() - jump)


class _CutOff(Exception):
    """The caller's connection is gone."""


@fault("uploads that are cut off in the middle", steps=0)
async def cut_uploads(ground: Ground) -> AsyncIterator[None]:
    """The caller goes away at any byte: nothing stays behind, and the whole file under the same key is the first."""
    desk, content, key = ground.desk.office.desk("op_kab", "registry"), written(ground.chance), str(new_id())
    whole = desk.build_request("POST", "/v1/imports", files={"file": ("daftar.csv", content, "text/csv")}, data=FORM)
    body, kept = await whole.aread(), ground.stack.system.data / "imports"
    headers = {"Idempotency-Key": key, "Content-Type": whole.headers["content-type"]}
    before = [await _runs(ground), sorted(kept.glob("*"))]
    for _ in range(CUTS):
        at = ground.chance.randrange(len(body))

        async def part(at: int = at) -> AsyncIterator[bytes]:
            yield body[:at]
            raise _CutOff

        with suppress(_CutOff, httpx.TransportError):
            await desk.post("/v1/imports", content=part(), headers=headers | {"Content-Length": str(len(body))})
    assert [await _runs(ground), sorted(kept.glob("*"))] == before
    yield
    run = await ground.calls.upload("op_kab", "registry", "/v1/imports", content, FORM, key=key)
    await see_through(ground.calls, run)
    assert await _runs(ground) == before[0] + 1


async def _runs(ground: Ground) -> int:
    return int((await ground.stack.sql("registry", "SELECT count(*) FROM import_run"))[0][0])
