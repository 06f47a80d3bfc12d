"""A synthetic family list (daftar keluarga) of Kota Depok with the defects of real ones (domain.md 2.4).

Family `n` of a seed is always the same, however many are made. No number here belongs to anybody: NIK and KK serials start
at 9001 on their day, names are syllables, phones and accounts are made up; the demonstration sends nothing outside.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from random import Random

from stack.synthetic import names

COLUMNS = (
    "id_baris", "id_keluarga", "no_kk", "nik", "nama", "jenis_kelamin", "tanggal_lahir", "hubungan", "status_dasar",
    "kode_wilayah", "rt", "rw", "alamat", "telepon", "email", "kode_bank", "no_rekening", "nama_rekening", "desil",
    "tanggal_meninggal",
)  # fmt: skip
"""The layout of docs/family-list.md."""

DEPOK = "32.76"
AS_OF = date(2023, 1, 1)
"""Ages are drawn as of this day; nobody on the list is born later, so that it can be imported in any year since."""
STORY_FAMILIES = 20_000
PEOPLE_PER_FAMILY = 3.5

UNMATCHED, DUPLICATE, DEAD = 0.17, 0.011, 0.0024
"""Shares of persons: no NIK that a register would confirm (KPK 2021), a NIK that another line bears, dead but listed."""
_UNMATCHED_KINDS = (
    ("nik_beda", 0.09),       # well-formed, but born on another day than the list says
    ("nik_rusak", 0.045),     # a digit too few, a letter, dots
    ("nik_kosong", 0.035),    # blank, 0, one digit repeated
)  # fmt: skip
_SIZES, _SIZE_WEIGHTS = (1, 2, 3, 4, 5, 6), (8, 15, 25, 30, 14, 8)
_BANKS = ("002", "008", "009", "110", "451")
_OLD_DISTRICTS = ("320113", "320125", "310408", "360701")
"""Districts of first issue that were split or renumbered since: a warning, never a fault."""


@dataclass(frozen=True, slots=True)
class Person:
    """One line of the list. `defects` names what was planted in it, for tests that count."""

    row_id: str
    nik: str
    name: str
    sex: str
    birth_date: date
    relation: int
    status: int = 1
    phone: str = ""
    email: str = ""
    bank: str = ""
    account: str = ""
    holder: str = ""
    died_on: date | None = None
    defects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Family:
    """One family (keluarga) with its head first."""

    row_id: str
    kk: str
    region: str
    rt: int
    rw: int
    street: str
    desil: int | None
    people: tuple[Person, ...] = field(default=())

    @property
    def head(self) -> Person:
        """Who is named first (kepala keluarga); has a phone or e-mail and an account."""
        return self.people[0]


def families(count: int, *, seed: int = 1, regency: str = DEPOK) -> Iterator[Family]:
    """The first `count` families of the seed, defects included."""
    return (family(n, seed=seed, regency=regency) for n in range(count))


def families_for(people: int) -> int:
    """How many families hold about this many people."""
    return max(1, round(people / PEOPLE_PER_FAMILY))


def family(number: int, *, seed: int = 1, regency: str = DEPOK) -> Family:
    """Family `number` of the seed as the list has it."""
    clean = _clean(number, seed, regency)
    rng = Random(_mix(seed, number, 2))  # noqa: S311 - reproducible on purpose
    kk = _spoilt_kk(clean.kk, rng) if rng.random() < 0.02 else clean.kk
    people = tuple(_spoil(p, number, seed, regency, rng) for p in clean.people)
    return replace(clean, kk=kk, people=people)


def lines(families: Iterator[Family], *, broken: float = 0.0, seed: int = 1) -> Iterator[list[str]]:
    """The list's lines without header. `broken` is the share that cannot be a person and must be rejected (0 to 1)."""
    rng = Random(_mix(seed, 0, 3))  # noqa: S311
    for one in families:
        for person in one.people:
            line = line_of(one, person)
            yield _broken(line, rng) if broken and rng.random() < broken else line


