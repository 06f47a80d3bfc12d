"""Names as banks can carry them: the restricted Latin set of payment messages."""

import re
import unicodedata

_OUTSIDE = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]+")


def restricted(text: str, length: int) -> str:
    """The text in the restricted Latin set, cut to the length of the bank's profile; `-` when nothing is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return " ".join(_OUTSIDE.sub(" ", plain).split())[:length].strip() or "-"
