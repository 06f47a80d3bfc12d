"""The synthetic list as files: CSV and XLSX, streamed, the same bytes for the same seed (CSV)."""

import csv
from collections.abc import Iterable
from pathlib import Path

import xlsxwriter

from stack.synthetic.families import COLUMNS


def write_csv(path: Path, lines: Iterable[list[str]], *, delimiter: str = ",") -> int:
    """Write header and lines as UTF-8; returns the number of lines without the header."""
    count = 0
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        writer.writerow(COLUMNS)
        for count, line in enumerate(lines, start=1):  # noqa: B007 - counted for the caller
            writer.writerow(line)
    return count


def write_xlsx(path: Path, lines: Iterable[list[str]]) -> int:
    """Write one sheet with every cell as text, so that a NIK keeps its sixteenth digit; returns the number of lines."""
    count = 0
    book = xlsxwriter.Workbook(
        str(path), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    sheet = book.add_worksheet("Daftar keluarga")
    for row, line in enumerate([list(COLUMNS)]):
        for column, value in enumerate(line):
            sheet.write_string(row, column, value)
    for count, line in enumerate(lines, start=1):
        for column, value in enumerate(line):
            if value:
                sheet.write_string(count, column, value)
    book.close()
    return count