def line_of(family: Family, person: Person) -> list[str]:
    """One person as the cells of a line, in the order of COLUMNS."""
    return [
        person.row_id, family.row_id, family.kk, person.nik, person.name, person.sex, person.birth_date.isoformat(),
        str(person.relation), str(person.status), family.region, str(family.rt), str(family.rw), family.street,
        person.phone, person.email, person.bank, person.account, person.holder,
        "" if family.desil is None else str(family.desil), person.died_on.isoformat() if person.died_on else "",
    ]  # fmt: skip


@cache
def villages(regency: str = DEPOK) -> tuple[str, ...]:
    """The village codes (kelurahan, desa) of a regency, from the vendored list."""
    for folder in Path(__file__).resolve().parents:
        source = folder / "contracts" / "regions" / "kemendagri.csv"
        if source.is_file():
            with source.open(newline="", encoding="utf-8") as file:
                codes = (row["code"] for row in csv.DictReader(file))
                return tuple(code for code in codes if code.startswith(regency + ".") and code.count(".") == 3)
    raise FileNotFoundError("contracts/regions/kemendagri.csv")


def _mix(seed: int, number: int, stream: int) -> int:
    return (seed << 40) ^ (number << 4) ^ stream


def _clean(number: int, seed: int, regency: str) -> Family:
    """The family before anything went wrong with it."""
    rng = Random(_mix(seed, number, 1))  # noqa: S311
    region = rng.choice(villages(regency))
    size = rng.choices(_SIZES, _SIZE_WEIGHTS)[0]
    surname = names.word(rng)
    issued = date(2005, 1, 1) + timedelta(days=rng.randrange(7_000))
    row_id = f"K{seed:02d}{number:07d}"
    people = []
    head_age = rng.choices((rng.randint(20, 59), rng.randint(60, 97)), (82, 18))[0]
    for place in range(size):
        relation, sex, age = _role(place, head_age, rng)
        born = AS_OF - timedelta(days=age * 365 + rng.randrange(1, 364))
        people.append(
            Person(
                row_id=f"{row_id}-{place + 1}",
                nik=_nik(_district(region, rng), born, sex, rng),
                name=names.full_name(rng, surname),
                sex=sex,
                birth_date=born,
                relation=relation,
            )
        )
    people[0] = _reachable(people[0], number, rng)
    kk = f"{region.replace('.', '')[:6]}{issued:%d%m%y}{rng.randint(9001, 9999)}"
    street = f"Jl. {names.word(rng)} No. {rng.randint(1, 240)}"
    desil = rng.choices((rng.randint(1, 10), None), (95, 5))[0]
    return Family(row_id, kk, region, rng.randint(1, 12), rng.randint(1, 15), street, desil, tuple(people))


def _role(place: int, head_age: int, rng: Random) -> tuple[int, str, int]:
    """Relation (1 head, 3 wife, 4 child, 7 parent), sex and age of the person at this place of the card."""
    if place == 0:
        return 1, ("P" if rng.random() < 0.2 else "L"), head_age
    if place == 1 and rng.random() < 0.85:
        return 3, "P", max(18, head_age - rng.randint(-3, 8))
    if rng.random() < 0.04 and head_age < 70:
        return 7, rng.choice("LP"), min(104, head_age + rng.randint(20, 34))
    return 4, rng.choice("LP"), max(0, head_age - rng.randint(20, 38))


def _district(region: str, rng: Random) -> str:
    """The district of first issue: mostly here, often elsewhere, sometimes one that exists no more."""
    draw = rng.random()
    if draw < 0.01:
        return rng.choice(_OLD_DISTRICTS)
    return (
        region.replace(".", "")[:6] if draw < 0.75 else rng.choice(("317401", "320105", "327501", "337402", "351708"))
    )


def _nik(district: str, born: date, sex: str, rng: Random) -> str:
    """A NIK: district of first issue, birth day (women plus 40), serial beyond what an office issues on one day."""
    day = born.day + (40 if sex == "P" else 0)
    return f"{district}{day:02d}{born:%m%y}{rng.randint(9001, 9999)}"


