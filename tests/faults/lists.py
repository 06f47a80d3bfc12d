"""A family list that is uploaded, approved and applied while the registry dies of it."""

import random
import tempfile
from pathlib import Path
from typing import Any

from faults.calls import Calls
from kit.testing import eventually
from stack.synthetic.families import families, lines
from stack.synthetic.files import write_csv

FAMILIES = 12
Row = dict[str, Any]


FORM = {"source": "dtsen", "region_code": "32.76", "as_of": "2026-01-01"}


def written(chance: random.Random) -> bytes:
    """A list of other families each time."""
    with tempfile.TemporaryDirectory() as folder:
        path, seed = Path(folder) / "daftar.csv", chance.randrange(10**6)
        write_csv(path, lines(families(FAMILIES, seed=seed), broken=0.0, seed=seed))
        return path.read_bytes()


async def bring_list(calls: Calls, chance: random.Random) -> Row:
    """One list from its upload to its last line; the run as it ended."""
    return await see_through(calls, await calls.upload("op_kab", "registry", "/v1/imports", written(chance), FORM))


async def see_through(calls: Calls, run: Row) -> Row:
    """A list that was taken in, to its last line; the run as it ended."""
    run = await _until(calls, run, {"ready", "held"})
    who = "kabid" if run["state"] == "ready" else "kadis"
    await calls.ask(who, "registry", f"/v1/imports/{run['id']}/sample")
    await calls.do(who, "registry", f"/v1/imports/{run['id']}:approve", {}, version=run["version"])
    run = await _until(calls, run, {"applied"})
    assert run["rows_ok"] > FAMILIES, run
    return run


async def _until(calls: Calls, run: Row, states: set[str]) -> Row:
    async def reached() -> Row | None:
        found: Row = await calls.ask("op_kab", "registry", f"/v1/imports/{run['id']}")
        return found if found["state"] in states else None

    return await eventually(reached, within=240, every=0.5)
