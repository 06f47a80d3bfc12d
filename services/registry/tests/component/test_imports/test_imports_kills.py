"""Killed with SIGKILL at every named point of an import, the next worker finishes it: nothing lost, nothing twice."""

import asyncio
import json
import signal
import subprocess
import sys
from collections import Counter

import pytest

NURSERY = """
import asyncio, importlib, json, os, sys
import kit.failpoints
from kit.db import bulk
from registry.app import SERVICE
from registry.imports import parsing, worker
from registry.settings import Settings
parsing.BATCH, bulk.CHUNK = 30, 40
async def run():
    runtime = SERVICE.runtime(Settings())
    await worker.work(runtime)
    await runtime.close()
for line in sys.stdin:
    if not (child := os.fork()):
        os.dup2(2, 1)
        os.environ.update(json.loads(line))
        importlib.reload(kit.failpoints)
        asyncio.run(run())
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Everything imported once; each pass of the worker is a process forked from it, which starts in no time."""
POINTS = ("import.after_staging", "import.after_staging:2", "import.after_rejects", "import.mid_insert", "import.mid_insert:2",
    "import.before_commit:4", "import.before_commit:7", "import.before_commit:12", "import.after_commit:9")  # fmt: skip


@pytest.fixture
def nursery():
    """The process that the workers are born of."""
    with subprocess.Popen(
        [sys.executable, "-c", NURSERY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.stdin.close()


async def worker_process(nursery, office, failpoint: str) -> int:
    """One pass of the worker in a process of its own; its exit status."""
    settings = office.registry.settings
    environment = {
        "REGISTRY_PROFILE": "test",
        "REGISTRY_DATABASE_URL": settings.database_url.get_secret_value(),
        "REGISTRY_CONTRACTS_DIR": str(settings.contracts_dir),
        "REGISTRY_IMPORTS_DIR": str(settings.imports_dir),
        "SANTUN_FAILPOINT": failpoint,
    }
    nursery.stdin.write(json.dumps(environment) + "\n")
    nursery.stdin.flush()
    status = int(await asyncio.to_thread(nursery.stdout.readline))
    assert status in (0, -signal.SIGKILL), status
    return status


async def finish(nursery, office, run, failpoint: str) -> int:
    """Work, approve and work again, killing at the point; how often the process died."""
    kills = 0
    for _ in range(12):
        state = (await office.read(run))["state"]
        if state == "applied":
            return kills
        if state == "ready":
            assert (await office.approve(run)).status_code == 200
        died = await worker_process(nursery, office, failpoint) != 0
        kills += died
        if died:
            failpoint = ""
    raise AssertionError("the import never ended")


async def told(office) -> Counter:
    """How often each kind of event was told, and no number of a key missing or twice."""
    events = await office.registry.outbox()
    numbers = Counter((e.topic, e.key, e.sequence) for e in events)
    assert max(numbers.values()) == 1
    for (topic, key), last in {
        (t, k): max(s for t2, k2, s in numbers if (t2, k2) == (t, k)) for t, k, _ in numbers
    }.items():
        assert {s for t, k, s in numbers if (t, k) == (topic, key)} == set(range(1, last + 1))
    return Counter(e.name for e in events)


@pytest.mark.timeout(600)
@pytest.mark.faults
async def test_killed_at_each_point_an_import_is_finished_once(service_factory, lists, nursery, tmp_path):
    from services.registry.tests.component.test_imports.conftest import Office

    lines = lists.listed(40, broken=0.05)
    expected = None
    for number, point in enumerate(("", *POINTS)):
        folder = tmp_path / str(number)
        office = Office(await service_factory("registry", imports_dir=folder), folder)
        run = await office.upload(lists.as_csv(lines))
        kills = await finish(nursery, office, run, point)
        report = await office.read(run)
        found = (await office.counts(), await told(office), report["rows_read"], report["rows_ok"], report["reasons"])
        expected = expected or found
        assert found == expected, point
        assert kills == (1 if point else 0), point


@pytest.mark.faults
async def test_staging_lost_with_the_database_is_read_once_more_from_the_kept_file(office, lists):
    lines = lists.listed(30)
    run = await office.upload(lists.as_csv(lines))
    await office.work()
    await office.approve(run)
    staging = "import_staging_" + run["id"].replace("-", "")
    await office.registry.sql(f'TRUNCATE "{staging}"')  # what a crash of the database does to an unlogged table
    await office.work()
    assert (await office.read(run))["state"] == "applied"
    assert (await office.counts())["person"] == len(lines)
