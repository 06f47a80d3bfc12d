"""Inputs that the fuzzing has found: each broke a reader once, and is refused or read now."""

import io
import zipfile

import pytest
from disbursement.payments.files import camt, result_csv
from disbursement.payments.files.rows import FileRefused
from fuzz.test_bank_results import NOTICE
from fuzz.test_lists_of_families import SHEET
from fuzz.test_messages import good
from kit.events.envelope import BrokenEnvelope, decode
from registry.imports import xlsx_file
from registry.imports.layout import Unreadable


@pytest.mark.parametrize("encoding", [b"TF-8", b"shift_jis", b"utf-32"])
def test_a_sheet_in_an_encoding_that_nobody_reads_is_no_sheet(encoding: bytes) -> None:
    """The reading of the upload ended with LookupError or ValueError, and the run stood still."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(SHEET)) as whole, zipfile.ZipFile(target, "w") as other:
        for name in whole.namelist():
            other.writestr(name, whole.read(name).replace(b"UTF-8", encoding))
    with pytest.raises(Unreadable, match="bukan_lembar_kerja"):
        xlsx_file.rows(target)


def test_a_booking_of_more_lines_than_numbers_tells_no_count() -> None:
    """The count did not fit into the column: 500 when the notice was applied."""
    assert camt.parse(NOTICE).debits[0].count == 3
    changed = NOTICE.replace(b"<NbOfTxs>3</NbOfTxs>", b"<NbOfTxs>" + b"9" * 39 + b"</NbOfTxs>")
    assert changed != NOTICE
    assert camt.parse(changed).debits[0].count is None


def test_a_list_with_a_nul_is_broken() -> None:
    """No table holds a NUL: the upload was answered with 500."""
    with pytest.raises(FileRefused, match="berkas_rusak"):
        result_csv.parse(
            b"reference;bank_ref;status;reason;amount;value_date\r\nA;;settled;\x00;1;\r\nTOTAL;1;;;1;\r\n"
        )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ce_source", b"\x00"), ("ce_correlationid", b"a\x00b"), ("ce_sequence", b"-1"), ("ce_sequence", b"9" * 19),
        ("ce_sequence", "٣".encode()), ("ce_time", b"0001-01-01T00:00:00+23:59"),
    ],
)  # fmt: skip
def test_an_envelope_that_no_inbox_could_hold_is_broken(name: str, value: bytes) -> None:
    """It passed the reader, and the database refused it each time it was tried again."""
    key, headers = good()
    kept = [(n, v) for n, v in headers if n != name]
    assert decode("registry.death", key, b"{}", headers).sequence == 7
    with pytest.raises(BrokenEnvelope):
        decode("registry.death", key, b"{}", [*kept, (name, value)])
