"""A kept upload becomes staged rows, batch by batch, in bounded memory; after a kill it goes on behind the last batch.

Reading and sealing keep a processor busy, so they run beside the event loop, one batch ahead of the database.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO
from uuid import UUID

from kit.auth.actor import Actor
from kit.failpoints import failpoint
from kit.runtime import Runtime

from registry.imports import csv_file, staging, store, xlsx_file
from registry.imports.layout import Header
from registry.imports.lines import Finding, Line, Lines, List
from registry.imports.sealing import Sealer, Staged, unchanged
from registry.imports.tables import ImportRun
from registry.imports.upload import Uploads, chunks

BATCH = 2_000
"""Lines of one transaction while reading."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Judged lines; `last` is where reading goes on, `read` counts accepted and rejected ones."""

    lines: list[Line]
    findings: list[Finding]
    last: int
    read: int
    bytes_read: int

    @property
    def rejected(self) -> int:
        """Lines of this batch that cannot be a person."""
        return self.read - len(self.lines)


def rows_of(file: IO[bytes], form: str) -> tuple[Header, Iterator[tuple[int, list[str]]]]:
    """Header and rows of an upload, whatever its form. Raises Unreadable."""
    return xlsx_file.rows(file) if form == "xlsx" else csv_file.rows(chunks(file))


class Reading:
    """One pass over a kept upload from behind the line that was staged last."""

    def __init__(self, runtime: Runtime, run: ImportRun, districts: frozenset[str], file: IO[bytes]) -> None:
        self._file = file
        self.header, self._rows = rows_of(file, run.format)
        of = List(run.id, run.source, run.region_code, run.as_of, districts)
        self._lines = Lines(of, self.header, runtime.index)
        self._sealer = Sealer(run.id, runtime.fields, runtime.index)
        self._run_id = run.id
        self._after = run.staged_line

    def next(self) -> Batch:
        """The next batch; an empty one at the end. Raises Unreadable where the file stops being a list."""
        lines: list[Line] = []
        findings: list[Finding] = []
        last = read = 0
        for number, cells in self._rows:
            if number <= self._after:
                self._lines.pass_over(cells)
                continue
            line, found = self._lines.read(number, cells)
            findings += found
            if line is not None:
                lines.append(line)
            last, read = number, read + 1
            if read == BATCH:
                break
        return Batch(lines, findings, last, read, self._file.tell())

    def stage(self, batch: Batch, known: Mapping[str, bytes]) -> list[Staged]:
        """The rows to copy: sealed where they are new or say something else, else only their names."""
        return [
            unchanged(self._run_id, line) if known.get(line.ref) == line.digest else self._sealer.staged(line)
            for line in batch.lines
        ]


async def stage(runtime: Runtime, uploads: Uploads, run_id: UUID, actor: Actor) -> Header:
    """Stage every line of the upload that is not staged yet. Raises Unreadable; what was staged then is no use."""
    run, districts = await _resume(runtime, run_id, actor)
    file = uploads.open(run.id, run.file_bytes, run.file_key_enc)
    with file:
        reading = await asyncio.to_thread(Reading, runtime, run, districts, file)
        ahead = asyncio.create_task(asyncio.to_thread(reading.next))
        while (batch := await ahead).read:
            ahead = asyncio.create_task(asyncio.to_thread(reading.next))
            try:
                await _keep(runtime, run, reading, batch, actor)
            except BaseException:
                await asyncio.gather(ahead, return_exceptions=True)
                raise
            failpoint("import.after_staging")
    return reading.header


async def _resume(runtime: Runtime, run_id: UUID, actor: Actor) -> tuple[ImportRun, frozenset[str]]:
    """The run and where to go on; from the start when a crash of the database emptied the staging table."""
    async with runtime.begin(actor, origin="import") as uow:
        run = await store.lock(uow, run_id, None)
        if await staging.open_staging(uow, run_id) != run.staged_rows:
            await staging.start_over(uow, run_id)
            await store.restart(uow, run_id)
            await uow.session.refresh(run)
        return run, await store.districts(uow)


async def _keep(runtime: Runtime, run: ImportRun, reading: Reading, batch: Batch, actor: Actor) -> None:
    async with runtime.begin(actor, origin="import") as uow:
        known = await staging.known(uow, run.source, [line.ref for line in batch.lines])
        rows = await asyncio.to_thread(reading.stage, batch, known)
        await staging.fill(uow, run.id, rows, batch.findings)
        await store.progress(
            uow,
            run.id,
            line=batch.last,
            rows=len(rows),
            read=batch.read,
            rejected=batch.rejected,
            bytes_read=batch.bytes_read,
        )
