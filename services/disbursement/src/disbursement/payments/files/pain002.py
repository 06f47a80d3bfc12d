"""Payment status report `pain.002` (.03, .10, .12): what the bank says it did with a file. It books nothing.

Read by the elements that the versions share, whatever the namespace.
"""

from lxml import etree

from disbursement.payments.files import xml
from disbursement.payments.files.rows import FileRefused, GroupStatus, ResultRow, Results, iso_date, whole_rupiah

VERSIONS = ("", "pain.002.001.03", "pain.002.001.10", "pain.002.001.12")


def parse(content: bytes) -> Results:
    """Read a report. Raises FileRefused when it is another message or cannot be read."""
    root = xml.read(content)
    body = xml.child(root, "CstmrPmtStsRpt")
    if body is None or xml.message(root) not in VERSIONS:
        raise FileRefused("bukan_pain002")
    rows: list[ResultRow] = []
    groups: list[GroupStatus] = []
    original = xml.child(body, "OrgnlGrpInfAndSts")
    reference = xml.text(original, "OrgnlMsgId") or ""
    if status := xml.text(original, "GrpSts"):
        groups.append(GroupStatus(reference, status, _reason(original)))
    for block in xml.children(body, "OrgnlPmtInfAndSts"):
        if status := xml.text(block, "PmtInfSts"):
            groups.append(GroupStatus(reference, status, _reason(block)))
        rows.extend(
            _row(len(rows) + n, element) for n, element in enumerate(xml.children(block, "TxInfAndSts"), start=1)
        )
    return Results(
        message_id=xml.text(body, "GrpHdr/MsgId") or "",
        created_on=iso_date(xml.text(body, "GrpHdr/CreDtTm")),
        rows=tuple(rows),
        groups=tuple(groups),
    )


def _row(number: int, element: etree._Element) -> ResultRow:
    amount = xml.child(element, "OrgnlTxRef/Amt/InstdAmt")
    idr = whole_rupiah(amount.text) if amount is not None and amount.get("Ccy") == "IDR" else None
    return ResultRow(
        row_no=number,
        reference=xml.text(element, "OrgnlEndToEndId") or xml.text(element, "OrgnlInstrId") or "",
        status=xml.text(element, "TxSts") or "",
        amount_idr=idr,
        unreadable=amount is not None and idr is None,
        bank_ref=xml.text(element, "AcctSvcrRef"),
        reason=_reason(element),
        value_date=iso_date(xml.text(element, "AccptncDtTm")),
    )


def _reason(element: etree._Element | None) -> str | None:
    return xml.text(element, "StsRsnInf/Rsn/Cd") or xml.text(element, "StsRsnInf/Rsn/Prtry")
