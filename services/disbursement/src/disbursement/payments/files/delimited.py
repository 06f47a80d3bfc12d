"""Semicolon files as spreadsheets open them: UTF-8, quoted where needed, no cell that starts a formula."""

import csv
import io
from collections.abc import Iterable

from disbursement.payments.files.rows import MAX_RESULT_BYTES, FileRefused

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")


def write(rows: Iterable[Iterable[str]]) -> bytes:
    """The rows as bytes. A cell that a spreadsheet would run, or that starts with an apostrophe, gets one in front."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=";", lineterminator="\r\n")
    for row in rows:
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row])
    return buffer.getvalue().encode()


def read(content: bytes, columns: int, *, limit: int = MAX_RESULT_BYTES) -> list[list[str]]:
    """The rows, the guard apostrophe taken off. Raises FileRefused for size, encoding, NUL, and rows of another width."""
    if len(content) > limit:
        raise FileRefused("berkas_terlalu_besar", n=limit // 1_048_576)
    if b"\0" in content:  # no table could hold it
        raise FileRefused("berkas_rusak")
    try:
        text = content.decode("utf-8-sig")
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True) if row]
    except (UnicodeDecodeError, csv.Error) as fault:
        raise FileRefused("berkas_rusak") from fault
    for number, row in enumerate(rows, start=1):
        if len(row) != columns:
            raise FileRefused("berkas_rusak", row=number)
    return [[cell.removeprefix("'") for cell in row] for row in rows]
