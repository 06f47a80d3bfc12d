"""XLSX as a stream: one pass over the first sheet in bounded memory, whatever the sheet claims to hold.

Only `worker` and `upload` come in here. The workbook libraries lay a sheet out as a full rectangle: two cells far apart
cost 1.2 GiB when it was tried, and a sheet may put them 16,384 by 1,048,576 apart. So the XML is read as it comes.
"""

import re
import zipfile
import zlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import IO
from xml.parsers import expat

from registry.imports.layout import (
    BIRTH_DATE,
    COLUMNS,
    DIED_ON,
    MAX_BLANK_ROWS,
    MAX_COLUMNS,
    MAX_LINE,
    MAX_ROWS,
    Header,
    Unreadable,
    read_header,
)

MAX_PARTS = 500
"""Files inside the archive."""
MAX_UNPACKED = 2 * 1024**3
"""Bytes of all parts together, as unpacked."""
MAX_RATIO = 250
"""Unpacked to packed; an honest sheet stays under 30."""
MAX_STRINGS_BYTES = 128 * 1024**2
"""Bytes of the table of shared texts; past it the list is to be sent as CSV, which needs no table."""
EXACT_DIGITS = 15
"""A number cell keeps no more digits than this: a NIK typed as a number has lost its last one."""
LOST_DIGITS = "≈"
"""Stands before a number that is no longer what was typed."""

_CHUNK = 65_536
_DAY_COLUMNS = (COLUMNS[BIRTH_DATE], COLUMNS[DIED_ON])
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})\Z")


def rows(file: IO[bytes]) -> tuple[Header, Iterator[tuple[int, list[str]]]]:
    """The header and then (sheet row, cells) of each row that is not blank, of the first sheet.

    Raises Unreadable: `bukan_lembar_kerja`, `berkas_terkunci`, `berkas_mengembang` (a decompression bomb), `lembar_terlalu_besar`,
    `xml_terlarang` (a document type), `sel_terlalu_panjang`, and as the CSV reader does for header and blank rows.
    """
    archive = _open(file)
    book = _book(archive)
    strings = _strings(archive)
    found = _filled(_sheet(archive, book, strings))
    first = next(found, None)
    if first is None:
        raise Unreadable("tajuk_kosong", line=1)
    header = read_header([cell.text for cell in first[1]], first[0])
    days = frozenset(i for i, name in enumerate(header.names) if name in _DAY_COLUMNS)
    width = len(header.names)
    return header, (
        (number, [_text(cell, i in days, book.epoch) for i, cell in enumerate(_fit(cells, width))])
        for number, cells in found
    )


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    number: bool = False


@dataclass(frozen=True, slots=True)
class _Book:
    sheet: str
    epoch: date


_EMPTY = _Cell("")


def _open(file: IO[bytes]) -> zipfile.ZipFile:
    """The archive, if its directory promises no more than the limits."""
    start = file.read(4)
    file.seek(0)
    if start == b"\xd0\xcf\x11\xe0":
        raise Unreadable("berkas_terkunci")
    try:
        archive = zipfile.ZipFile(file)
        parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError):
        raise Unreadable("bukan_lembar_kerja") from None
    packed = sum(part.compress_size for part in parts)
    unpacked = sum(part.file_size for part in parts)
    if len(parts) > MAX_PARTS or unpacked > MAX_UNPACKED or unpacked > MAX_RATIO * max(packed, 65_536):
        raise Unreadable("berkas_mengembang", limit=MAX_RATIO)
    if any(part.flag_bits & 1 for part in parts):
        raise Unreadable("berkas_terkunci")
    return archive


