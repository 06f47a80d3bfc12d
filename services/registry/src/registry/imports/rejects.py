"""The reject file: lines that were not taken, or taken with a warning, with line, column and reason behind them.

A corrected reject file is a list again and may be uploaded as it is. The cells are read once more from the kept upload; nothing rejected is stored anywhere else.
"""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path
from typing import IO
from uuid import UUID

import xlsxwriter
import yaml
from kit.auth.actor import Actor
from kit.errors import TooLarge
from kit.runtime import Runtime

from registry.imports import queries
from registry.imports.commands import uploads_of
from registry.imports.layout import REJECT_COLUMNS, guard
from registry.imports.parsing import rows_of
from registry.imports.queries import Fault
from registry.imports.tables import ImportRun

_FAULTS = 2_000
MOST_SHEET_ROWS = 50_000
"""Lines of a reject sheet; a CSV has no limit, since it is streamed."""


async def as_csv(runtime: Runtime, actor: Actor, run: ImportRun, *, rejected: bool) -> AsyncIterator[bytes]:
    """The file piece by piece, in the delimiter that offices' spreadsheets open: a comma."""
    async for lines in _lines(runtime, actor, run, rejected=rejected):
        text = io.StringIO()
        csv.writer(text, lineterminator="\r\n").writerows([guard(cell) for cell in line] for line in lines)
        yield text.getvalue().encode()


async def as_xlsx(runtime: Runtime, actor: Actor, run: ImportRun, *, rejected: bool) -> bytes:
    """The file as one sheet, every cell a text. Raises TooLarge (413) above MOST_SHEET_ROWS: ask for the CSV then."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    sheet = book.add_worksheet("Ditolak" if rejected else "Peringatan")
    row = 0
    async for lines in _lines(runtime, actor, run, rejected=rejected):
        for line in lines:
            if row > MOST_SHEET_ROWS:
                raise TooLarge(MOST_SHEET_ROWS, "rows")
            for column, cell in enumerate(line):
                sheet.write_string(row, column, guard(cell))
            row += 1
    await asyncio.to_thread(book.close)
    return target.getvalue()


async def _lines(runtime: Runtime, actor: Actor, run: ImportRun, *, rejected: bool) -> AsyncIterator[list[list[str]]]:
    """Header, then the faulty lines in the order of the upload, some at a time."""
    texts = reason_texts(runtime.settings.contracts_dir)
    with uploads_of(runtime).open(run.id, run.file_bytes, run.file_key_enc) as file:
        upload = await asyncio.to_thread(_Upload, file, run.format)
        yield [[*upload.names, *REJECT_COLUMNS]]
        after = 0
        while faults := await _faults(runtime, actor, run.id, after, rejected=rejected):
            after = faults[-1].line
            yield await asyncio.to_thread(upload.lines, faults, texts)


async def _faults(runtime: Runtime, actor: Actor, run_id: UUID, after: int, *, rejected: bool) -> list[Fault]:
    async with runtime.begin(actor) as uow:
        return await queries.faults_after(uow, run_id, after, rejected=rejected, take=_FAULTS)


class _Upload:
    """The kept upload, read forward once beside the faults."""

    def __init__(self, file: IO[bytes], form: str) -> None:
        self._header, self._rows = rows_of(file, form)
        self._places = [i for i, name in enumerate(self._header.names) if name not in REJECT_COLUMNS]
        self.names = [self._header.names[i] for i in self._places]

    def lines(self, faults: list[Fault], texts: dict[str, str]) -> list[list[str]]:
        """The cells of these lines with what is wrong behind them; cells too many stand at the very end."""
        found: list[list[str]] = []
        waiting: Iterator[Fault] = iter(faults)
        fault = next(waiting)
        for number, cells in self._rows:
            if number != fault.line:
                continue
            own = [cells[i] if i < len(cells) else "" for i in self._places]
            reasons = "; ".join(f"{code}: {texts[code]}" if code in texts else code for code in fault.codes)
            columns = ", ".join(dict.fromkeys(column for column in fault.columns if column))
            found.append([*own, str(number), columns, reasons, *cells[len(self._header.names) :]])
            upcoming = next(waiting, None)
            if upcoming is None:
                break
            fault = upcoming
        return found


@cache
def reason_texts(contracts: Path) -> dict[str, str]:
    """The Indonesian sentence of each reason that has no blanks to fill."""
    reasons = yaml.safe_load((contracts / "reference" / "reasons.yaml").read_text("utf-8"))
    return {code: text["id"] for code, text in reasons.items() if "{" not in text["id"]}
