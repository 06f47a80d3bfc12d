"""Days off of Indonesia from `contracts/reference/calendar.csv`: national holidays and collective leave (SKB)."""

import csv
from datetime import date
from pathlib import Path

from disbursement.claims.deadline import Calendar


def load(contracts_dir: Path) -> Calendar:
    """Read the calendar; an unreadable one stops the start."""
    national: set[date] = set()
    collective: set[date] = set()
    with (contracts_dir / "reference" / "calendar.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(line for line in lines if not line.startswith("#")):
            (collective if row["kind"] == "collective" else national).add(date.fromisoformat(row["date"]))
    return Calendar(frozenset(national), frozenset(collective))
