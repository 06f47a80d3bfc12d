"""No space left: for the tables, for the log of the database, for the files that are uploaded."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
from faults.disks import SmallDisk, lacking, small_disk, small_disk_over
from faults.ground import Ground, fault
from faults.kinds.servers import stop_database
from faults.links import TEMPORARY
from faults.lists import FORM, see_through, written
from kit.ids import new_id
from kit.testing import eventually

SPARE_MB = 24
"""Room beside what is there, all of it taken by the ballast."""
REFUSALS = 5
"""So many callers are sent away before the space comes back."""
SHEET = b"no,nama\n" + b"1,x\n" * 500_000
"""Two megabytes: more than an upload may keep in memory."""


@fault("no space for the tables", steps=0, lacking=lacking)
async def tables_full(ground: Ground) -> AsyncIterator[None]:
    """What needs a new page is refused, and nothing has to be started again when there is space."""
    async with _on_small_disk(ground, "base") as disk:
        running = {name: ground.stack.pid(name) for name in ("PostgreSQL", *ground.stack.members)}
        disk.fill()
        await _sent_away(ground)
        assert disk.full
        disk.free()
        await ground.load.moved(2)
        assert running == {name: ground.stack.pid(name) for name in running}
        yield


@fault("no space for the log of the database", steps=0, lacking=lacking)
async def log_full(ground: Ground) -> AsyncIterator[None]:
    """PostgreSQL ends rather than promise what it cannot keep; somebody makes space and starts it."""
    async with _on_small_disk(ground, "pg_wal") as disk:
        disk.fill()
        await eventually(lambda: _ended(ground), within=120)
        await _sent_away(ground)
        yield
        disk.free()
        await ground.stack.start("PostgreSQL")


@fault("no space for what is uploaded", lacking=lacking)
async def uploads_full(ground: Ground) -> AsyncIterator[None]:
    """Neither where uploads arrive nor where they are kept: 503, nothing stays behind, and the same command goes later."""
    system, content = ground.stack.system, written(ground.chance)
    with small_disk_over(system.data / TEMPORARY, megabytes=8) as disk:

        async def let_go() -> bool:
            return disk.used == nothing

        nothing = disk.used
        await _upload(ground, SHEET, str(new_id()))  # Python looks for a good place once, and would look elsewhere
        await eventually(let_go)  # the answer comes before its file is closed, and that would make room afterwards
        disk.fill()
        await _refused(ground, SHEET)
    folder = system.data / "imports"
    with small_disk_over(folder, megabytes=1) as disk:
        await _refused(ground, SHEET)  # breaks off in the middle of the file
        assert list(folder.iterdir()) == []
        disk.fill()
        key = await _refused(ground, content)
        assert [file.name for file in folder.iterdir()] == [disk.ballast.name]
        yield
        disk.free()
        answer = await _upload(ground, content, key)
        assert answer.status_code == httpx.codes.CREATED, answer.text
        await see_through(ground.calls, answer.json())


@asynccontextmanager
async def _on_small_disk(ground: Ground, part: str) -> AsyncIterator[SmallDisk]:
    """The database with one of its folders on a small disk; stopped in order to get there and to come back."""
    folder: Path = ground.stack.system.postgres.data / part
    await stop_database(ground)
    with small_disk(folder, spare_mb=SPARE_MB) as disk:
        await ground.stack.start("PostgreSQL")
        yield disk
        await stop_database(ground)
    await ground.stack.start("PostgreSQL")


async def _sent_away(ground: Ground) -> None:
    """Callers hear 503. That nobody hears 500 is looked at after every fault."""
    aim = ground.calls.answers[503] + REFUSALS

    async def enough() -> bool:
        ground.load.check()
        return ground.calls.answers[503] >= aim

    await eventually(enough, within=150)


async def _ended(ground: Ground) -> bool:
    """Whether the server is gone; else it is pushed on to a segment of its log that has no room."""
    if not ground.stack.part("PostgreSQL").alive:
        return True
    try:
        await ground.stack.sql("registry", "SELECT pg_logical_emit_message(false, 'fault', 'x'), pg_switch_wal()")
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    return False


async def _refused(ground: Ground, content: bytes) -> str:
    """An upload that finds no room; its key."""
    key = str(new_id())
    answer = await _upload(ground, content, key)
    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, f"{answer.status_code} {answer.text}"
    assert "retry-after" in answer.headers
    return key


async def _upload(ground: Ground, content: bytes, key: str) -> httpx.Response:
    files = {"file": ("daftar.csv", content, "text/csv")}
    desk = ground.desk.office.desk("op_kab", "registry")
    return await desk.post("/v1/imports", headers={"Idempotency-Key": key}, files=files, data=FORM)
