"""Transfer list as CSV (profile 1) for banks without ISO 20022: header, one row a transfer, trailer with count and sum."""

from disbursement.payments.files import delimited
from disbursement.payments.files.rows import FileRefused, Instruction, whole_rupiah

HEADER = ["reference", "bank_code", "account", "holder_name", "amount", "description"]
TRAILER = "TOTAL"


def build(instructions: tuple[Instruction, ...]) -> bytes:
    """The list as UTF-8 bytes; account numbers stay text, amounts are whole rupiah."""
    rows = [
        [i.reference, i.bank_code, i.account, i.holder_name, str(i.amount_idr), i.description] for i in instructions
    ]
    total = sum(i.amount_idr for i in instructions)
    return delimited.write([HEADER, *rows, [TRAILER, str(len(rows)), "", "", str(total), ""]])


def parse(content: bytes) -> tuple[Instruction, ...]:
    """Read a list back. Raises FileRefused for a wrong header, trailer, amount or a reference twice."""
    rows = delimited.read(content, len(HEADER))
    if len(rows) < 2 or rows[0] != HEADER or rows[-1][0] != TRAILER:  # noqa: PLR2004 - header and trailer
        raise FileRefused("berkas_terpotong")
    lines = tuple(_instruction(row) for row in rows[1:-1])
    stated = (rows[-1][1], whole_rupiah(rows[-1][4]))
    if stated != (str(len(lines)), sum(line.amount_idr for line in lines)):
        raise FileRefused("jumlah_berkas_beda")
    if len({line.reference for line in lines}) != len(lines):
        raise FileRefused("referensi_ganda")
    return lines


def _instruction(row: list[str]) -> Instruction:
    amount = whole_rupiah(row[4])
    if amount is None:
        raise FileRefused("bukan_rupiah_bulat")
    return Instruction(row[0], amount, row[1], row[2], row[3], row[5])
