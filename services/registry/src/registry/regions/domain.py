"""What a Kemendagri code says about itself, and how the vendored list is read. No IO."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

KAB_BELOW = 70
"""Second groups 01 to 69 are kabupaten, 71 to 99 kota."""
_VILLAGE = {"1": "kel", "2": "desa", "3": "desa_adat"}


@dataclass(frozen=True, slots=True)
class RegionRow:
    """One region as the list names it; dates None are unbounded (the list names none)."""

    code: str
    kind: str
    name: str
    parent_code: str | None
    valid_from: date | None
    valid_to: date | None


def kind_of(code: str) -> str:
    """The kind that follows from the code: prov, kab, kota, kec, kel, desa or desa_adat. Raises ValueError."""
    groups = code.split(".")
    match len(groups):
        case 1:
            return "prov"
        case 2:
            return "kab" if int(groups[1]) < KAB_BELOW else "kota"
        case 3:
            return "kec"
        case 4 if groups[3][0] in _VILLAGE:
            return _VILLAGE[groups[3][0]]
        case _:
            raise ValueError("not a Kemendagri code")


def parent_of(code: str) -> str | None:
    """The code of the region around this one; None for a province."""
    head, dot, _ = code.rpartition(".")
    return head if dot else None


def read(lines: Iterable[str]) -> Iterator[RegionRow]:
    """The rows of the vendored list (contracts/regions/kemendagri.csv)."""
    for row in csv.DictReader(lines):
        yield RegionRow(
            code=row["code"],
            kind=kind_of(row["code"]),
            name=row["name"],
            parent_code=parent_of(row["code"]),
            valid_from=date.fromisoformat(row["valid_from"]) if row["valid_from"] else None,
            valid_to=date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
        )
