"""A bank for demonstrations and tests: an outside party that reads our transfer file and answers as banks do.

It shares no code with the services on purpose: what it understands, a real bank can understand. Faults are told to it:
a reference that comes back (`BE01`), one that is refused, one that it never mentions. Pure functions and a small
command: `python -m stack.bank answer FILE --format camt.054 --return REF=BE01`.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from lxml import etree

CAMT = "urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"
PAIN002 = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.12"


@dataclass(frozen=True, slots=True)
class Transfer:
    """One transfer as the bank read it."""

    reference: str
    amount_idr: int
    account: str
    name: str


@dataclass(frozen=True, slots=True)
class Order:
    """One file as the bank read it."""

    reference: str
    block: str
    total_idr: int
    transfers: tuple[Transfer, ...]


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong: references to reason codes, references that stay without an answer, amounts booked wrongly."""

    returned: Mapping[str, str] = field(default_factory=dict)
    rejected: Mapping[str, str] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()
    other_amount: Mapping[str, int] = field(default_factory=dict)


NONE = Faults()


class Format(StrEnum):
    """What the bank sends."""

    CAMT054 = "camt.054"
    PAIN002 = "pain.002"
    CSV = "csv"


def read(content: bytes) -> Order:
    """Read a `pain.001` of any version; refuses one whose control sum or count is wrong (ValueError)."""
    root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
    transfers = tuple(
        Transfer(
            reference=element.findtext("{*}PmtId/{*}EndToEndId", ""),
            amount_idr=int(element.findtext("{*}Amt/{*}InstdAmt", "")),
            account=element.findtext("{*}CdtrAcct/{*}Id/{*}Othr/{*}Id", ""),
            name=element.findtext("{*}Cdtr/{*}Nm", ""),
        )
        for element in root.iterfind(".//{*}CdtTrfTxInf")
    )
    order = Order(
        reference=root.findtext(".//{*}GrpHdr/{*}MsgId", ""),
        block=root.findtext(".//{*}PmtInf/{*}PmtInfId", ""),
        total_idr=int(root.findtext(".//{*}GrpHdr/{*}CtrlSum", "")),
        transfers=transfers,
    )
    stated = (root.findtext(".//{*}GrpHdr/{*}NbOfTxs"), order.total_idr)
    if stated != (str(len(transfers)), sum(t.amount_idr for t in transfers)):
        raise ValueError("control figures do not add up")
    return order


def answer(order: Order, kind: Format, on: date, faults: Faults = NONE) -> bytes:
    """The result file of the day. References named in no fault are settled."""
    match kind:
        case Format.CAMT054:
            return notice(order, on, faults)
        case Format.PAIN002:
            return status_report(order, on, faults)
        case Format.CSV:
            return result_list(order, on, faults)


def booking(reference: str, what: str) -> str:
    """The bank's own number of a booking: the same every time the same thing is told."""
    return "BK" + hashlib.sha256(f"{reference}|{what}".encode()).hexdigest()[:14].upper()


def notice(order: Order, on: date, faults: Faults = NONE) -> bytes:
    """`camt.054.001.08`: the debit of the file, each booked transfer, each return."""
    root, add = _document(CAMT, "BkToCstmrDbtCdtNtfctn")
    body = root[0]
    header = add(body, "GrpHdr")
    add(header, "MsgId", booking(order.reference, f"notice{on}{sorted(faults.returned)}"))
    add(header, "CreDtTm", _noon(on))
    report = add(body, "Ntfctn")
    add(report, "Id", booking(order.reference, f"report{on}"))
    add(add(add(add(report, "Acct"), "Id"), "Othr"), "Id", "DISTRIBUTION")
    booked = [t for t in order.transfers if t.reference not in faults.silent and t.reference not in faults.rejected]
    settled = [t for t in booked if t.reference not in faults.returned]
    if settled:
        total = sum(_amount(t, faults) for t in settled)
        number = booking(order.reference, f"debit{on}")
        entry = _entry(add, report, amount=total, direction="DBIT", on=on, number=number)
        details = add(entry, "NtryDtls")
        batch = add(details, "Btch")
        add(batch, "MsgId", order.reference)
        add(batch, "PmtInfId", order.block)
        add(batch, "NbOfTxs", str(len(settled)))
        for transfer in settled:
            _detail(add, details, transfer, faults=faults, direction="DBIT", reason=None)
    for transfer in booked:
        if transfer.reference in faults.returned:
            number = booking(transfer.reference, "returned")
            entry = _entry(add, report, amount=_amount(transfer, faults), direction="CRDT", on=on, number=number)
            reason = faults.returned[transfer.reference]
            _detail(add, add(entry, "NtryDtls"), transfer, faults=faults, direction="CRDT", reason=reason)
    return _bytes(root)