def _reachable(head: Person, number: int, rng: Random) -> Person:
    """A head that can be told and paid: phone or e-mail, bank account, holder's name."""
    phone = f"0899{9_000_000 + number % 1_000_000:07d}" if rng.random() < 0.97 else ""
    email = f"keluarga{number:07d}@example.com" if not phone or rng.random() < 0.1 else ""
    bank = rng.choice(_BANKS)
    return replace(
        head,
        phone=phone,
        email=email,
        bank=bank,
        account=f"99{number:08d}{rng.randint(10, 99)}",
        holder=head.name.upper(),
    )


def _spoil(person: Person, number: int, seed: int, regency: str, rng: Random) -> Person:
    """Plant at most one identity defect and whatever else the draw says."""
    draw, found = rng.random(), person
    edge = 0.0
    for kind, share in _UNMATCHED_KINDS:
        edge += share
        if edge - share <= draw < edge:
            found = replace(found, nik=_spoilt_nik(kind, found, rng), defects=(*found.defects, kind))
    if UNMATCHED <= draw < UNMATCHED + DUPLICATE and number:
        other = _clean(rng.randrange(number), seed, regency).people[0]
        found = replace(found, nik=other.nik, defects=(*found.defects, "nik_ganda"))
    if rng.random() < DEAD:
        found = replace(found, status=2, died_on=_death_day(found, rng), defects=(*found.defects, "meninggal"))
    if rng.random() < 0.04:
        found = replace(found, name=_decorated(found, rng), defects=(*found.defects, "gelar"))
    if found.phone and number > 50 and rng.random() < 0.03:
        found = replace(found, phone=f"0899{9_000_000 + number // 50:07d}", defects=(*found.defects, "telepon_bersama"))
    return found


def _spoilt_nik(kind: str, person: Person, rng: Random) -> str:
    if kind == "nik_kosong":
        return rng.choice(("", "0", "-", "0000000000000000", "9999999999999999"))
    if kind == "nik_rusak":
        nik = person.nik
        return rng.choice(
            (nik[:-1], nik[:6] + "O" + nik[7:], nik[:6] + "990000" + nik[12:], nik + rng.choice("0123456789"))
        )
    other = person.birth_date + timedelta(days=rng.choice((-1, 1)) * rng.randint(1, 400))
    return _nik(person.nik[:6], other, person.sex, rng)


def _spoilt_kk(kk: str, rng: Random) -> str:
    return rng.choice((kk[:-1], "", "0000000000000000", kk[:4] + "." + kk[4:10] + "." + kk[10:], kk[:12] + "XXXX"))


def _death_day(person: Person, rng: Random) -> date | None:
    """Often nobody knows the day any more."""
    if rng.random() < 0.3:
        return None
    return max(person.birth_date, AS_OF - timedelta(days=rng.randint(10, 900)))


def _decorated(person: Person, rng: Random) -> str:
    draw = rng.random()
    if draw < 0.4:
        return rng.choice(names.TITLES) + person.name
    if draw < 0.7:
        return person.name + rng.choice(names.DEGREES)
    return names.with_tail(person.name, person.sex, names.word(rng))


def _broken(line: list[str], rng: Random) -> list[str]:
    """A line that cannot be a person: no name, a village that does not exist, a relation that is none, a cell too many."""
    name, relation, region = COLUMNS.index("nama"), COLUMNS.index("hubungan"), COLUMNS.index("kode_wilayah")
    spoilt = list(line)
    match rng.randrange(4):
        case 0:
            spoilt[name] = rng.choice(("", "-", "."))
        case 1:
            spoilt[region] = rng.choice(("32.76.99.9999", "3276", ""))
        case 2:
            spoilt[relation] = rng.choice(("0", "12", "anak"))
        case _:
            spoilt.append("lebih")
    return spoilt
