"""Relay, consumer and import die at each of their points, one after the other, without a calm moment between; then all is whole."""

import asyncio
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from faults.desk import Desk
from kit.failpoints import POINTS
from kit.testing import eventually
from private_stack import PrivateStack, plain
from stack.synthetic.families import families, lines
from stack.synthetic.files import write_csv

FAMILIES = 40


def _points(part: str) -> list[str]:
    return [point for point in POINTS if point.startswith(f"{part}.")]


async def test_a_relay_killed_at_each_of_its_points_loses_and_doubles_nothing(stack: PrivateStack, desk: Desk):
    people = await desk.people(4)
    async with stack.another("registry", "api") as (url, _):
        stack.kill("registry")
        desk.operator.base_url = url  # the api is one process, the relay another
        for person in people:
            await desk.death(person)
    for point in _points("relay"):
        await stack.restart_armed("registry", point)
    await stack.start("registry")
    await stack.at_rest()
    await desk.once_each(people)


async def test_a_reader_killed_at_each_of_its_points_takes_everything_in_once(stack: PrivateStack, desk: Desk):
    people, reader = await desk.people(3), "disbursement"
    stack.kill(reader)
    for person in people:
        await desk.death(person)
    for point in _points("consumer"):
        await stack.restart_armed(reader, point)
        await desk.death(person := await desk.person())  # news for the next one to die of
        people.append(person)
    await stack.start(reader)
    await stack.at_rest()
    await desk.once_each(people)


@pytest.mark.long
async def test_an_import_killed_at_each_of_its_points_is_the_import_of_one_list(stack: PrivateStack, desk: Desk):
    before = await stack.counts("registry")
    await stack.restart_armed("registry", "import.after_staging", ready=True)
    run = await _upload(desk)
    await stack.died("registry")
    await stack.restart_armed("registry", "import.after_rejects")
    await stack.restart_armed("registry", "import.before_commit:4")
    await stack.start("registry")
    run = await _until(desk, run, {"ready", "held"})
    await stack.restart_armed("registry", "import.mid_insert", ready=True)
    await _approve(desk, run)
    await stack.died("registry")
    await stack.restart_armed("registry", "import.before_commit:5")
    await stack.start("registry")
    run = await _until(desk, run, {"applied"})
    await stack.at_rest()
    assert run["rows_ok"] > FAMILIES
    grown = {table: count - before[table] for table, count in (await stack.counts("registry")).items()}
    assert (grown["import_subject"], grown["family"]) == (run["rows_ok"], FAMILIES)
    assert grown["person"] == run["rows_ok"]
    again = await _upload(desk)
    assert again["id"] == run["id"]


async def _upload(desk: Desk) -> Mapping[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "daftar.csv"
        await asyncio.to_thread(write_csv, path, lines(families(FAMILIES, seed=77), broken=0.0, seed=77))
        form = {"source": "dtsen", "region_code": "32.76", "as_of": "2026-01-01"}
        content = await asyncio.to_thread(path.read_bytes)
    office = desk.office.desk("op_kab", "registry")
    return plain(await office.post("/v1/imports", files={"file": (path.name, content, "text/csv")}, data=form))


async def _until(desk: Desk, run: Mapping[str, Any], states: set[str]) -> Mapping[str, Any]:
    async def reached() -> Mapping[str, Any] | None:
        found = await desk.office.call("op_kab", "registry", "GET", f"/v1/imports/{run['id']}")
        return found if found["state"] in states else None

    found = await eventually(reached, within=60)
    assert found is not None
    return found


async def _approve(desk: Desk, run: Mapping[str, Any]) -> None:
    who = "kabid" if run["state"] == "ready" else "kadis"
    await desk.office.call(who, "registry", "GET", f"/v1/imports/{run['id']}/sample")
    await desk.office.call(who, "registry", "POST", f"/v1/imports/{run['id']}:approve", version=run["version"], json={})
