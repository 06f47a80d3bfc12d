"""What is no family list gets a clear answer and changes nothing; what is one keeps its rejects, exactly."""

import csv
import io
import zipfile

import pytest
import xlsxwriter
from registry.imports import worker
from stack.synthetic import families

NAME, REGION, RELATION = (families.COLUMNS.index(c) for c in ("nama", "kode_wilayah", "hubungan"))
HEADER = ",".join(families.COLUMNS) + "\n"


def sheet(write) -> bytes:
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    write(book, book.add_worksheet())
    book.close()
    return target.getvalue()


def bomb() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 60_000_000)
    return target.getvalue()


def with_doctype() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("xl/workbook.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><workbook>&a;</workbook>')
    return target.getvalue()


def far_cell() -> bytes:
    def write(_, page):
        page.write_row(0, 0, families.COLUMNS)
        page.write(1, 16_000, "x")

    return sheet(write)


AT_ONCE = {
    "berkas_kosong": lambda: b"",
    "berkas_ber_bom": lambda: "﻿".encode() + HEADER.encode(),
    "berkas_ber_nul": lambda: HEADER.encode() + b"a,b\0c\n",
    "berkas_bukan_utf8": lambda: HEADER.encode() + "Jalan Café,".encode("cp1252") * 40,
    "tajuk_ganda": (HEADER.strip() + ",nik\n").encode,
    "tajuk_tidak_dikenal": (HEADER.strip() + ",ukuran_sepatu\n").encode,
    "tajuk_kurang": lambda: b"nik,nama\n",
    "baris_terlalu_panjang": lambda: b'"' + b"x" * 10_000_000 + b'"\n',
    "berkas_terkunci": lambda: b"\xd0\xcf\x11\xe0" + b"x" * 100,
    "bukan_lembar_kerja": lambda: b"PK\x03\x04 no archive",
    "berkas_mengembang": bomb,
    "xml_terlarang": with_doctype,
    "kolom_terlalu_banyak": far_cell,
}


@pytest.mark.parametrize("code", AT_ONCE)
async def test_a_file_that_is_no_list_is_refused_at_the_desk_and_nothing_stays(office, code):
    answer = await office.send(AT_ONCE[code]())
    assert answer.status_code == 422, answer.text
    assert code in answer.text
    assert not list(office.folder.iterdir())
    assert await office.registry.sql("SELECT FROM import_run") == []


def styled_blanks() -> bytes:
    def write(book, page):
        page.write_row(0, 0, families.COLUMNS)
        page.write_row(1, 0, next(families.lines(families.families(1))))
        colour = book.add_format({"bg_color": "#ffff00"})
        for row in range(2, 524_000 // 40):
            page.write_blank(row, 0, None, colour)

    return sheet(write)


INSIDE = {
    "terlalu_banyak_baris_kosong": (styled_blanks, 1003),
    "baris_terlalu_panjang": (lambda: HEADER.encode() + b"ok,ok\n" + b"x" * 10_000_000 + b"\n", 3),
    "tanda_kutip_rusak": (lambda: HEADER.encode() + b'"a"b,c\n', 2),
}


@pytest.mark.parametrize("code", INSIDE)
async def test_a_file_that_stops_being_a_list_is_rejected_whole_with_the_line(office, code):
    make, line = INSIDE[code]
    run = await office.upload(make())
    await office.work()
    run = await office.read(run)
    assert run["state"] == "rejected"
    assert (run["fault"]["code"], run["fault"]["line"]) == (code, line)
    assert (await office.counts())["person"] == 0
    assert (
        await office.registry.sql("SELECT FROM pg_class WHERE relname LIKE 'import_staging_%' AND relkind = 'r'") == []
    )


async def test_a_file_above_the_cap_is_refused(service_factory, tmp_path):
    from services.registry.tests.component.test_imports.conftest import Office

    small = Office(await service_factory("registry", imports_dir=tmp_path, import_max_bytes=2048), tmp_path)
    answer = await small.send(HEADER.encode() + b"x," * 2000)
    assert answer.status_code == 413
    assert not list(tmp_path.iterdir())


async def test_every_reject_stands_in_a_file_of_the_same_layout_with_line_column_and_reason(office, lists):
    lines = lists.listed(10)
    spoilt = {4: (NAME, "", "nama", "nama_kosong"), 9: (REGION, "32.76.99.9999", "kode_wilayah", "wilayah_tidak_dikenal"),
        12: (RELATION, "anak", "hubungan", "hubungan_tidak_dikenal"), 15: (REGION, "34.04.01.2001", "kode_wilayah", "di_luar_wilayah")}  # fmt: skip
    for at, (column, value, *_) in spoilt.items():
        lines[at][column] = value
    twin = list(lines[20])
    lines.append(twin)
    short = lines[22] = lines[22][:-1]
    run = await office.imported(lists.as_csv(lines))
    assert (run["rows_read"], run["rows_rejected"]) == (len(lines), 7)
    answer = await office.op_kab.get(f"/v1/imports/{run['id']}/rejects")
    header, *rejects = csv.reader(io.StringIO(answer.text))
    assert header == [*families.COLUMNS, "baris", "kolom", "alasan"]
    found = {int(r[20]): (r[21], r[22].partition(":")[0], r[:20]) for r in rejects}
    expected = {at + 2: (column, code, lines[at]) for at, (_, _, column, code) in spoilt.items()}
    expected |= dict.fromkeys((22, len(lines) + 1), ("id_baris", "id_baris_ganda", twin))
    expected[24] = ("", "jumlah_sel_salah", [*short, ""])
    assert found == expected
    assert (await office.counts())["person"] == len(lines) - 7


async def test_a_corrected_reject_file_is_a_list_again_and_loses_nobody(office, lists):
    lines = lists.listed(10)
    name = lines[3][NAME]
    lines[3][NAME] = "."
    lines[3][12] = '=HYPERLINK("http://x")'
    run = await office.imported(lists.as_csv(lines))
    text = (await office.op_kab.get(f"/v1/imports/{run['id']}/rejects")).text
    header, row = csv.reader(io.StringIO(text))
    assert row[12] == '\'=HYPERLINK("http://x")'
    row[NAME] = name
    done = await office.imported(lists.as_csv([row], header), as_of="2026-02-01")
    assert (done["extent"], done["new_rows"], done["gone_rows"]) == ("part", 1, 0)
    assert (await office.counts())["person"] == len(lines)


@pytest.mark.parametrize("start", ["=1+1", "+62", "-5", "@x", "\t=1", "'=1"])
def test_no_cell_of_a_reject_file_begins_a_formula_and_each_comes_back(start):
    from registry.imports.layout import guard, unguard

    assert guard(start)[0] == "'"
    assert unguard(guard(start)) == start


async def test_a_sheet_gives_the_same_people_as_the_text(office, lists):
    lines = lists.listed(15, broken=0.1)

    def write(_, page):
        for row, line in enumerate([list(families.COLUMNS), *lines]):
            for column, cell in enumerate(line):
                page.write_string(row, column, cell)

    await office.imported(sheet(write))
    again = await office.imported(lists.as_csv(lines), as_of="2026-02-01")
    assert (again["new_rows"], again["changed_rows"], again["gone_rows"]) == (0, 0, 0)
    rejects = await office.op_kab.get(f"/v1/imports/{again['id']}/rejects?format=xlsx")
    assert rejects.content.startswith(b"PK")


async def test_a_nik_typed_as_a_number_has_lost_its_last_digit_and_is_not_believed(office, lists):
    line = lists.listed(1)[0]
    nik, born = families.COLUMNS.index("nik"), families.COLUMNS.index("tanggal_lahir")

    def write(_, page):
        page.write_row(0, 0, families.COLUMNS)
        for column, cell in enumerate(line):
            if column == nik:
                page.write_number(1, column, 3276021712859684)
            elif column == born:
                page.write_number(1, column, 31_398)
            else:
                page.write_string(1, column, cell)

    await office.imported(sheet(write))
    assert [c["state"] for c in await office.registry.sql("SELECT state FROM identity_claim")] == ["quarantined"]
    assert [str(p["birth_date"]) for p in await office.registry.sql("SELECT birth_date FROM person")] == ["1985-12-17"]


async def test_a_list_whose_time_is_over_can_be_read_from_no_copy(office, lists, tmp_path):
    """Its file goes and its key is destroyed: also a copy of the file that was put back opens no more."""
    run = await office.imported(lists.as_csv(lists.listed(3, broken=0.4)))
    (kept,) = office.folder.glob("*.sealed")
    copy = kept.read_bytes()
    await worker.forget(office.runtime)
    assert kept.exists()
    days = worker.KEPT_DAYS + 1
    await office.registry.sql("UPDATE import_run SET finished_at = finished_at - make_interval(days => $1)", days)
    await worker.forget(office.runtime)
    assert list(office.folder.glob("*.sealed")) == []
    assert (await office.registry.sql("SELECT file_kept, file_key_enc FROM import_run"))[0]["file_key_enc"] == b""
    kept.write_bytes(copy)
    assert (await office.op_kab.get(f"/v1/imports/{run['id']}/rejects")).status_code == 404
