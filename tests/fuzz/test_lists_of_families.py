"""Whatever an uploaded family list holds: rows and findings, or one refusal by name; never more memory than it is worth."""

import csv
import io
import tracemalloc
import zipfile
from datetime import date

import xlsxwriter
from fuzz.effort import fuzzed, storable
from hypothesis import given
from hypothesis import strategies as st
from kit.crypto.fields import BlindIndex
from kit.ids import new_id
from registry.imports import csv_file, xlsx_file
from registry.imports.layout import REJECT_COLUMNS, Header, Unreadable, guard, unguard
from registry.imports.lines import Finding, Line, Lines, List
from stack.synthetic import families

ODD = st.sampled_from([
    "", "0", "'", "=cmd|' /C calc'!A0", "@SUM(1)", "+1", "-1", "\t=1", "\r=1", "\x00", "\x07", "9" * 16, "9" * 40, "٣٢٧٦٠٣٠١٠١٠١٠٠٠١",
    "3276031703500001", "32.76.03.1001", "2026-02-30", "31/12/1999", "0001-01-01", "9999-12-31", "1e5", "NaN", "L", "P", "ｌ", "Siti",
    "Ａ\u0301" * 40, "\u202e", "💥", "≈3276", "x" * 600, "08123456789", "+62 812-3456-7890", "a@b.example", "BJB", "11",
])  # fmt: skip
CELL = ODD | st.text(st.characters(), max_size=25)
ROW = st.lists(CELL, min_size=len(families.COLUMNS), max_size=len(families.COLUMNS))
MEGABYTE = 1_048_576


def lines_of(header: Header) -> Lines:
    of = List(new_id(), "dtsen", "32.76", date(2026, 1, 1), frozenset({"32", "32.76.02"}))
    return Lines(of, header, BlindIndex({1: b"1" * 32}))


def sheet(rows: list[list[str]]) -> bytes:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    page = book.add_worksheet()
    for number, row in enumerate([list(families.COLUMNS), *rows]):
        for place, cell in enumerate(row):
            page.write_string(number, place, cell)
    book.close()
    return target.getvalue()


SHEET = sheet([[str(n)] * len(families.COLUMNS) for n in range(3)])


def read_sheet(content: bytes) -> None:
    """The property of sheets: rows of texts, or Unreadable; and never more than some megabytes."""
    tracemalloc.start()
    try:
        header, rows = xlsx_file.rows(io.BytesIO(content))
        for number, cells in rows:
            assert number >= 1
            assert len(header.names) <= len(cells)
            assert all(isinstance(cell, str) for cell in cells)
    except Unreadable:
        return
    finally:
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert most < 16 * MEGABYTE


@given(st.lists(ROW, max_size=4))
@fuzzed
def test_any_cells_in_a_true_list_become_lines_and_findings(rows: list[list[str]]) -> None:
    rows = [[cell.encode(errors="replace").decode().replace("\x00", " ") for cell in row] for row in rows]
    text = io.StringIO()
    csv.writer(text).writerows([families.COLUMNS, *rows])
    try:
        header, found = csv_file.rows([text.getvalue().encode()])
        reading = lines_of(header)
        for number, cells in found:
            line, findings = reading.read(number, cells)
            assert line is None or isinstance(line, Line)
            assert line is None or storable(line)
            assert all(isinstance(one, Finding) for one in findings)
            assert (line is None) == any(one.rejected for one in findings)
    except Unreadable:
        return


@given(st.data())
@fuzzed
def test_a_sheet_with_bytes_changed_is_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(SHEET)
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    read_sheet(bytes(content))


@given(st.data())
@fuzzed
def test_a_sheet_whose_inside_was_changed_is_read_or_refused(data: st.DataObject) -> None:
    """The archive is whole, a part of it is not: what byte changes alone never reach behind the checksums."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(SHEET)) as whole, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as other:
        names = whole.namelist()
        spoilt = data.draw(st.sampled_from(names))
        for name in names:
            part = bytearray(whole.read(name))
            if name == spoilt:
                for _ in range(data.draw(st.integers(1, 4))):
                    at = data.draw(st.integers(0, len(part) - 1))
                    part[at : at + data.draw(st.integers(0, 10))] = data.draw(st.binary(max_size=10) | WORDS)
            other.writestr(name, bytes(part))
    read_sheet(target.getvalue())


WORDS = st.sampled_from([
    b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"&a;", b'r="XFD1048577"', b'r="A0"', b'r="ZZZ1"', b't="s"', b"<v>-1</v>", b"<v>99999999</v>",
    b"<v>1e400</v>", b"<v>NaN</v>", b"]]>", b"\x00", b"<row>" * 40, b'<row r="1048576">', b'<row r="-5">', b"<is><t>", b"&#0;",
])  # fmt: skip


@given(st.lists(ROW.map(lambda row: [cell.encode(errors="replace").decode() for cell in row]), max_size=4))
@fuzzed
def test_cells_are_neutral_in_what_goes_back_and_come_back_unchanged(rows: list[list[str]]) -> None:
    for row in rows:
        for cell in row:
            assert not guard(cell).startswith(("=", "+", "-", "@", "\t", "\r"))
            assert unguard(guard(cell)) == cell
    assert not {name for name in REJECT_COLUMNS if guard(name) != name}


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("[Content_Types].xml", b"<x/>")
        bomb.writestr("xl/workbook.xml", b" " * 200 * MEGABYTE)
    read_sheet(target.getvalue())


@given(st.text(max_size=30) | ODD)
@fuzzed
def test_any_number_is_judged_and_what_is_good_is_sixteen_plain_digits(text: str) -> None:
    from registry.identities import nik

    number = nik.normalise(text)
    for check in (nik.check_nik, nik.check_kk):
        if number is not None and check(number).structure is not nik.Structure.BAD:
            assert number.isascii()
            assert number.isdigit()
            assert len(number) == 16
