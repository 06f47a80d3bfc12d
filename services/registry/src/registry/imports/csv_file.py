"""CSV as offices send it: UTF-8, comma, semicolon or tab, quoted or not. Reads a stream in bounded memory.

Only `worker` and `upload` come in here. Encoding, NULs and marks are refused for the whole file: a guess would
misspell people.
"""

import codecs
import csv
from collections.abc import Iterable, Iterator
from typing import Protocol

from charset_normalizer import from_bytes

from registry.imports.layout import MAX_BLANK_ROWS, MAX_LINE, MAX_ROWS, Header, Unreadable, read_header

_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_SAMPLE = 65_536


class _Records(Iterator[list[str]], Protocol):
    """What `csv.reader` gives: records, and the number of the line where the last one ended."""

    @property
    def line_num(self) -> int: ...


class TextGate:
    """Looks at the bytes of a CSV while they arrive; raises Unreadable at the first that cannot stand in one.

    Codes: `berkas_ber_bom`, `berkas_ber_nul`, `berkas_bukan_utf8` (with the encoding that it looks like).
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")
        self._first = True
        self._line = 1

    def take(self, chunk: bytes, *, final: bool = False) -> str:
        """The text of this chunk; an unfinished character waits for the next."""
        if self._first and chunk:
            self._first = False
            if chunk.startswith(_MARKS):
                raise Unreadable("berkas_ber_bom", line=1)
        if b"\0" in chunk:
            raise Unreadable("berkas_ber_nul", line=self._line + chunk[: chunk.index(b"\0")].count(b"\n"))
        try:
            text = self._decoder.decode(chunk, final)
        except UnicodeDecodeError as fault:
            line = self._line + chunk[: fault.start].count(b"\n")
            raise Unreadable("berkas_bukan_utf8", line=line, looks_like=_guess(chunk)) from None
        self._line += chunk.count(b"\n")
        return text


def rows(chunks: Iterable[bytes]) -> tuple[Header, Iterator[tuple[int, list[str]]]]:
    """The header and then (line number, cells as written) of each row that is not blank.

    Raises Unreadable as `TextGate` and `read_header` do, and `baris_terlalu_panjang`, `tanda_kutip_rusak`,
    `terlalu_banyak_baris_kosong`, `terlalu_banyak_baris`. Lines count from 1, the header's; a cell may hold a line break.
    """
    lines = _lines(chunks)
    first = next(lines, None)
    if first is None or not first.strip():
        raise Unreadable("tajuk_kosong", line=1)
    reader = csv.reader(_with(first, lines), delimiter=_delimiter(first), strict=True)
    header = read_header(_next(reader, 1) or [])
    return header, _body(reader)


def _body(reader: _Records) -> Iterator[tuple[int, list[str]]]:
    blank = count = 0
    while True:
        line = reader.line_num + 1
        cells = _next(reader, line)
        if cells is None:
            return
        if not any(cells) or not any(cell.strip() for cell in cells):
            blank += 1
            if blank > MAX_BLANK_ROWS:
                raise Unreadable("terlalu_banyak_baris_kosong", line=line, limit=MAX_BLANK_ROWS)
            continue
        blank = 0
        count += 1
        if count > MAX_ROWS:
            raise Unreadable("terlalu_banyak_baris", line=line, limit=MAX_ROWS)
        yield line, cells


def _next(reader: _Records, line: int) -> list[str] | None:
    """The next record; a broken quote or a cell beyond the module's 131,072 characters ends the file."""
    try:
        return next(reader, None)
    except csv.Error as fault:
        code = "baris_terlalu_panjang" if "field limit" in str(fault) else "tanda_kutip_rusak"
        raise Unreadable(code, line=line) from None


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Lines with their ends, never holding more than a chunk and one line of at most MAX_LINE characters."""
    gate, rest, count = TextGate(), "", 0
    for chunk in chunks:
        *whole, rest = (rest + gate.take(chunk)).split("\n")
        for part in whole:
            count += 1
            if len(part) > MAX_LINE:
                raise Unreadable("baris_terlalu_panjang", line=count, limit=MAX_LINE)
            yield part + "\n"
        if len(rest) > MAX_LINE:
            raise Unreadable("baris_terlalu_panjang", line=count + 1, limit=MAX_LINE)
    rest += gate.take(b"", final=True)
    if rest:
        yield rest


def _with(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines


def _delimiter(first: str) -> str:
    return max(",;\t", key=first.count)


def _guess(chunk: bytes) -> str:
    best = from_bytes(chunk[:_SAMPLE]).best()
    return best.encoding if best else "unknown"
