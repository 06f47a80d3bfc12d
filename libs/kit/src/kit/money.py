"""Whole rupiah. Everything may use this, domain modules included; an amount is never a float and never a Decimal."""

import re
from typing import Annotated, TypeAlias

from pydantic import Field

Rupiah: TypeAlias = int

MAX_IDR = 2**53 - 1
"""The largest amount that every JSON reader keeps exact; about nine thousand trillion rupiah."""

IdrAmount = Annotated[int, Field(strict=True, ge=1, le=MAX_IDR)]
"""An amount in a body or an event: a JSON integer, no text and no fraction."""

_WRITTEN = re.compile(r"(?:Rp\.?\s*)?(\d{1,3}(?:\.\d{3})+|\d+)(?:,(?:0{1,2}|-))?", re.IGNORECASE | re.ASCII)


def rupiah(text: str) -> Rupiah:
    """Read an amount as Indonesian forms and spreadsheets write it: `Rp 2.000.000`, `2000000`, `2.000.000,00`.

    Raises ValueError for cents other than zero, for commas that group thousands, for signs and for more than MAX_IDR:
    an unclear amount is asked again, never guessed.
    """
    match = _WRITTEN.fullmatch(text.strip())
    if match is None:
        raise ValueError("not a whole amount of rupiah")
    amount = int(match[1].replace(".", ""))
    if amount > MAX_IDR:
        raise ValueError("amount too large")
    return amount


def format_id(amount: Rupiah) -> str:
    """The amount as people read it: `Rp 2.000.000`, negative ones `-Rp 2.000.000`."""
    sign = "-" if amount < 0 else ""
    return f"{sign}Rp {abs(amount):,}".replace(",", ".")
