"""Names as they are compared: one spelling for what offices write in many (registry_disbursement.md 1.5). Pure."""

import re
import unicodedata
from dataclasses import dataclass

_RELIGIOUS = ("H", "HJ", "HAJI", "HAJJAH", "KH", "RR", "RA", "TB", "TGK", "ALM", "ALMH", "ALMARHUM", "ALMARHUMAH")
_BEFORE = ("DR", "DRS", "DRA", "DRG", "IR", "PROF")
_BEHIND = ("SE", "SH", "SS", "ST", "SAG", "SPD", "SPDI", "SKOM", "SSOS", "SIP", "SKM", "SPI", "SPT", "SP", "AMD", "AMK", "MM", "MH", "MSI",
    "MPD", "MAG", "MKES", "MA", "MSC", "MT", "PHD")  # fmt: skip
TITLES = frozenset((*_RELIGIOUS, *_BEFORE, *_BEHIND))
"""Academic and religious titles and the mark of the dead: no part of a name. `R` and `MUH` stay, people are called so."""
_DOTTED = re.compile(
    r"\b(?:S\.\s?(?:PD|KOM|SOS|AG|IP|KM|PT|PI|FARM|H|E|S|T|P)|M\.\s?(?:SI|PD|AG|KES|SC|M|H|A|T)|A\.\s?M[DK])\b\.?(?:\.?\s?I\b)?"
)
_TAIL = re.compile(r"\s(?:BIN|BINTI|BT|BTE)\s(?=\S)")
_NOT_LETTERS = re.compile(r"[^A-Z0-9 ]+")
_APOSTROPHES = str.maketrans("", "", "'`´ʼ’‘")


@dataclass(frozen=True, slots=True)
class Name:
    """A name to compare by, and the father's name behind bin or binti."""

    norm: str
    suffix: str | None


def normalise(name: str) -> Name:
    """Upper case without accents, titles and signs, single blanks; the bin/binti tail apart.

    A name that is nothing but titles keeps its letters: somebody is called that.
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c)).upper()
    plain = _DOTTED.sub(" ", plain.translate(_APOSTROPHES))
    letters = " ".join(_NOT_LETTERS.sub(" ", plain).split())
    head, *tail = _TAIL.split(letters, maxsplit=1)
    words = [word for word in head.split() if word not in TITLES]
    return Name(" ".join(words) or head, tail[0] if tail else None)


def initials(name: str) -> str:
    """How a name is shown to officers of other regions: `S. A.`."""
    return " ".join(f"{word[0]}." for word in name.split() if word)
