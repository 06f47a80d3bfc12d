"""Whatever a bank's file says: rows that can be stored and counted, or one refusal by name."""

from collections.abc import Callable
from dataclasses import astuple
from datetime import UTC, date, datetime

import pytest
from disbursement.payments.files import bank_csv, camt, pain001, pain002, result_csv
from disbursement.payments.files.rows import FileRefused, Instruction, PaymentFile, ResultRow, Results
from fuzz.effort import fuzzed, storable
from hypothesis import given
from hypothesis import strategies as st
from kit.ids import crockford26, new_id
from kit.money import MAX_IDR
from stack import bank

DAY = date(2026, 8, 5)
ANY = st.text(st.characters(), max_size=30)
VALUE = ANY | st.sampled_from(
    ["", " ", "0", "-1", "1e9", "1.5", "9" * 39, "NaN", "Infinity", "٣", "2026-02-30", "0000-00-00", "9999-12-31T99", "\x00", "'=1", "ACSC", "RJCT"]
)  # fmt: skip


def _whole() -> PaymentFile:
    lines = tuple(
        Instruction(crockford26(new_id()), 2_000_000, "110", f"00{n:08}", "Penerima", "SKM") for n in range(3)
    )
    return PaymentFile(
        reference=crockford26(new_id()), block="1-1", created_at=datetime(2026, 8, 3, tzinfo=UTC), due_on=date(2026, 8, 3),
        initiator="Dinas Sosial", debtor_name="Dinas Sosial", debtor_account="0010020030", debtor_bank="110",
        purpose="SSBE", instructions=lines,
    )  # fmt: skip


ORDER = bank.read(pain001.build(_whole()))
NOTICE, REPORT, LIST = (
    bank.answer(ORDER, form, DAY) for form in (bank.Format.CAMT054, bank.Format.PAIN002, bank.Format.CSV)
)
READERS: dict[str, tuple[Callable[[bytes], Results], bytes]] = {
    "camt.054": (camt.parse, NOTICE),
    "pain.002": (pain002.parse, REPORT),
    "bank CSV": (result_csv.parse, LIST),
}


def judged(read: Callable[[bytes], Results], content: bytes) -> None:
    """The property: a refusal by name, or rows in the shape that the tables hold."""
    try:
        found = read(content)
    except FileRefused:
        return
    for row in found.rows:
        assert isinstance(row, ResultRow)
        assert row.amount_idr is None or 0 <= row.amount_idr <= MAX_IDR
        assert storable(astuple(row))
    for debit in found.debits:
        assert 0 <= debit.amount_idr <= MAX_IDR
        assert debit.count is None or 0 <= debit.count < 2**31
        assert storable(astuple(debit))
    for group in found.groups:
        assert storable(astuple(group))
    assert storable([found.message_id])


@pytest.mark.parametrize("form", READERS)
@given(data=st.data())
@fuzzed
def test_a_file_with_bytes_changed_is_read_or_refused(form: str, data: st.DataObject) -> None:
    read, whole = READERS[form]
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        length = data.draw(st.integers(0, 12))
        content[at : at + length] = data.draw(st.binary(max_size=12))
        content = content or bytearray(b" ")
    judged(read, bytes(content))


@pytest.mark.parametrize("form", ["camt.054", "pain.002"])
@given(data=st.data())
@fuzzed
def test_xml_whose_values_are_other_words_is_read_or_refused(form: str, data: st.DataObject) -> None:
    """Well-formed, the right elements, wrong contents: deeper than changed bytes come."""
    from lxml import etree

    read, whole = READERS[form]
    root = etree.fromstring(whole)
    leaves = [element for element in root.iter() if len(element) == 0]
    safe = VALUE.map(lambda text: "".join(c for c in text if c.isprintable() or c in " \t\n"))
    for element in data.draw(st.lists(st.sampled_from(leaves), min_size=1, max_size=4)):
        element.text = data.draw(safe)
        if data.draw(st.booleans()) and element.getparent() is not None and data.draw(st.booleans()):
            element.getparent().remove(element)
    judged(read, etree.tostring(root))


@given(st.lists(st.lists(VALUE, min_size=5, max_size=7), max_size=6), st.booleans())
@fuzzed
def test_a_list_of_any_cells_is_read_or_refused(rows: list[list[str]], honest: bool) -> None:
    from disbursement.payments.files import delimited

    body = [row[:6] + [""] * (6 - len(row)) for row in rows]
    total = sum(amount for row in body if (amount := result_csv.whole_rupiah(row[4])) is not None)
    trailer = ["TOTAL", str(len(body)), "", "", str(total if honest else total + 1), ""]
    whole = delimited.write([result_csv.HEADER, *body, trailer]) if _encodable(rows) else b""
    judged(result_csv.parse, whole)


@given(st.lists(st.lists(VALUE, min_size=6, max_size=6), min_size=1, max_size=6))
@fuzzed
def test_a_payment_list_of_any_cells_is_read_or_refused(rows: list[list[str]]) -> None:
    from disbursement.payments.files import delimited

    if not _encodable(rows):
        return
    head, _, _ = bank_csv.build((_whole().instructions[0],)).partition(b"\r\n")
    try:
        for one in bank_csv.parse(head + b"\r\n" + delimited.write(rows)):
            assert 0 < one.amount_idr <= MAX_IDR
    except FileRefused:
        return


def _encodable(rows: list[list[str]]) -> bool:
    return not any("\ud800" <= c <= "\udfff" for row in rows for cell in row for c in cell)


@given(
    st.lists(
        st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), min_size=1, max_size=6), max_size=8
    )
)
@fuzzed
def test_no_cell_of_a_written_list_starts_a_formula_and_all_come_back(rows: list[list[str]]) -> None:
    import csv
    import io

    from disbursement.payments.files import delimited

    width = len(rows[0]) if rows else 1
    rows = [[*row, *[""] * width][:width] for row in rows]
    rows = [[cell.replace("\x00", "") for cell in row] for row in rows]
    written = delimited.write(rows)
    for row in csv.reader(io.StringIO(written.decode(), newline=""), delimiter=";"):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)
    assert delimited.read(written, width) == [row for row in rows if row]
