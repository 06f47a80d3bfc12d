"""The vendored region list: whole, of the right kinds, and not the BPS one."""

from collections import Counter

import pytest
from kit.regions import is_code
from registry.regions.domain import kind_of, parent_of, read
from registry.settings import contracts_dir


@pytest.fixture(scope="module")
def rows():
    with (contracts_dir() / "regions" / "kemendagri.csv").open(encoding="utf-8", newline="") as lines:
        return list(read(lines))


def test_the_list_is_whole(rows):
    kinds = Counter(row.kind for row in rows)
    assert kinds["prov"] == 38
    assert kinds["kab"] + kinds["kota"] == 514
    assert kinds["kec"] == 7_285
    assert (kinds["kel"], kinds["desa"], kinds["desa_adat"]) == (8_496, 75_252, 14)


def test_every_code_is_a_code_once_and_lies_in_one_that_is_there(rows):
    codes = {row.code for row in rows}
    assert len(codes) == len(rows)
    assert all(is_code(code) for code in codes)
    assert all(row.parent_code is None or row.parent_code in codes for row in rows)


def test_it_is_the_list_of_kemendagri_and_not_of_bps(rows):
    assert next(row.name for row in rows if row.code == "11.01") == "Kabupaten Aceh Selatan"


def test_depok_has_eleven_kecamatan_and_sixty_three_kelurahan(rows):
    depok = Counter(row.kind for row in rows if row.code.startswith("32.76."))
    assert depok == {"kec": 11, "kel": 63}


def test_a_code_tells_its_kind_and_its_parent():
    assert [kind_of(c) for c in ("32", "32.01", "32.76", "32.76.03", "32.76.03.1001", "32.01.01.2001")] == [
        "prov", "kab", "kota", "kec", "kel", "desa",
    ]  # fmt: skip
    assert parent_of("32.76.03") == "32.76"
    assert parent_of("32") is None
    with pytest.raises(ValueError, match="Kemendagri"):
        kind_of("32.76.03.9001")
