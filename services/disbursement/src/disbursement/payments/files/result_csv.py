"""Result list as CSV (profile 1): what a bank without ISO 20022 sends back, with a trailer that must add up."""

from disbursement.payments.files import delimited
from disbursement.payments.files.rows import MAX_RESULT_ROWS, FileRefused, ResultRow, Results, iso_date, whole_rupiah

HEADER = ["reference", "bank_ref", "status", "reason", "amount", "value_date"]
TRAILER = "TOTAL"
SETTLED = "settled"
RETURNED = "returned"


def build(rows: tuple[ResultRow, ...]) -> bytes:
    """The list as a bank would write it."""
    cells = [
        [
            r.reference,
            r.bank_ref or "",
            r.status,
            r.reason or "",
            str(r.amount_idr or 0),
            r.value_date.isoformat() if r.value_date else "",
        ]
        for r in rows
    ]
    total = sum(r.amount_idr or 0 for r in rows)
    return delimited.write([HEADER, *cells, [TRAILER, str(len(rows)), "", "", str(total), ""]])


def parse(content: bytes) -> Results:
    """Read a list. Raises FileRefused: `berkas_terpotong` without trailer, `jumlah_berkas_beda`, `berkas_rusak`.

    A row whose amount is no whole rupiah counts nothing in the sum and ends as `amount_differs`.
    """
    rows = delimited.read(content, len(HEADER))
    if len(rows) < 2 or rows[0] != HEADER or rows[-1][0] != TRAILER:  # noqa: PLR2004 - header and trailer
        raise FileRefused("berkas_terpotong")
    if len(rows) > MAX_RESULT_ROWS:
        raise FileRefused("terlalu_banyak_baris", n=MAX_RESULT_ROWS)
    lines = tuple(_row(number, row) for number, row in enumerate(rows[1:-1], start=1))
    stated = (rows[-1][1], whole_rupiah(rows[-1][4]))
    if stated != (str(len(lines)), sum(line.amount_idr or 0 for line in lines)):
        raise FileRefused("jumlah_berkas_beda")
    return Results(message_id="", created_on=None, rows=lines)


def _row(number: int, row: list[str]) -> ResultRow:
    amount = whole_rupiah(row[4])
    return ResultRow(
        row_no=number,
        reference=row[0].strip(),
        bank_ref=row[1].strip() or None,
        status=row[2].strip(),
        reason=row[3].strip() or None,
        amount_idr=amount,
        unreadable=amount is None,
        value_date=iso_date(row[5]),
    )
