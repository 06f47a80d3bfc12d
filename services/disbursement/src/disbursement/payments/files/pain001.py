"""Credit transfer file `pain.001.001.09` (perintah transfer massal): typed instructions to bytes and back."""

from datetime import date, datetime
from functools import lru_cache
from html import escape

from lxml import etree

from disbursement.payments.files import xml
from disbursement.payments.files.latin import restricted
from disbursement.payments.files.rows import FileRefused, Instruction, PaymentFile, iso_date, whole_rupiah

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
NAME_LENGTH = 70
TEXT_LENGTH = 140


def build(file: PaymentFile) -> bytes:
    """The file as UTF-8 XML. Amounts are whole rupiah without decimals; fees stay with the payer (`DEBT`)."""
    root = etree.Element(f"{{{NAMESPACE}}}Document", nsmap={None: NAMESPACE})  # type: ignore[dict-item]
    body = _add(root, "CstmrCdtTrfInitn")
    header = _add(body, "GrpHdr")
    _add(header, "MsgId", file.reference)
    _add(header, "CreDtTm", file.created_at.isoformat(timespec="seconds"))
    _add(header, "NbOfTxs", str(len(file.instructions)))
    _add(header, "CtrlSum", str(file.total_idr))
    _add(_add(header, "InitgPty"), "Nm", restricted(file.initiator, NAME_LENGTH))
    block = _add(body, "PmtInf")
    _add(block, "PmtInfId", file.block)
    _add(block, "PmtMtd", "TRF")
    _add(block, "BtchBookg", "true")
    _add(block, "NbOfTxs", str(len(file.instructions)))
    _add(block, "CtrlSum", str(file.total_idr))
    _add(_add(block, "ReqdExctnDt"), "Dt", file.due_on.isoformat())
    _add(_add(block, "Dbtr"), "Nm", restricted(file.debtor_name, NAME_LENGTH))
    _account(block, "DbtrAcct", file.debtor_account)
    _agent(block, "DbtrAgt", file.debtor_bank)
    _add(block, "ChrgBr", "DEBT")
    frame = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    before, end, after = frame.rpartition(b"</PmtInf>")
    text = lru_cache(maxsize=64)(lambda value: escape(restricted(value, TEXT_LENGTH)))  # one for all, as a rule
    purpose = escape(file.purpose)
    transfers = "".join(_transfer(line, purpose, text(line.description)) for line in file.instructions)
    return b"".join((before, transfers.encode(), end, after))


def _transfer(line: Instruction, purpose: str, description: str) -> str:
    """One transfer, written as text: a tree of ten thousand of them costs ten times as much.

    The whole file is read back and held against the official schema before anybody gets it.
    """
    reference, name = escape(line.reference), escape(restricted(line.holder_name, NAME_LENGTH))
    return (
        f"<CdtTrfTxInf><PmtId><InstrId>{reference}</InstrId><EndToEndId>{reference}</EndToEndId></PmtId>"
        f'<Amt><InstdAmt Ccy="IDR">{line.amount_idr}</InstdAmt></Amt>'
        f"<CdtrAgt><FinInstnId><ClrSysMmbId><MmbId>{escape(line.bank_code)}</MmbId></ClrSysMmbId></FinInstnId></CdtrAgt>"
        f"<Cdtr><Nm>{name}</Nm></Cdtr><CdtrAcct><Id><Othr><Id>{escape(line.account)}</Id></Othr></Id></CdtrAcct>"
        f"<Purp><Cd>{purpose}</Cd></Purp><RmtInf><Ustrd>{description}</Ustrd></RmtInf></CdtTrfTxInf>"
    )


def _add(parent: etree._Element, name: str, value: str | None = None) -> etree._Element:
    element = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    element.text = value
    return element


def _account(parent: etree._Element, name: str, number: str) -> None:
    _add(_add(_add(_add(parent, name), "Id"), "Othr"), "Id", number)


def _agent(parent: etree._Element, name: str, code: str) -> None:
    _add(_add(_add(_add(parent, name), "FinInstnId"), "ClrSysMmbId"), "MmbId", code)


def parse(content: bytes) -> PaymentFile:
    """Read a file back as a bank would.

    Raises FileRefused: not this message, an amount that is no whole rupiah (`bukan_rupiah_bulat`), a reference twice
    (`referensi_ganda`), control figures that do not add up (`jumlah_berkas_beda`).
    """
    root = xml.read(content)
    body = xml.child(root, "CstmrCdtTrfInitn")
    header, block = xml.child(body, "GrpHdr"), xml.child(body, "PmtInf")
    if body is None or header is None or block is None:
        raise FileRefused("bukan_pain001")
    lines = tuple(_instruction(element) for element in xml.children(block, "CdtTrfTxInf"))
    file = PaymentFile(
        reference=xml.text(header, "MsgId") or "",
        block=xml.text(block, "PmtInfId") or "",
        created_at=_instant(xml.text(header, "CreDtTm")),
        due_on=iso_date(xml.text(block, "ReqdExctnDt/Dt") or xml.text(block, "ReqdExctnDt")) or _none(),
        initiator=xml.text(header, "InitgPty/Nm") or "",
        debtor_name=xml.text(block, "Dbtr/Nm") or "",
        debtor_account=xml.text(block, "DbtrAcct/Id/Othr/Id") or "",
        debtor_bank=xml.text(block, "DbtrAgt/FinInstnId/ClrSysMmbId/MmbId") or "",
        purpose=xml.text(block, "CdtTrfTxInf/Purp/Cd") or "",
        instructions=lines,
    )
    if len({line.reference for line in lines}) != len(lines):
        raise FileRefused("referensi_ganda")
    stated = (xml.text(header, "NbOfTxs"), whole_rupiah(xml.text(header, "CtrlSum")))
    if stated != (str(len(lines)), file.total_idr):
        raise FileRefused("jumlah_berkas_beda")
    return file


def _instruction(element: etree._Element) -> Instruction:
    amount_element = xml.child(element, "Amt/InstdAmt")
    amount = whole_rupiah(xml.text(element, "Amt/InstdAmt"))
    if amount is None or amount_element is None or amount_element.get("Ccy") != "IDR":
        raise FileRefused("bukan_rupiah_bulat")
    return Instruction(
        reference=xml.text(element, "PmtId/EndToEndId") or "",
        amount_idr=amount,
        bank_code=xml.text(element, "CdtrAgt/FinInstnId/ClrSysMmbId/MmbId") or "",
        account=xml.text(element, "CdtrAcct/Id/Othr/Id") or "",
        holder_name=xml.text(element, "Cdtr/Nm") or "",
        description=xml.text(element, "RmtInf/Ustrd") or "",
    )


def _instant(text: str | None) -> datetime:
    try:
        return datetime.fromisoformat(text or "")
    except ValueError as fault:
        raise FileRefused("berkas_rusak") from fault


def _none() -> date:
    raise FileRefused("berkas_rusak")
