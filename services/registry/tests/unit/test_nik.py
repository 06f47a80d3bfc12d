"""NIK and KK numbers: impossible ones are found, old and ambiguous ones are borne."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from registry.identities.nik import Known, Structure, birth_dates, check_kk, check_nik, mask, normalise, sex

DISTRICTS = frozenset({"32", "32.76", "32.76.03"})


def written(born: date, woman: bool, district: str = "327603", serial: int = 1) -> str:
    return f"{district}{born.day + 40 * woman:02d}{born.month:02d}{born.year % 100:02d}{serial:04d}"


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.booleans(), st.integers(1, 9999))
def test_a_true_number_is_never_bad_and_tells_sex_and_day(born, woman, serial):
    number = written(born, woman, serial=serial)
    checked = check_nik(number, Known(born, "P" if woman else "L", DISTRICTS))
    assert checked.structure is Structure.OK
    assert sex(number) == ("P" if woman else "L")
    assert born in birth_dates(number)


@given(st.dates(date(1910, 1, 1), date(1926, 12, 31)))
def test_the_elderly_are_not_read_as_toddlers(born):
    number = written(born, woman=False)
    assert check_nik(number, Known(born, "L")).warnings == ()
    assert {d.year for d in birth_dates(number)} <= {born.year, born.year + 100}


def test_both_centuries_are_told_and_leap_days_only_where_they_were():
    assert birth_dates(written(date(1924, 5, 6), woman=False)) == (date(1924, 5, 6), date(2024, 5, 6))
    assert birth_dates("3276032902000001") == (date(2000, 2, 29),)
    assert check_nik("3276032902010001").warnings == ("nik_tanggal_tidak_wajar",)


CODES = {
    "nik_bukan_16_angka",
    "nik_provinsi_tidak_dikenal",
    "nik_kab_tidak_wajar",
    "nik_kec_tidak_wajar",
    "nik_kec_tidak_dikenal",
    "nik_tanggal_tidak_wajar",
    "nik_urut_nol",
    "nik_tgl_beda",
}


@given(st.text(alphabet="0123456789 .-", max_size=24))
def test_what_is_written_is_judged_without_falling_over(text):
    value = normalise(text)
    if value is None:
        assert len(set(text) - set(" .-")) <= 1
        return
    checked = check_nik(value)
    if len(value) != 16:
        assert checked.warnings == ("nik_bukan_16_angka",)
    assert set(checked.warnings) <= CODES  # fixed words, so nothing of the number can stand in them


@given(st.text(max_size=30))
def test_any_text_at_all_is_judged(text):
    value = normalise(text)
    if value is not None:
        check_nik(value)
        check_kk(value)


@pytest.mark.parametrize("placeholder", ["", " ", "0", "0000000000000000", "9999 9999 9999 9999", "-", "..", "1"])
def test_placeholders_are_no_claims(placeholder):
    assert normalise(placeholder) is None


def test_separators_of_lists_are_dropped():
    assert normalise("32.7603.170350.0001") == normalise(" 3276-0317-0350-0001 ") == "3276031703500001"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("0176031703500001", "nik_provinsi_tidak_dikenal"),
        ("3200031703500001", "nik_kab_tidak_wajar"),
        ("3270031703500001", "nik_kab_tidak_wajar"),
        ("3276001703500001", "nik_kec_tidak_wajar"),
        ("3276033203500001", "nik_tanggal_tidak_wajar"),
        ("3276034003500001", "nik_tanggal_tidak_wajar"),
        ("3276037203500001", "nik_tanggal_tidak_wajar"),
        ("3276030003500001", "nik_tanggal_tidak_wajar"),
        ("3276033104500001", "nik_tanggal_tidak_wajar"),
        ("3276031713500001", "nik_tanggal_tidak_wajar"),
        ("3276031703500000", "nik_urut_nol"),
        ("327603170350000", "nik_bukan_16_angka"),
        ("32760317035000O1", "nik_bukan_16_angka"),
    ],
)
def test_impossible_numbers_are_bad_and_say_why(number, code):
    checked = check_nik(number)
    assert checked.structure is Structure.BAD
    assert code in checked.warnings


def test_a_code_of_before_a_split_only_warns():
    checked = check_nik("3276991703500001", Known(districts=DISTRICTS))
    assert (checked.structure, checked.warnings) == (Structure.WARN, ("nik_kec_tidak_dikenal",))


def test_a_corrected_birth_date_or_sex_only_warns():
    number = written(date(1950, 3, 17), woman=True)
    assert check_nik(number, Known(date(1950, 3, 18), "P")).warnings == ("nik_tgl_beda",)
    assert check_nik(number, Known(date(1950, 3, 17), "L")).warnings == ("nik_tgl_beda",)


@given(st.text(alphabet="0123456789", min_size=16, max_size=16))
def test_a_family_card_with_sixteen_digits_is_never_rejected(number):
    assert check_kk(number).structure is not Structure.BAD


def test_a_family_card_without_sixteen_digits_is():
    assert check_kk("32760317").warnings == ("kk_bukan_16_angka",)


def test_a_masked_number_shows_no_more_than_its_ends():
    assert mask("0003", "3276") == "3276********0003"
    assert mask("0003") == "************0003"
