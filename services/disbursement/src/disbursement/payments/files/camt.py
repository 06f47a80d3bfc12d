"""Booking notices `camt.054` and statements `camt.053` (.02 to .08): evidence of what was booked on our account.

A booked debit with a reference of ours settles that transfer; a credit with return information brings one back; a
debit with batch details is the booking of a whole file.
"""

from collections.abc import Iterator
from datetime import date

from lxml import etree

from disbursement.payments.files import xml
from disbursement.payments.files.rows import DebitEntry, FileRefused, ResultRow, Results, iso_date, whole_rupiah

REPORTS = {"camt.054": "BkToCstmrDbtCdtNtfctn/Ntfctn", "camt.053": "BkToCstmrStmt/Stmt"}
VERSIONS = tuple(f"{message}.001.{version:02}" for message in REPORTS for version in range(2, 9))
UNSTATED = ("NOTPROVIDED", "")
COUNT_DIGITS = 9
"""A count of more digits is no count."""


def parse(content: bytes) -> Results:
    """Read a notice or statement. Raises FileRefused when it is another message or version, or cannot be read."""
    root = xml.read(content)
    if xml.message(root) not in ("", *VERSIONS):
        raise FileRefused("bukan_camt")
    reports = [report for path in REPORTS.values() for report in xml.children(root, path)]
    if not reports:
        raise FileRefused("bukan_camt")
    rows: list[ResultRow] = []
    debits: list[DebitEntry] = []
    for report in reports:
        for entry in xml.children(report, "Ntry"):
            rows.extend(_rows(entry, len(rows)))
            debits.extend(_debits(entry))
    header = xml.child(root, "BkToCstmrDbtCdtNtfctn/GrpHdr")
    if header is None:
        header = xml.child(root, "BkToCstmrStmt/GrpHdr")
    return Results(
        message_id=xml.text(header, "MsgId") or "",
        created_on=iso_date(xml.text(header, "CreDtTm")),
        rows=tuple(rows),
        debits=tuple(debits),
    )


def _rows(entry: etree._Element, before: int) -> Iterator[ResultRow]:
    """The transfers named in one entry."""
    booked = (xml.text(entry, "Sts/Cd") or xml.text(entry, "Sts")) == "BOOK"
    details = list(xml.children(entry, "NtryDtls/TxDtls"))
    for number, detail in enumerate(details, start=before + 1):
        reference = xml.text(detail, "Refs/EndToEndId") or xml.text(detail, "Refs/InstrId") or ""
        if reference in UNSTATED:
            reference = xml.text(detail, "Refs/InstrId") or ""
        stated, idr = _amount(detail, entry if len(details) == 1 else None)
        yield ResultRow(
            row_no=number,
            reference=reference,
            status=_status(entry, detail, booked=booked),
            amount_idr=idr,
            unreadable=idr is None or not stated,
            bank_ref=xml.text(detail, "Refs/AcctSvcrRef")
            or xml.text(detail, "Refs/TxId")
            or xml.text(entry, "AcctSvcrRef"),
            reason=xml.text(detail, "RtrInf/Rsn/Cd") or xml.text(detail, "RtrInf/Rsn/Prtry"),
            value_date=_date(entry, "ValDt") or _date(entry, "BookgDt"),
        )


def _status(entry: etree._Element, detail: etree._Element, *, booked: bool) -> str:
    """`settled`, `returned`, PDNG for what is announced but not booked, empty for a credit that is no return."""
    direction = xml.text(detail, "CdtDbtInd") or xml.text(entry, "CdtDbtInd")
    if not booked:
        return "PDNG"
    if direction == "DBIT":
        return "settled"
    back = xml.child(detail, "RtrInf") is not None or xml.text(entry, "RvslInd") == "true"
    return "returned" if back else ""


def _debits(entry: etree._Element) -> Iterator[DebitEntry]:
    """Bookings of whole files."""
    if xml.text(entry, "CdtDbtInd") != "DBIT":
        return
    for batch in xml.children(entry, "NtryDtls/Btch"):
        _, amount = _amount(entry, None)
        count = xml.text(batch, "NbOfTxs") or ""
        yield DebitEntry(
            file_reference=xml.text(batch, "MsgId") or xml.text(batch, "PmtInfId") or "",
            amount_idr=amount or 0,
            count=int(count) if count.isdecimal() and len(count) <= COUNT_DIGITS else None,
            entry_ref=xml.text(entry, "AcctSvcrRef") or xml.text(entry, "NtryRef") or "",
            value_date=_date(entry, "ValDt") or _date(entry, "BookgDt"),
        )


def _amount(element: etree._Element, single: etree._Element | None) -> tuple[bool, int | None]:
    """Whether an amount is stated, and the amount in whole rupiah. `single`: the entry, when it holds one transfer."""
    for owner, path in (
        (element, "Amt"),
        (element, "AmtDtls/TxAmt/Amt"),
        (element, "AmtDtls/InstdAmt/Amt"),
        (single, "Amt"),
    ):
        amount = xml.child(owner, path)
        if amount is not None:
            return True, whole_rupiah(amount.text) if amount.get("Ccy") == "IDR" else None
    return False, None


def _date(entry: etree._Element, name: str) -> date | None:
    return iso_date(xml.text(entry, f"{name}/Dt") or xml.text(entry, f"{name}/DtTm"))
