"""The layout of a family list: its columns, its limits, and what a header must look like (docs/family-list.md).

The readers hand over cells in this order whatever the order in the file. Column names are the ones of the offices that
exchange such lists; they are data, like the list itself.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

ROW_ID, FAMILY_ID, KK, NIK, NAME, SEX, BIRTH_DATE, RELATION, STATUS, REGION = range(10)
RT, RW, STREET, PHONE, EMAIL, BANK, ACCOUNT, HOLDER, DESIL, DIED_ON = range(10, 20)

COLUMNS = (
    "id_baris",
    "id_keluarga",
    "no_kk",
    "nik",
    "nama",
    "jenis_kelamin",
    "tanggal_lahir",
    "hubungan",
    "status_dasar",
    "kode_wilayah",
    "rt",
    "rw",
    "alamat",
    "telepon",
    "email",
    "kode_bank",
    "no_rekening",
    "nama_rekening",
    "desil",
    "tanggal_meninggal",
)
"""One row is one person; families are the rows that share `id_keluarga`, or else `no_kk`."""

REQUIRED = frozenset(COLUMNS[i] for i in (KK, NIK, NAME, SEX, BIRTH_DATE, RELATION, REGION))
"""Columns that must be there; a cell in them may still be empty where the page says so."""

LINE_COLUMN, FAULT_COLUMN, REASON_COLUMN = REJECT_COLUMNS = ("baris", "kolom", "alasan")
"""What the reject file has behind the columns of the list; a corrected reject file may be uploaded as it is."""

MAX_CELL = 256
"""Characters of one cell. The longest honest one is a street; a longer cell spoils its own row only."""
MAX_LINE = 65_536
"""Characters of one line, all cells together; past it the file is not a list."""
MAX_BLANK_ROWS = 1_000
"""Empty rows in a row; village sheets carry hundreds of thousands that are only coloured."""
MAX_ROWS = 2_000_000
"""Rows of one list (registry_disbursement.md 5)."""
MAX_COLUMNS = 64
"""Cells of one row, so that one cell far to the right costs nothing."""


_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")


def guard(cell: str) -> str:
    """The cell so that no spreadsheet takes it for a formula: an apostrophe before what begins one."""
    return "'" + cell if _FORMULA.match(cell) else cell


def unguard(cell: str) -> str:
    """The cell as it was before `guard`."""
    return cell[1:] if _GUARDED.match(cell) else cell


class Unreadable(Exception):
    """The file is no family list: nothing of it is taken. `code` is a reason code; `line` and `column` say where."""

    def __init__(self, code: str, *, line: int | None = None, **params: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.line = line
        self.params = params


@dataclass(frozen=True, slots=True)
class Header:
    """A header that was understood: the names as written and, per column of the layout, its place in the file."""

    names: tuple[str, ...]
    places: tuple[int | None, ...]
    returned: bool
    """Whether this is a reject file that came back corrected."""

    def arrange(self, cells: Sequence[str]) -> list[str]:
        """The cells in the order of the layout, empty where the file has no such column."""
        return [cells[place] if place is not None else "" for place in self.places]

    @property
    def has_row_ids(self) -> bool:
        """Whether the list names its own rows; without it a row is named by its family card and place."""
        return self.places[ROW_ID] is not None


def read_header(cells: Sequence[str], line: int = 1) -> Header:
    """Understand the first row of a file.

    Raises Unreadable: `tajuk_kosong`, `tajuk_ganda` (a name twice), `tajuk_tidak_dikenal`, `tajuk_kurang`,
    `perbaikan_tanpa_id_baris` (a returned reject file of a list that does not name its rows cannot find them again).
    """
    names = tuple(cell.strip().lower() for cell in cells)
    while names and not names[-1]:
        names = names[:-1]
    if not names or len(names) > MAX_COLUMNS:
        raise Unreadable("tajuk_kosong" if not names else "kolom_terlalu_banyak", line=line)
    for place, name in enumerate(names, start=1):
        if names.index(name) != place - 1:
            raise Unreadable("tajuk_ganda", line=line, column=place)
        if name not in COLUMNS and name not in REJECT_COLUMNS:
            raise Unreadable("tajuk_tidak_dikenal", line=line, column=place)
    missing = sorted(REQUIRED - set(names))
    if missing:
        raise Unreadable("tajuk_kurang", line=line, missing=", ".join(missing))
    returned = any(name in REJECT_COLUMNS for name in names)
    places = tuple(names.index(name) if name in names else None for name in COLUMNS)
    if returned and places[ROW_ID] is None:
        raise Unreadable("perbaikan_tanpa_id_baris", line=line)
    return Header(names, places, returned)
