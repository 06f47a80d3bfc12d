"""Killed with SIGKILL at every named point of an import, the next worker finishes it: nothing lost, nothing twice."""

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter

import pytest

WORKER = """
import asyncio
from registry.app import SERVICE
from registry.imports import parsing, staging, worker
from registry.settings import Settings
from kit.db import bulk
parsing.BATCH = 30
bulk.CHUNK = 40
async def run():
    runtime = SERVICE.runtime(Settings())
    await worker.work(runtime)
    await runtime.close()
asyncio.run(run())
"""
POINTS = ("import.after_staging", "import.after_staging:2", "import.after_rejects", "import.mid_insert", "import.mid_insert:2",
    "import.before_commit:4", "import.before_commit:7", "import.before_commit:12", "import.after_commit:9")  # fmt: skip


async def worker_process(office, failpoint: str = "") -> int:
    """One pass of the worker in a process of its own; its exit status."""
    settings = office.registry.settings
    environment = {
        "REGISTRY_PROFILE": "test",
        "REGISTRY_DATABASE_URL": settings.database_url.get_secret_value(),
        "REGISTRY_CONTRACTS_DIR": str(settings.contracts_dir),
        "REGISTRY_IMPORTS_DIR": str(settings.imports_dir),
        "SANTUN_FAILPOINT": failpoint,
    }
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", WORKER],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr[-2000:]
    return done.returncode


async def finish(office, run, failpoint: str) -> int:
    """Work, approve and work again, killing at the point; how often the process died."""
    kills = 0
    for _ in range(12):
        state = (await office.read(run))["state"]
        if state == "applied":
            return kills
        if state == "ready":
            assert (await office.approve(run)).status_code == 200
        died = await worker_process(office, failpoint) != 0
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
async def test_killed_at_each_point_an_import_is_finished_once(service_factory, lists, tmp_path):
    from services.registry.tests.component.test_imports.conftest import Office

    lines = lists.listed(40, broken=0.05)
    expected = None
    for number, point in enumerate(("", *POINTS)):
        folder = tmp_path / str(number)
        office = Office(await service_factory("registry", imports_dir=folder), folder)
        run = await office.upload(lists.as_csv(lines))
        kills = await finish(office, run, point)
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
