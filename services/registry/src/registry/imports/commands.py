"""Use cases of import runs. What the worker does between them stands in `worker`."""

import asyncio
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Conflict, Invalid
from kit.ids import new_id
from kit.runtime import Runtime

from registry.imports import queries, staging, store
from registry.imports.domain import (
    Approve,
    Command,
    Difference,
    Discard,
    Reject,
    Run,
    State,
    Totals,
    Upload,
    decide,
)
from registry.imports.events import ImportMoved
from registry.imports.layout import Unreadable
from registry.imports.parsing import rows_of
from registry.imports.queries import SampleRow
from registry.imports.tables import ImportRun
from registry.imports.upload import Uploads

FINAL = frozenset({State.APPLIED, State.REJECTED, State.DISCARDED})


@dataclass(frozen=True, slots=True)
class NewRun:
    """What is said about a file. `extent`: `full` (who is missing is gone) or `part`."""

    source: str
    region_code: str
    as_of: date
    extent: str
    client_ref: str | None = None


def uploads_of(runtime: Runtime) -> Uploads:
    """The folder of kept uploads, as settings name it."""
    settings: Any = runtime.settings
    return Uploads(Path(settings.imports_dir), runtime.fields, most_bytes=settings.import_max_bytes)


async def upload(uow: UnitOfWork, new: NewRun, file: IO[bytes]) -> tuple[ImportRun, bool]:
    """Take in a file. The same file again answers with its first run (second value False).

    Raises Invalid with the reason for what is no family list, TooLarge beyond the cap, Conflict while another list of
    this source and region is on its way, Refused. Nothing stays behind then.
    """
    uow.within(new.region_code)
    uploads, run_id = uploads_of(uow.runtime), new_id()
    try:
        kept = await asyncio.to_thread(uploads.keep, run_id, file)
        header = await asyncio.to_thread(_header, uploads, run_id, kept)
        known = await store.same_file(uow, new.source, new.region_code, new.as_of, kept.sha256)
        if known is not None:
            uploads.forget(run_id)
            return known, False
        newest = await store.newest_applied(uow, new.source, new.region_code)
        run, event = uow.settle(decide(None, Upload(new.as_of, newest), uow.context))
        if await store.open_run(uow, new.source, new.region_code) is not None:
            raise Conflict("impor_masih_berjalan")
        row = ImportRun(
            id=run_id, source=new.source, region_code=new.region_code, as_of=new.as_of, client_ref=new.client_ref,
            extent="part" if header.returned else new.extent, format=kept.format, file_sha256=kept.sha256,
            file_bytes=kept.size, file_key_enc=kept.key_enc, state=run.state,
        )  # fmt: skip
        await uow.save(row)
    except Unreadable as fault:
        uploads.forget(run_id)
        place = {} if fault.line is None else {"line": fault.line}
        raise Invalid.field("/file", fault.code, **place, **fault.params) from None
    except BaseException:
        uploads.forget(run_id)
        raise
    await uow.announce(row, event, ImportMoved.of(row))
    await uow.audit("upload", "import_run", row, after={"state": row.state, "sha256": row.file_sha256})
    return row, True


async def show_sample(uow: UnitOfWork, id: UUID) -> list[SampleRow]:
    """Fifty rows for the actor, who has seen them from now on: nobody approves without."""
    run = await queries.get(uow, id)
    await store.see_sample(uow, id)
    return await queries.sample(uow, run)


async def approve(uow: UnitOfWork, id: UUID, expected: int) -> ImportRun:
    """Let the list in: kabid for a ready one, kadis for a held one, never the uploader, and only after the sample."""
    seen = await store.sample_seen(uow, id)
    return await move(uow, id, Approve(seen), expected)


async def discard(uow: UnitOfWork, id: UUID, reason: str, expected: int) -> ImportRun:
    """Set the list aside; nothing of it was taken."""
    run = await move(uow, id, Discard(reason), expected)
    await staging.drop(uow, id)
    return run


async def move(uow: UnitOfWork, id: UUID, command: Command, expected: int | None) -> ImportRun:
    """One step of a run: load, decide, save, announce, audit."""
    row = await store.lock(uow, id, expected)
    before = row.state
    run, event = uow.settle(decide(_aggregate(row), command, uow.context))
    _take_over(row, run)
    if run.state is State.APPROVED:
        row.approved_at = uow.now
    if run.state in FINAL:
        row.finished_at = uow.now
        row.phase = "done"
    await uow.save(row)
    await uow.announce(row, event, ImportMoved.of(row))
    after = {"state": row.state, "brake": list(row.brake), "ok": row.rows_ok, "rejected": row.rows_rejected}
    reasons = [run.reason] if isinstance(command, Reject) and run.reason else []
    await uow.audit(
        type(command).__name__.lower(), "import_run", row, before={"state": before}, after=after, reasons=reasons
    )
    return row


async def reject(uow: UnitOfWork, id: UUID, fault: Unreadable) -> None:
    """The file cannot be read as a list after all: forget what was staged, say where and why."""
    await staging.start_over(uow, id)
    await staging.drop(uow, id)
    await store.restart(uow, id)
    row = await move(uow, id, Reject(fault.code), None)
    row.reason_line, row.reason_params = fault.line, dict(fault.params)


def _header(uploads: Uploads, run_id: UUID, kept: Any) -> Any:
    with uploads.open(run_id, kept.size, kept.key_enc) as file:
        return rows_of(file, kept.format)[0]


def _aggregate(row: ImportRun) -> Run:
    return Run(
        state=State(row.state),
        uploaded_by=row.created_by,
        as_of=row.as_of,
        totals=Totals(row.rows_read, row.rows_ok, row.rows_rejected),
        difference=Difference(row.current_rows, row.new_rows, row.changed_rows, row.unchanged_rows, row.gone_rows),
        brake=tuple(row.brake),
        approved_by=row.approved_by,
        reason=row.reason,
    )


def _take_over(row: ImportRun, run: Run) -> None:
    row.state, row.reason, row.approved_by, row.brake = run.state.value, run.reason, run.approved_by, list(run.brake)
    row.rows_read, row.rows_ok, row.rows_rejected = run.totals.read, run.totals.ok, run.totals.rejected
    row.current_rows, row.new_rows = run.difference.current, run.difference.new
    row.changed_rows, row.unchanged_rows, row.gone_rows = (
        run.difference.changed,
        run.difference.unchanged,
        run.difference.gone,
    )