def _chunks(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """The unpacked bytes of a part; a part that lies about its size or sum is no XLSX."""
    try:
        with archive.open(name) as part:
            while chunk := part.read(_CHUNK):
                yield chunk
    except (KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, RuntimeError, ValueError):
        raise Unreadable("bukan_lembar_kerja") from None


def _parser() -> expat.XMLParserType:
    """A parser without name spaces that refuses document types, and with them every entity."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = MAX_LINE

    def forbid(*_: object) -> None:
        raise Unreadable("xml_terlarang")

    parser.StartDoctypeDeclHandler = forbid
    return parser


def _feed(parser: expat.XMLParserType, chunks: Iterator[bytes]) -> Iterator[None]:
    """Parse chunk by chunk, giving the caller a turn after each."""
    try:
        for chunk in chunks:
            parser.Parse(chunk)
            yield
        parser.Parse(b"", True)  # noqa: FBT003 - the call of the C library
        yield
    except (expat.ExpatError, LookupError, ValueError):  # the last two: an encoding that nobody knows, or not this one
        raise Unreadable("bukan_lembar_kerja") from None


def _book(archive: zipfile.ZipFile) -> _Book:
    """Where the first visible sheet stands, and from which day the book counts."""
    sheets: list[str] = []
    targets: dict[str, str] = {}
    epoch = date(1899, 12, 30)

    def workbook(name: str, attributes: dict[str, str]) -> None:
        nonlocal epoch
        local = name.rpartition(":")[2]
        if local == "sheet" and attributes.get("state", "visible") == "visible":
            sheets.append(next((v for k, v in attributes.items() if k.rpartition(":")[2] == "id"), ""))
        elif local == "workbookPr" and attributes.get("date1904") in ("1", "true"):
            epoch = date(1904, 1, 1)

    def relation(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == "Relationship":
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    for part, handler in (("xl/workbook.xml", workbook), ("xl/_rels/workbook.xml.rels", relation)):
        parser = _parser()
        parser.StartElementHandler = handler
        for _ in _feed(parser, _chunks(archive, part)):
            pass
    target = targets.get(sheets[0], "") if sheets else ""
    if not target:
        raise Unreadable("bukan_lembar_kerja")
    return _Book(target.lstrip("/") if target.startswith("/") else "xl/" + target, epoch)


class _Strings:
    """The shared texts in one buffer: a Python string each would cost four times the memory."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ends = array("Q", [0])

    def add(self, text: str) -> None:
        self._bytes += text[: MAX_LINE + 1].encode("utf-8", "surrogatepass")
        if len(self._bytes) > MAX_STRINGS_BYTES:
            raise Unreadable("lembar_terlalu_besar")
        self._ends.append(len(self._bytes))

    def __getitem__(self, index: int) -> str:
        if not 0 <= index < len(self._ends) - 1:
            raise Unreadable("bukan_lembar_kerja")
        return self._bytes[self._ends[index] : self._ends[index + 1]].decode("utf-8", "replace")


def _strings(archive: zipfile.ZipFile) -> _Strings:
    strings = _Strings()
    if "xl/sharedStrings.xml" not in archive.namelist():
        return strings
    text: list[str] = []
    state = {"in_text": False, "reading_aid": 0, "length": 0}

    def start(name: str, _: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "si":
            text.clear()
            state["length"] = 0
        elif local == "rPh":
            state["reading_aid"] += 1
        elif local == "t":
            state["in_text"] = not state["reading_aid"]

    def end(name: str) -> None:
        local = name.rpartition(":")[2]
        if local == "si":
            strings.add("".join(text))
        elif local == "rPh":
            state["reading_aid"] -= 1
        elif local == "t":
            state["in_text"] = False

    def data(value: str) -> None:
        if state["in_text"]:
            state["length"] += len(value)
            if state["length"] > MAX_LINE:
                raise Unreadable("sel_terlalu_panjang", limit=MAX_LINE)
            text.append(value)

    parser = _parser()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, data
    for _ in _feed(parser, _chunks(archive, "xl/sharedStrings.xml")):
        pass
    return strings


class _Sheet:
    """Collects the cells of rows while the parser walks over a sheet; `done` are rows not yet handed on."""

    def __init__(self, strings: _Strings) -> None:
        self._strings = strings
        self.done: list[tuple[int, list[_Cell]]] = []
        self.number = 0
        self._cells: list[_Cell] = []
        self._column = 0
        self._kind = "n"
        self._text: list[str] = []
        self._length = 0
        self._listening = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name in ("v", "t"):
            self._listening = True
        elif name == "c":
            self._kind = attributes.get("t", "n")
            self._text.clear()
            self._length = 0
            reference = attributes.get("r")
            self._column = len(self._cells) if reference is None else self._place(reference)
        elif name == "row":
            number = attributes.get("r", "")
            self.number = int(number) if number.isdecimal() and len(number) <= 7 else self.number + 1  # noqa: PLR2004
            self._cells = []

    def data(self, value: str) -> None:
        if self._listening:
            self._length += len(value)
            if self._length > MAX_LINE:
                raise Unreadable("sel_terlalu_panjang", line=self.number, limit=MAX_LINE)
            self._text.append(value)

    def end(self, name: str) -> None:
        if name in ("v", "t"):
            self._listening = False
        elif name == "c":
            self._finish_cell()
        elif name == "row":
            self.done.append((self.number, self._cells))

    def _finish_cell(self) -> None:
        value = "".join(self._text).strip()
        if not value:
            return
        if self._kind == "s":
            value = self._strings[int(value)] if value.isdecimal() and len(value) < 12 else ""  # noqa: PLR2004
        if self._column >= MAX_COLUMNS:
            raise Unreadable("kolom_terlalu_banyak", line=self.number, limit=MAX_COLUMNS)
        while len(self._cells) <= self._column:
            self._cells.append(_EMPTY)
        self._cells[self._column] = _Cell(value, self._kind == "n")

    def _place(self, reference: str) -> int:
        match = _REFERENCE.match(reference)
        if match is None:
            raise Unreadable("bukan_lembar_kerja", line=self.number)
        column = 0
        for letter in match[1]:
            column = column * 26 + ord(letter) - 64
        return column - 1


def _sheet(archive: zipfile.ZipFile, book: _Book, strings: _Strings) -> Iterator[tuple[int, list[_Cell]]]:
    sheet, parser = _Sheet(strings), _parser()
    parser.StartElementHandler = lambda name, attributes: sheet.start(name.rpartition(":")[2], attributes)
    parser.EndElementHandler = lambda name: sheet.end(name.rpartition(":")[2])
    parser.CharacterDataHandler = sheet.data
    for _ in _feed(parser, _chunks(archive, book.sheet)):
        yield from sheet.done
        sheet.done.clear()


def _filled(found: Iterator[tuple[int, list[_Cell]]]) -> Iterator[tuple[int, list[_Cell]]]:
    """Rows with something in them; too many empty ones in between, written or skipped, are a fault of the file."""
    last = blank = count = 0
    for number, cells in found:
        if number <= last and last:
            raise Unreadable("bukan_lembar_kerja", line=number)
        blank += number - last - 1
        last = number
        empty = not any(cell.text.strip() for cell in cells)
        blank = blank + 1 if empty else blank
        if blank > MAX_BLANK_ROWS:
            raise Unreadable("terlalu_banyak_baris_kosong", line=number, limit=MAX_BLANK_ROWS)
        if empty:
            continue
        blank = 0
        count += 1
        if count > MAX_ROWS:
            raise Unreadable("terlalu_banyak_baris", line=number, limit=MAX_ROWS)
        yield number, cells


def _fit(cells: list[_Cell], width: int) -> list[_Cell]:
    """Empty cells at the end are not written in a sheet; a list has them."""
    return cells + [_EMPTY] * (width - len(cells))


def _text(cell: _Cell, is_day: bool, epoch: date) -> str:
    """A cell as a person reads it: whole numbers without exponent, days as ISO dates."""
    if not cell.number:
        return cell.text
    try:
        number = Decimal(cell.text)
    except InvalidOperation:
        return cell.text
    if not number.is_finite() or abs(number) >= Decimal(10) ** 30:
        return cell.text
    if is_day and 0 < number < 2_958_466:  # noqa: PLR2004 - the last day that a sheet can write, 31 December 9999
        return (epoch + timedelta(days=int(number))).isoformat()
    whole = format(number.normalize(), "f")
    return LOST_DIGITS + whole if len(whole.lstrip("-").replace(".", "")) > EXACT_DIGITS else whole
