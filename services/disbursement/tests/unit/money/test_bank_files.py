"""Files of banks: what we write they can read, what they write we read, and what is hostile stays outside."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pytest
from disbursement.payments.files import bank_csv, camt, pain001, pain002, result_csv, xml
from disbursement.payments.files.latin import restricted
from disbursement.payments.files.rows import FileRefused, Instruction, PaymentFile, ResultRow, whole_rupiah
from hypothesis import given, settings
from hypothesis import strategies as st
from kit.ids import crockford26
from kit.money import MAX_IDR
from stack import bank

XSD = Path(__file__).parents[5] / "contracts/iso20022"
DAY = date(2026, 8, 5)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)
INSTRUCTIONS = st.lists(
    st.builds(
        Instruction,
        st.uuids().map(crockford26),
        st.integers(1, MAX_IDR // 50),
        st.from_regex(r"[0-9]{3,7}", fullmatch=True),
        st.from_regex(r"0[0-9]{5,20}", fullmatch=True),
        TEXT,
        TEXT,
    ),
    min_size=1,
    max_size=20,
    unique_by=lambda i: i.reference,
).map(tuple)


def file(instructions: tuple[Instruction, ...]) -> PaymentFile:
    return PaymentFile(
        reference=crockford26(UUID(int=77)), block="1-1", created_at=datetime(2026, 8, 3, 2, tzinfo=UTC), due_on=date(2026, 8, 3),
        initiator="Dinas Sosial", debtor_name="Dinas Sosial", debtor_account="0010020030", debtor_bank="110",
        purpose="SSBE", instructions=instructions,
    )  # fmt: skip


def line(number: int, amount: int = 2_000_000) -> Instruction:
    return Instruction(crockford26(UUID(int=number)), amount, "110", f"00{number:08}", "Penerima Contoh", "SKM 2026-08")


@given(INSTRUCTIONS)
@settings(deadline=None)
def test_pain001_comes_back_as_it_went(instructions):
    written = file(instructions)
    read = pain001.parse(pain001.build(written))
    plain = tuple(
        replace(i, holder_name=restricted(i.holder_name, 70), description=restricted(i.description, 140))
        for i in instructions
    )
    assert read == replace(written, instructions=plain)


@given(INSTRUCTIONS)
@settings(deadline=None, max_examples=25)
def test_pain001_is_valid_under_the_official_schema(instructions):
    xml.validate(xml.read(pain001.build(file(instructions))), (XSD / "pain.001.001.09.xsd").read_bytes())


@pytest.mark.parametrize("amount", [2**31 + 1, 10**12 + 1, MAX_IDR])
def test_large_amounts_pass_unchanged(amount):
    one = (line(1, amount),)
    assert pain001.parse(pain001.build(file(one))).instructions[0].amount_idr == amount
    assert bank_csv.parse(bank_csv.build(one))[0].amount_idr == amount
    order = bank.read(pain001.build(file(one)))
    for kind, parse in ((bank.Format.CAMT054, camt.parse), (bank.Format.CSV, result_csv.parse)):
        assert parse(bank.answer(order, kind, DAY)).rows[0].amount_idr == amount


def test_depok_seven_cycles_keep_their_control_sum():
    lines = tuple(line(n) for n in range(1, 1593))
    content = pain001.build(file(lines))
    assert b"<CtrlSum>3184000000</CtrlSum>" in content
    assert pain001.parse(content).total_idr == 3_184_000_000


@given(INSTRUCTIONS)
@settings(deadline=None)
def test_bank_csv_comes_back_as_it_went_and_starts_no_formula(instructions):
    content = bank_csv.build(instructions)
    assert bank_csv.parse(content) == instructions
    assert not any(cell[:1] in "=+-@" for row in content.decode().splitlines() for cell in row.split(";")[:1] if cell)


@pytest.mark.parametrize("evil", ["=1+1", "+62", "-1", "@SUM(A1)", "'quoted", "a;b", 'say "x"', "two\nlines"])
def test_cells_are_guarded(evil):
    one = (replace(line(1), holder_name=evil),)
    content = bank_csv.build(one)
    assert bank_csv.parse(content) == one
    assert f";{evil};".encode() not in content or evil == 'say "x"'


def test_the_bank_answers_valid_messages():
    order = bank.read(pain001.build(file((line(1), line(2), line(3)))))
    faults = bank.Faults(
        returned={order.transfers[0].reference: "BE01"}, rejected={order.transfers[1].reference: "AC04"}
    )
    xml.validate(xml.read(bank.notice(order, DAY, faults)), (XSD / "camt.054.001.08.xsd").read_bytes())
    xml.validate(xml.read(bank.status_report(order, DAY, faults)), (XSD / "pain.002.001.12.xsd").read_bytes())


def test_camt054_names_settled_and_returned_lines_and_the_debit():
    order = bank.read(pain001.build(file((line(1), line(2), line(3)))))
    faults = bank.Faults(
        returned={order.transfers[0].reference: "BE01"}, silent=frozenset({order.transfers[2].reference})
    )
    results = camt.parse(bank.notice(order, DAY, faults))
    found = {row.reference: (row.status, row.amount_idr, row.reason, row.value_date) for row in results.rows}
    assert found == {
        order.transfers[0].reference: ("returned", 2_000_000, "BE01", DAY),
        order.transfers[1].reference: ("settled", 2_000_000, None, DAY),
    }
    assert [(d.file_reference, d.amount_idr, d.count) for d in results.debits] == [(order.reference, 2_000_000, 1)]


def test_camt054_of_version_02_is_read_too():
    results = camt.parse(CAMT02.encode())
    assert [(r.reference, r.status, r.amount_idr, r.unreadable, r.reason) for r in results.rows] == [
        ("REF1", "settled", 150_000, False, None),
        ("REF2", "returned", 150_000, False, "AC04"),
        ("REF3", "settled", None, True, None),
        ("REF4", "PDNG", 1, False, None),
    ]


@pytest.mark.parametrize("version", ["02", "03", "04", "05", "06", "07", "08"])
@pytest.mark.parametrize("name", ["camt.054", "camt.053"])
def test_statements_of_all_versions_are_read(name, version):
    text = CAMT02.replace("camt.054.001.02", f"{name}.001.{version}")
    if name == "camt.053":
        text = text.replace("BkToCstmrDbtCdtNtfctn", "BkToCstmrStmt").replace("Ntfctn>", "Stmt>")
    assert len(camt.parse(text.encode()).rows) == 4


@pytest.mark.parametrize("version", ["03", "10", "12"])
def test_pain002_of_all_versions_is_read(version):
    results = pain002.parse(PAIN002.replace("001.12", f"001.{version}").encode())
    assert [(r.reference, r.status, r.reason, r.amount_idr) for r in results.rows] == [
        ("REF1", "ACSP", None, None),
        ("REF2", "RJCT", "AC04", 150_000),
    ]
    assert [(g.file_reference, g.status) for g in results.groups] == [("FILE1", "PART")]


ROWS = st.lists(
    st.builds(
        ResultRow,
        st.just(0),
        st.uuids().map(crockford26),
        st.sampled_from(["settled", "returned", "RJCT", "PDNG"]),
        st.integers(0, MAX_IDR // 50),
        st.just(value=False),
        st.none() | st.from_regex(r"[A-Z0-9]{1,16}", fullmatch=True),
        st.none() | st.just("BE01"),
        st.none() | st.dates(),
    ),
    max_size=20,
)


@given(ROWS)
def test_result_csv_comes_back_as_it_went(rows):
    numbered = tuple(replace(row, row_no=n) for n, row in enumerate(rows, start=1))
    assert result_csv.parse(result_csv.build(numbered)).rows == numbered


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">'
    + b"".join(
        b'<!ENTITY lol%d "%s">' % (n, b"&lol%d;" % (n - 1) * 10 if n > 1 else b"&lol;" * 10) for n in range(1, 10)
    )
    + b"]><Document>&lol9;</Document>"
)
OUTSIDE = b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/hostname">]><Document>&x;</Document>'


@pytest.mark.parametrize("parse", [camt.parse, pain002.parse, pain001.parse])
@pytest.mark.parametrize(
    "content",
    [
        LAUGHS,
        OUTSIDE,
        LAUGHS.decode().replace('<?xml version="1.0"?>', "").encode("utf-16"),
        b"",
        b"\x00" * 100,
        b"<a>" * 10_000,
        b"<Document/>",
        b"reference;bank_ref",
        '<?xml version="1.0" encoding="ISO-8859-7"?><Document>\u03b1</Document>'.encode("iso-8859-7"),
        b"<?xml version='1.0' encoding='nonsense'?><Document/>",
    ],
    ids=range(10),
)
def test_hostile_xml_is_refused_by_name(parse, content):
    with pytest.raises(FileRefused):
        parse(content)


@given(st.binary(max_size=300))
def test_no_bytes_break_a_reader_otherwise(content):
    for parse in (camt.parse, pain002.parse, pain001.parse, result_csv.parse, bank_csv.parse):
        with pytest.raises(FileRefused):
            parse(content)


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_file_is_refused(cut):
    order = bank.read(pain001.build(file((line(1), line(2)))))
    for content, parse in (
        (bank.notice(order, DAY), camt.parse),
        (bank.status_report(order, DAY), pain002.parse),
        (bank.result_list(order, DAY), result_csv.parse),
        (pain001.build(file((line(1),))), pain001.parse),
    ):
        with pytest.raises(FileRefused):
            parse(content[: int(len(content) * cut)])


def test_control_figures_that_do_not_add_up_refuse_the_whole_file():
    good = pain001.build(file((line(1), line(2))))
    csv = result_csv.build((ResultRow(1, "R1", "settled", 5),))
    for content, parse, code in (
        (good.replace(b"<CtrlSum>4000000<", b"<CtrlSum>4000001<"), pain001.parse, "jumlah_berkas_beda"),
        (good.replace(b"<NbOfTxs>2<", b"<NbOfTxs>3<"), pain001.parse, "jumlah_berkas_beda"),
        (good.replace(b">2000000</InstdAmt>", b">2000000.50</InstdAmt>"), pain001.parse, "bukan_rupiah_bulat"),
        (good.replace(b'Ccy="IDR"', b'Ccy="USD"'), pain001.parse, "bukan_rupiah_bulat"),
        (pain001.build(file((line(1), line(1)))), pain001.parse, "referensi_ganda"),
        (csv.replace(b"TOTAL;1;;;5;", b"TOTAL;1;;;6;"), result_csv.parse, "jumlah_berkas_beda"),
        (csv.replace(b"TOTAL;1", b"TOTAL;2"), result_csv.parse, "jumlah_berkas_beda"),
        (bank_csv.build((line(1), line(1))), bank_csv.parse, "referensi_ganda"),
    ):
        with pytest.raises(FileRefused, match=code):
            parse(content)


def test_a_file_beyond_the_limit_is_not_read():
    with pytest.raises(FileRefused, match="berkas_terlalu_besar"):
        xml.read(b"<Document/>", limit=5)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("150000", 150_000), ("150000.00", 150_000), (" 1 ", 1), ("150000.01", None), ("1e5", None), ("-5", None),
        ("1,000", None), ("NaN", None), ("Infinity", None), (None, None), ("", None), ("9" * 30, None), ("٣", None),
    ],
)  # fmt: skip
def test_only_whole_rupiah_are_amounts(text, amount):
    assert whole_rupiah(text) == amount


def test_names_fit_the_bank():
    assert restricted("Siti Nurhalizá & “Co”", 70) == "Siti Nurhaliza Co"
    assert restricted("ꦱꦶꦠꦶ", 70) == "-"
    assert len(restricted("a" * 200, 70)) == 70


CAMT02 = """<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.02"><BkToCstmrDbtCdtNtfctn>
<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-08-05T10:00:00+07:00</CreDtTm></GrpHdr><Ntfctn><Id>1</Id>
<Ntry><Amt Ccy="IDR">150000</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><ValDt><Dt>2026-08-05</Dt></ValDt>
<NtryDtls><TxDtls><Refs><EndToEndId>REF1</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="IDR">150000.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>
<NtryDtls><TxDtls><Refs><InstrId>REF2</InstrId><EndToEndId>NOTPROVIDED</EndToEndId></Refs>
<AmtDtls><TxAmt><Amt Ccy="IDR">150000.00</Amt></TxAmt></AmtDtls><RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="USD">10</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts>
<NtryDtls><TxDtls><Refs><EndToEndId>REF3</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="IDR">1</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>PDNG</Sts>
<NtryDtls><TxDtls><Refs><EndToEndId>REF4</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>
</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>"""
PAIN002 = """<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.12"><CstmrPmtStsRpt>
<GrpHdr><MsgId>S1</MsgId><CreDtTm>2026-08-04T08:00:00</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>FILE1</OrgnlMsgId><OrgnlMsgNmId>pain.001</OrgnlMsgNmId><GrpSts>PART</GrpSts></OrgnlGrpInfAndSts>
<OrgnlPmtInfAndSts><OrgnlPmtInfId>1</OrgnlPmtInfId>
<TxInfAndSts><OrgnlEndToEndId>REF1</OrgnlEndToEndId><TxSts>ACSP</TxSts></TxInfAndSts>
<TxInfAndSts><OrgnlInstrId>REF2</OrgnlInstrId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf>
<OrgnlTxRef><Amt><InstdAmt Ccy="IDR">150000</InstdAmt></Amt></OrgnlTxRef></TxInfAndSts>
</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"""
