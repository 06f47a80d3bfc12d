"""One line of a family list, read and judged: what it says, what is wrong with it, and whether it is a person at all.

Pure but for the keyed digests. A line is rejected when it cannot be a person; whatever else is wrong with it is a warning
and the person is kept. What comes out still holds restricted values in the clear: only `sealing` may take it on.
"""

import hashlib
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from kit.crypto.fields import BlindIndex
from kit.regions import covers

from registry.contacts import addresses
from registry.identities import nik
from registry.imports import layout
from registry.imports.layout import COLUMNS, MAX_CELL, Header
from registry.payees import accounts
from registry.persons import names
from registry.restricted import KK

_VILLAGE = re.compile(r"[1-9]\d\.\d\d\.\d\d\.\d{4}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_LOCAL_DAY = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})")
_SEXES = {"L": "L", "P": "P", "LAKI-LAKI": "L", "PEREMPUAN": "P"}
_STATUSES = frozenset((1, 2, 3, 4, 6, 9))
DEAD = 2
"""Base status (status dasar) of somebody who died; 1 lives, 3 moved, 4 missing, 6 away, 9 not valid."""
_RELATIONS = range(1, 12)
_MAX_NAME = 120
_MAX_BANK = 8
_OLDEST = date(1880, 1, 1)
_PART_BYTES = 8

PARTS = ("identity", "family", "residence", "contact", "payee", "welfare", "life")
"""What of a row can change apart from the rest; the digest holds one keyed digest of each, in this order."""


class Finding(NamedTuple):
    """Something wrong with a line: where, a reason code, and whether the line is rejected. Never the value."""

    line: int
    column: str
    code: str
    rejected: bool


class Line(NamedTuple):
    """A line that is a person. `ref` names the row and `family_ref` its family within the list; neither is the NIK."""

    line: int
    ref: str
    family_ref: str | None
    digest: bytes
    name: str
    norm: str
    suffix: str | None
    sex: str | None
    birth_date: date | None
    relation: int
    status: int
    region_code: str
    rt: int | None
    rw: int | None
    nik: str | None
    nik_checked: nik.Checked | None
    kk: str | None
    kk_bidx: bytes | None
    kk_warnings: tuple[str, ...]
    street: str
    phone: str | None
    mail: str | None
    bank: str
    account: str | None
    holder: str
    desil: int | None
    died_on: date | None


@dataclass(frozen=True, slots=True)
class List:
    """The list that the lines belong to. `districts`: provinces and districts that a NIK may begin with."""

    run_id: UUID
    source: str
    region_code: str
    as_of: date
    districts: Collection[str]


class Rejected(Exception):
    """This line cannot be a person. Does not leave this module."""

    def __init__(self, column: int | None, code: str) -> None:
        super().__init__(code)
        self.column = COLUMNS[column] if column is not None else ""
        self.code = code


class _Card(NamedTuple):
    number: str | None
    bidx: bytes | None
    warnings: tuple[str, ...]


