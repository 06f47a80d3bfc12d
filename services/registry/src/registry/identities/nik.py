"""What a NIK or KK number says about itself (domain.md 2.1, 2.2). Pure; imports, counters and searches all ask here.

A NIK has no check digit: structure only finds impossible numbers, existence is Dukcapil's to say.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

LENGTH = 16
WOMAN = 40
"""Women carry the day of birth plus 40."""
_REGENCIES = frozenset((*range(1, 70), *range(71, 100)))
_DAYS = frozenset((*range(1, 32), *range(41, 72)))
_BLANKS = " .-\t\u00a0\u2009"
_OF_BLANKS = str.maketrans("", "", _BLANKS)


class Structure(StrEnum):
    OK = "ok"
    WARN = "warn"  # may be a true number: old district codes, a corrected birth date
    BAD = "bad"  # no person can carry it


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the number. `districts`: Kemendagri codes to kecamatan, of today and of older lists."""

    birth_date: date | None = None
    sex: str | None = None
    districts: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """The outcome: a structure and reason codes, never the number."""

    structure: Structure
    warnings: tuple[str, ...] = ()


def normalise(raw: str) -> str | None:
    """The digits of a NIK or KK as typed (`35.2318.0000...`), or None where nothing was claimed.

    Blank, a single zero and one digit repeated are placeholders of village data (they once merged whole villages): no
    claim is written for them. Anything else comes back as it is, for the check to name what is wrong.
    """
    text = raw.strip().translate(_OF_BLANKS)
    if len(set(text)) <= 1 or not text.strip("0"):
        return None
    return text


def check_nik(number: str, known: Known | None = None) -> Checked:
    """Judge the structure of a normalised NIK. Bad: not 16 digits, impossible region, day or month, serial 0000."""
    known = known or Known()
    if len(number) != LENGTH or not _digits(number):
        return Checked(Structure.BAD, ("nik_bukan_16_angka",))
    bad = [*_bad_region(number, known.districts), *_bad_day(number)]
    if number[12:] == "0000":
        bad.append("nik_urut_nol")
    if bad:
        return Checked(Structure.BAD, tuple(bad))
    warnings = [*_old_district(number, known.districts), *_differs(number, known)]
    return Checked(Structure.WARN if warnings else Structure.OK, tuple(warnings))


def check_kk(number: str, known: Known | None = None) -> Checked:
    """Judge a family-card number: 16 digits or bad; everything else warns and never rejects."""
    if len(number) != LENGTH or not _digits(number):
        return Checked(Structure.BAD, ("kk_bukan_16_angka",))
    districts = known.districts if known else None
    day = int(number[6:8])
    warnings = [
        code.replace("nik_", "kk_") for code in (*_bad_region(number, districts), *_old_district(number, districts))
    ]
    if not _calendar_days(day - WOMAN if day > WOMAN else day, int(number[8:10]), int(number[10:12])):
        warnings.append("kk_tanggal_tidak_wajar")
    if number[12:] == "0000":
        warnings.append("kk_urut_nol")
    return Checked(Structure.WARN if warnings else Structure.OK, tuple(warnings))


def birth_dates(number: str) -> tuple[date, ...]:
    """Every day the digits of a structurally possible NIK may mean, oldest first.

    Two digits of a year stand for 1900 and 2000 alike: `24` is a person of 102 years or a toddler. Ages are never taken
    from here; the stored birth date counts.
    """
    day = int(number[6:8])
    return _calendar_days(day - WOMAN if day > WOMAN else day, int(number[8:10]), int(number[10:12]))


def sex(number: str) -> str:
    """The sex the day of birth tells: P (perempuan) above 40, else L (laki-laki)."""
    return "P" if int(number[6:8]) > WOMAN else "L"


def mask(last4: str, province: str = "") -> str:
    """A NIK as it may be shown: `3276********0003`, or stars where the first digits are not to hand."""
    return (province or "****") + "*" * 8 + last4


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _bad_region(number: str, districts: Collection[str] | None) -> list[str]:
    province, regency, district = number[:2], int(number[2:4]), number[4:6]
    bad = []
    if province[0] == "0" or (districts is not None and province not in districts):
        bad.append("nik_provinsi_tidak_dikenal")
    if regency not in _REGENCIES:
        bad.append("nik_kab_tidak_wajar")
    if district == "00":
        bad.append("nik_kec_tidak_wajar")
    return bad


def _old_district(number: str, districts: Collection[str] | None) -> list[str]:
    """Codes of before a split (pemekaran) are unknown today and still true."""
    if districts is None or f"{number[:2]}.{number[2:4]}.{number[4:6]}" in districts:
        return []
    return ["nik_kec_tidak_dikenal"]


def _bad_day(number: str) -> list[str]:
    day = int(number[6:8])
    return [] if day in _DAYS and birth_dates(number) else ["nik_tanggal_tidak_wajar"]


def _differs(number: str, known: Known) -> list[str]:
    """A NIK is never changed when a birth date is corrected, so a difference is only a warning."""
    days = birth_dates(number)
    if (known.birth_date is not None and known.birth_date not in days) or (
        known.sex is not None and known.sex != sex(number)
    ):
        return ["nik_tgl_beda"]
    return []


def _calendar_days(day: int, month: int, year: int) -> tuple[date, ...]:
    days = []
    for century in (1900, 2000):
        try:
            days.append(date(century + year, month, day))
        except ValueError:
            continue
    return tuple(days)
