"""Reference data of payments, read once from the contracts: what a bank's reason means, which days are working days."""

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import yaml

OTHER = "other"


@dataclass(frozen=True, slots=True)
class Reference:
    """Bank reason codes to ours, public holidays, and the folder of the official schemas."""

    reasons: dict[str, str]
    holidays: frozenset[date]
    schemas: Path

    def reason(self, code: str | None) -> str:
        """Our reason code of a bank's; one that is not listed means that a person reads the bank's text."""
        return self.reasons.get(code or OTHER, self.reasons[OTHER])

    def schema(self, message: str) -> bytes:
        """The official schema of a message."""
        return (self.schemas / f"{message}.xsd").read_bytes()


@cache
def load(contracts: Path) -> Reference:
    """Read the reference data of a contracts folder, once per process."""
    raw = yaml.safe_load((contracts / "reference" / "bank_reasons.yaml").read_text())
    with (contracts / "reference" / "calendar.csv").open() as file:
        holidays = frozenset(date.fromisoformat(row["date"]) for row in csv.DictReader(file))
    return Reference({str(code): str(row["reason"]) for code, row in raw.items()}, holidays, contracts / "iso20022")