class Lines:
    """Reads the lines of one list, in order. One thread at a time: rows without an id are counted within their family."""

    def __init__(self, of: List, header: Header, index: BlindIndex) -> None:
        self._list = of
        self._header = header
        self._index = index
        self._digest_key = index.of("import_row", of.source)
        self._places: dict[bytes, int] = {}
        self._last = _Card(None, None, ())

    def read(self, line: int, cells: list[str]) -> tuple[Line | None, list[Finding]]:
        """What the line says, or None when it is rejected; and all that is wrong with it."""
        findings: list[Finding] = []
        try:
            return self._read(line, self._clean(cells), _Warnings(line, findings)), findings
        except Rejected as fault:
            return None, [Finding(line, fault.column, fault.code, rejected=True)]

    def pass_over(self, cells: list[str]) -> None:
        """Count a line that was staged before the process was killed, so that those behind it keep their names."""
        if not self._header.has_row_ids:
            try:
                self._key(self._clean(cells), _Warnings(0, []))
            except Rejected:
                return

    def _clean(self, cells: list[str]) -> list[str]:
        if len(cells) != len(self._header.names):
            raise Rejected(None, "jumlah_sel_salah")
        values = [cell.strip() for cell in self._header.arrange(cells)]
        if self._header.returned:
            values = [layout.unguard(value) for value in values]
        joined = "".join(values)
        if not joined.isprintable() and _CONTROL.search(joined):
            raise Rejected(next(i for i, v in enumerate(values) if _CONTROL.search(v)), "karakter_terlarang")
        if len(joined) > MAX_CELL and (long := [i for i, v in enumerate(values) if len(v) > MAX_CELL]):
            raise Rejected(long[0], "terlalu_panjang")
        return values

    def _read(self, line: int, values: list[str], warn: "_Warnings") -> Line:
        family_ref, card, ref = self._key(values, warn)
        name, norm = _name(values[layout.NAME])
        region = self._region(values[layout.REGION])
        relation = _relation(values[layout.RELATION])
        sex = _sex(values[layout.SEX], warn)
        born = self._birth(values[layout.BIRTH_DATE], warn)
        status = _status(values[layout.STATUS], warn)
        died_on = _a_day(values[layout.DIED_ON], layout.DIED_ON, warn) if status == DEAD else None
        if status == DEAD and died_on is None:
            warn(layout.DIED_ON, "tanggal_wafat_kosong")
        rt = _small(values[layout.RT], 0, 999, layout.RT, warn)
        rw = _small(values[layout.RW], 0, 999, layout.RW, warn)
        desil = _small(values[layout.DESIL], 1, 10, layout.DESIL, warn)
        number, checked = self._nik(values[layout.NIK], born, sex, warn)
        phone = _reach(addresses.phone, values[layout.PHONE], layout.PHONE, warn)
        mail = _reach(addresses.mail, values[layout.EMAIL], layout.EMAIL, warn)
        bank, account, holder = _account(values, warn)
        street = values[layout.STREET]
        parts = (
            (name, sex, born, number),
            (family_ref, card.number, relation),
            (region, rt, rw, street),
            (phone, mail),
            (bank, account, holder),
            (desil,),
            (status == DEAD, died_on),
        )
        digest = b"".join([self._digest(ref, part) for part in parts])
        return Line(
            line, ref or "i:" + digest.hex(), family_ref, digest, name, norm.norm, norm.suffix, sex, born, relation, status,
            region, rt, rw, number, checked, card.number, card.bidx, card.warnings, street, phone, mail, bank, account,
            holder, desil, died_on,
        )  # fmt: skip

    def _digest(self, ref: str, part: tuple[Any, ...]) -> bytes:
        """A keyed digest, bound to the row so that equal values of two rows do not show."""
        return hashlib.blake2b(f"{ref}\x1f{part!r}".encode(), digest_size=_PART_BYTES, key=self._digest_key).digest()

    def _key(self, values: list[str], warn: "_Warnings") -> tuple[str | None, _Card, str]:
        """The family's name in the list, its card, and the row's name (empty: to be known by its content)."""
        card = self._card(values[layout.KK], warn)
        own = values[layout.FAMILY_ID]
        family_ref = f"k:{own}" if own else f"kk:{card.bidx.hex()}" if card.bidx is not None else None
        if self._header.has_row_ids:
            if not (ref := values[layout.ROW_ID]):
                raise Rejected(layout.ROW_ID, "wajib_diisi")
            return family_ref, card, f"b:{ref}"
        if family_ref is None:
            return None, card, ""
        key = hashlib.blake2b(family_ref.encode(), digest_size=8).digest()
        self._places[key] = place = self._places.get(key, 0) + 1
        return family_ref, card, f"{family_ref}:{place}"

    def _card(self, raw: str, warn: "_Warnings") -> _Card:
        """The family card; lines of one family stand together as a rule, so the last one is kept."""
        number = nik.normalise(raw)
        if number is None:
            warn(layout.KK, "kk_kosong")
            return _Card(None, None, ())
        if number != self._last.number:
            checked = nik.check_kk(number, nik.Known(districts=self._list.districts))
            self._last = _Card(number, self._index.of(KK, number), checked.warnings)
        for code in self._last.warnings:
            warn(layout.KK, code)
        return self._last

    def _region(self, region: str) -> str:
        if _VILLAGE.fullmatch(region) is None:
            raise Rejected(layout.REGION, "wilayah_tidak_dikenal")
        if not covers((self._list.region_code,), region):
            raise Rejected(layout.REGION, "di_luar_wilayah")
        return region

    def _birth(self, raw: str, warn: "_Warnings") -> date | None:
        born = _a_day(raw, layout.BIRTH_DATE, warn)
        if born is not None and not _OLDEST <= born <= self._list.as_of:
            warn(layout.BIRTH_DATE, "tanggal_mustahil")
            return None
        return born

    def _nik(
        self, raw: str, born: date | None, sex: str | None, warn: "_Warnings"
    ) -> tuple[str | None, nik.Checked | None]:
        number = nik.normalise(raw)
        if number is None:
            warn(layout.NIK, "nik_kosong")
            return None, None
        checked = nik.check_nik(number, nik.Known(born, sex, self._list.districts))
        for code in checked.warnings:
            warn(layout.NIK, code)
        return number, checked


