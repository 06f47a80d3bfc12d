"""Account numbers as they are stored and compared, and how well a holder's name fits. Pure."""

import re

from registry.persons.names import normalise as normalise_name

_NOT_DIGITS = re.compile(r"[\s.\-]+")
_SHORTEST, _LONGEST = 5, 24
_CLOSE_WORDS = 2


def normalise(raw: str) -> str | None:
    """The digits of an account number; None when it is no account number."""
    text = _NOT_DIGITS.sub("", raw)
    return (
        text if text.isascii() and text.isdigit() and _SHORTEST <= len(text) <= _LONGEST and text.strip("0") else None
    )


def index_text(rail: str, bank_code: str | None, account: str) -> str:
    """What the blind index `account` is made of: the same digits at another bank are another account."""
    return f"{rail}:{bank_code or ''}:{account}"


def compare_names(person: str, holder: str) -> str:
    """How the holder's name fits the person's: `exact`, `close` (a shared first word, one within the other) or `mismatch`."""
    one, other = normalise_name(person).norm.split(), normalise_name(holder).norm.split()
    if one == other:
        return "exact"
    short, long = sorted((one, other), key=len)
    inside = bool(short) and short[0] == long[0] and all(any(w.startswith(s) for w in long) for s in short)
    return "close" if inside and (len(short) >= _CLOSE_WORDS or len(long) <= _CLOSE_WORDS) else "mismatch"
