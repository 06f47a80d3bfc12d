"""Names of institutions as they are compared: free spelling must not hide that two are one."""

import re
import unicodedata

_FORM_WORDS = frozenset("yayasan yys perkumpulan lksa lkslu lksd lks panti asuhan pa pantiasuhan".split())  # noqa: SIM905
MOST = 160


def key(name: str) -> str:
    """The name without case, accents, signs, and the words that many names share."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", " ", plain.replace("'", "")).split()
    own = [word for word in words if word not in _FORM_WORDS]
    return " ".join(own or words)[:MOST] or "-"
