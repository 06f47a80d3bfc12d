"""Region codes (kode wilayah, Kemendagri): `32`, `32.76`, `32.76.03`, `32.76.03.1001`. Knows codes, not places.

Everything may use this, domain modules included; it imports only the standard library.
"""

import re
from collections.abc import Iterable

_CODE = re.compile(r"[1-9]\d(?:\.\d\d(?:\.\d\d(?:\.\d{4})?)?)?", re.ASCII)
_KECAMATAN_LENGTH = 8


def is_code(text: str) -> bool:
    """Whether the text has the shape of a province, regency, district or village code. Existence is not checked."""
    return _CODE.fullmatch(text) is not None


def covers(prefixes: Iterable[str], code: str) -> bool:
    """Whether one of the prefixes covers the code, by whole groups: `32.76` covers `32.76.03.1001`, not `32.761`.

    Whoever has no region covers nothing; an empty prefix covers nothing.
    """
    return any(prefix and (code == prefix or code.startswith(prefix + ".")) for prefix in prefixes)


def kecamatan(code: str) -> str:
    """The district (kecamatan) part: the finest region that may stand beside a person in an event."""
    return code[:_KECAMATAN_LENGTH]