class _Warnings:
    """Notes what was wrong with a line that is kept."""

    __slots__ = ("_findings", "_line")

    def __init__(self, line: int, findings: list[Finding]) -> None:
        self._line, self._findings = line, findings

    def __call__(self, column: int, code: str) -> None:
        self._findings.append(Finding(self._line, COLUMNS[column], code, rejected=False))


def _name(raw: str) -> tuple[str, names.Name]:
    name = " ".join(raw.split())
    norm = names.normalise(name)
    if not any(c.isalpha() for c in norm.norm):
        raise Rejected(layout.NAME, "nama_kosong")
    if len(name) > _MAX_NAME:
        raise Rejected(layout.NAME, "terlalu_panjang")
    return name, norm


def _relation(raw: str) -> int:
    relation = _number(raw)
    if relation not in _RELATIONS:
        raise Rejected(layout.RELATION, "hubungan_tidak_dikenal")
    return relation


def _sex(raw: str, warn: _Warnings) -> str | None:
    sex = _SEXES.get(raw.upper())
    if sex is None and raw:
        warn(layout.SEX, "tidak_ada_dalam_daftar")
    return sex


def _status(raw: str, warn: _Warnings) -> int:
    status = _number(raw) if raw else 1
    if status in _STATUSES:
        return status
    warn(layout.STATUS, "tidak_ada_dalam_daftar")
    return 1


def _reach(normal: Callable[[str], str | None], raw: str, column: int, warn: _Warnings) -> str | None:
    value = normal(raw) if raw else None
    if raw and value is None:
        warn(column, "format_salah")
    return value


def _account(values: list[str], warn: _Warnings) -> tuple[str, str | None, str]:
    """Bank, number and holder, or nothing: half an account pays nobody."""
    raw, bank, holder = values[layout.ACCOUNT], values[layout.BANK], " ".join(values[layout.HOLDER].split())
    if not raw:
        return "", None, ""
    number = accounts.normalise(raw)
    if number is None or not holder or not (bank.isascii() and bank.isdigit() and len(bank) <= _MAX_BANK):
        warn(layout.ACCOUNT, "rekening_tidak_lengkap")
        return "", None, ""
    return bank, number, holder


def _number(raw: str) -> int:
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) <= 4 else -1  # noqa: PLR2004


def _small(raw: str, least: int, most: int, column: int, warn: _Warnings) -> int | None:
    if not raw:
        return None
    number = _number(raw)
    if least <= number <= most:
        return number
    warn(column, "di_luar_batas")
    return None


def _a_day(raw: str, column: int, warn: _Warnings) -> date | None:
    day = _day(raw)
    if day is None and raw:
        warn(column, "tanggal_tidak_terbaca")
    return day


@lru_cache(maxsize=65_536)
def _day(raw: str) -> date | None:
    """A day as lists write it: 1948-03-25, 25/03/1948, 25-3-1948; None for anything else."""
    try:
        if match := _LOCAL_DAY.fullmatch(raw):
            return date(int(match[3]), int(match[2]), int(match[1]))
        return date.fromisoformat(raw) if len(raw) == 10 else None  # noqa: PLR2004
    except ValueError:
        return None
