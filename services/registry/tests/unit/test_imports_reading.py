"""Readers and judges of lines hold against anything, and say the same of CSV however it is cut into pieces."""

import csv
import io
from contextlib import suppress
from datetime import date
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from kit.crypto.fields import BlindIndex, FieldCipher
from registry.imports import csv_file, layout, xlsx_file
from registry.imports.layout import COLUMNS, Unreadable
from registry.imports.lines import Lines, List
from registry.imports.upload import Uploads
from stack.synthetic import families

KEYS = "1:" + "11" * 32
LIST = List(UUID(int=1), "dtsen", "32.76", date(2026, 1, 1), frozenset({"32", "32.76.02"}))


def lines_of() -> Lines:
    return Lines(LIST, layout.read_header(list(COLUMNS)), BlindIndex.parse(KEYS))


def pieces(content: bytes, size: int):
    return (content[i : i + size] for i in range(0, len(content), size))


def as_csv(rows) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *rows])
    return text.getvalue().encode()


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=20)


def test_the_synthetic_list_has_the_layout_of_the_registry():
    assert families.COLUMNS == COLUMNS


@given(
    st.lists(st.lists(CELL, min_size=20, max_size=20).filter(lambda r: any(c.strip() for c in r)), max_size=5),
    st.integers(1, 50),
)
def test_a_csv_reads_the_same_however_it_arrives(rows, size):
    _, found = csv_file.rows(pieces(as_csv(rows), size))
    assert [cells for _, cells in found] == rows


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_bytes_that_are_no_list_raise_nothing_but_unreadable(content):
    for read in (lambda: csv_file.rows(pieces(content, 64)), lambda: xlsx_file.rows(io.BytesIO(content))):
        with suppress(Unreadable):
            list(read()[1])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(max_size=30), min_size=20, max_size=20))
def test_any_line_is_judged_and_never_raises(cells):
    line, findings = lines_of().read(2, cells)
    assert (line is None) == any(f.rejected for f in findings)
    assert all(f.code and f.line == 2 for f in findings)


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=20), min_size=20, max_size=20))
def test_no_finding_repeats_what_the_cell_said(cells):
    _, findings = lines_of().read(2, ["Rahasia" + c for c in cells])
    assert "Rahasia" not in repr(findings)


def test_a_kept_upload_opens_at_any_place_and_shows_nothing_on_disk(tmp_path):
    content = bytes(range(1, 128)) * 2_000
    uploads = Uploads(tmp_path / "up", FieldCipher.parse(KEYS), most_bytes=10**6)
    kept = uploads.keep(LIST.run_id, io.BytesIO(content))
    assert content[:64] not in uploads.path(LIST.run_id).read_bytes()
    with uploads.open(LIST.run_id, kept.size, kept.key_enc) as file:
        assert file.read() == content
        for place in (0, 65_535, 65_536, 130_000, len(content) - 1):
            file.seek(place)
            assert file.read(10) == content[place : place + 10]


@given(st.text(max_size=20))
def test_guarding_a_cell_can_be_undone(cell):
    guarded = layout.guard(cell)
    assert not guarded.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert layout.unguard(guarded) == cell