def status_report(order: Order, on: date, faults: Faults = NONE) -> bytes:
    """`pain.002.001.12`: accepted or refused; it books nothing."""
    root, add = _document(PAIN002, "CstmrPmtStsRpt")
    body = root[0]
    header = add(body, "GrpHdr")
    add(header, "MsgId", booking(order.reference, f"status{on}"))
    add(header, "CreDtTm", _noon(on))
    original = add(body, "OrgnlGrpInfAndSts")
    add(original, "OrgnlMsgId", order.reference)
    add(original, "OrgnlMsgNmId", "pain.001.001.09")
    block = add(body, "OrgnlPmtInfAndSts")
    add(block, "OrgnlPmtInfId", order.block)
    for transfer in order.transfers:
        if transfer.reference in faults.silent:
            continue
        row = add(block, "TxInfAndSts")
        add(row, "OrgnlEndToEndId", transfer.reference)
        reason = faults.rejected.get(transfer.reference)
        add(row, "TxSts", "RJCT" if reason else "ACSP")
        if reason:
            add(add(add(row, "StsRsnInf"), "Rsn"), "Cd", reason)
        add(row, "AcctSvcrRef", booking(transfer.reference, "accepted"))
    return _bytes(root)


def result_list(order: Order, on: date, faults: Faults = NONE) -> bytes:
    """The list of results as CSV with a trailer."""
    rows: list[tuple[str, str, str, str, int]] = []
    for t in order.transfers:
        if t.reference in faults.silent:
            continue
        if reason := faults.returned.get(t.reference):
            rows.append((t.reference, booking(t.reference, "returned"), "returned", reason, _amount(t, faults)))
        elif reason := faults.rejected.get(t.reference):
            rows.append((t.reference, booking(t.reference, "rejected"), "RJCT", reason, _amount(t, faults)))
        else:
            rows.append((t.reference, booking(t.reference, "settled"), "settled", "", _amount(t, faults)))
    lines = ["reference;bank_ref;status;reason;amount;value_date"]
    lines += [f"{ref};{number};{status};{reason};{amount};{on}" for ref, number, status, reason, amount in rows]
    lines.append(f"TOTAL;{len(rows)};;;{sum(row[4] for row in rows)};")
    return ("\r\n".join(lines) + "\r\n").encode()


class _Adder:
    """Adds elements of one namespace."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace

    def __call__(self, parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
        element = etree.SubElement(parent, f"{{{self.namespace}}}{name}")
        element.text = text
        return element


def _document(namespace: str, body: str) -> tuple[etree._Element, _Adder]:
    root = etree.Element(f"{{{namespace}}}Document", nsmap={None: namespace})  # type: ignore[dict-item]
    add = _Adder(namespace)
    add(root, body)
    return root, add


def _entry(
    add: _Adder, report: etree._Element, *, amount: int, direction: str, on: date, number: str
) -> etree._Element:
    entry = add(report, "Ntry")
    add(entry, "Amt", str(amount)).set("Ccy", "IDR")
    add(entry, "CdtDbtInd", direction)
    add(add(entry, "Sts"), "Cd", "BOOK")
    add(add(entry, "BookgDt"), "Dt", on.isoformat())
    add(add(entry, "ValDt"), "Dt", on.isoformat())
    add(entry, "AcctSvcrRef", number)
    add(add(add(entry, "BkTxCd"), "Prtry"), "Cd", "TRF")
    return entry


def _detail(
    add: _Adder, details: etree._Element, transfer: Transfer, *, faults: Faults, direction: str, reason: str | None
) -> None:
    detail = add(details, "TxDtls")
    refs = add(detail, "Refs")
    add(refs, "AcctSvcrRef", booking(transfer.reference, "returned" if reason else "settled"))
    add(refs, "EndToEndId", transfer.reference)
    add(detail, "Amt", str(_amount(transfer, faults))).set("Ccy", "IDR")
    add(detail, "CdtDbtInd", direction)
    if reason:
        add(add(add(detail, "RtrInf"), "Rsn"), "Cd", reason)


def _amount(transfer: Transfer, faults: Faults) -> int:
    return faults.other_amount.get(transfer.reference, transfer.amount_idr)


def _noon(on: date) -> str:
    return datetime.combine(on, time(12), UTC).isoformat()


def _bytes(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


app = typer.Typer(add_completion=False, help="A bank that answers our files, for demonstrations.")


@app.callback()
def bank() -> None:
    """Keep `answer` a subcommand."""


@app.command("answer")
def answer_file(
    file: Path,
    *,
    kind: Annotated[Format, typer.Option("--format")] = Format.CAMT054,
    on: Annotated[str, typer.Option(help="value date, YYYY-MM-DD")] = "",
    returned: Annotated[list[str] | None, typer.Option("--return", help="REFERENCE=REASON")] = None,
    rejected: Annotated[list[str] | None, typer.Option("--reject", help="REFERENCE=REASON")] = None,
    silent: Annotated[list[str] | None, typer.Option(help="REFERENCE that gets no answer")] = None,
    out: Annotated[Path | None, typer.Option(help="where to write; default: beside FILE")] = None,
) -> None:
    """Read a transfer file and write the answer of the bank beside it."""
    faults = Faults(_pairs(returned or ()), _pairs(rejected or ()), frozenset(silent or ()))
    day = date.fromisoformat(on) if on else datetime.now(UTC).date()
    content = answer(read(file.read_bytes()), kind, day, faults)
    target = out or file.with_suffix(".result.csv" if kind is Format.CSV else ".result.xml")
    target.write_bytes(content)
    typer.echo(str(target))


def _pairs(items: Iterable[str]) -> dict[str, str]:
    return dict(item.split("=", 1) for item in items)


if __name__ == "__main__":
    app()
