"""Ids and the numbers that people read to each other: UUIDv7, receipts (nomor tanda terima), payment references.

Everything may use this, domain modules included; it imports only the standard library.
"""

import os
import re
import threading
import time
from uuid import UUID

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUE = {letter: value for value, letter in enumerate(CROCKFORD)}
_PREFIX_VALUE = _VALUE | {"O": 0, "I": 1, "L": 2, "U": 3}
_FORGIVEN = str.maketrans({"O": "0", "I": "1", "L": "1"})
_FORGIVEN_PREFIX = str.maketrans({"0": "O", "1": "I"})
_RECEIPT = re.compile(r"([A-Z]{1,6})([0-9A-HJKMNP-TV-Z]{8})([0-9A-HJKMNP-TV-Z])")
_RECEIPT_BITS = 40
_NONZERO = 31

_lock = threading.Lock()
_last = 0


def new_id() -> UUID:
    """A fresh UUIDv7 (RFC 9562), rising within this process even inside one millisecond.

    The 12 bits after the milliseconds hold the fraction of the millisecond, as PostgreSQL 18 does it, so that ids made
    here and there sort by time together.
    """
    global _last
    nanoseconds = time.time_ns()
    tick = (nanoseconds // 1_000_000 << 12) | (nanoseconds % 1_000_000 * 4096 // 1_000_000)
    with _lock:
        _last = tick = max(tick, _last + 1)
    random = int.from_bytes(os.urandom(8), "big") >> 2
    return UUID(int=(tick >> 12) << 80 | 0x7 << 76 | (tick & 0xFFF) << 64 | 0x2 << 62 | random)


def receipt(prefix: str, id: UUID) -> str:
    """The number a person notes down: `SK-7K4M-92QD-X`, from the last 40 bits of the id and a check character.

    It is short to read over the phone, therefore not unique by construction: who looks one up compares the prefix and
    must bear two hits (1 in a million for a million things). Prefix: one to six letters A to Z.
    """
    body = _base32(id.int & ((1 << _RECEIPT_BITS) - 1), 8)
    return f"{prefix}-{body[:4]}-{body[4:]}-{_check(prefix, body)}"


def parse_receipt(text: str) -> tuple[str, int]:
    """The prefix and the 40 bits of a receipt as a person typed it: case, spaces, dashes, O for 0 and I or L for 1 pass.

    Raises ValueError when it cannot be a receipt; one wrong character and two swapped neighbours are always found.
    """
    plain = re.sub(r"[\s\-‐-―.]", "", text).upper()
    plain = plain[:-9].translate(_FORGIVEN_PREFIX) + plain[-9:].translate(_FORGIVEN)
    match = _RECEIPT.fullmatch(plain)
    if match is None or _check(match[1], match[2]) != match[3]:
        raise ValueError("not a receipt number")
    return match[1], _unbase32(match[2])


def crockford26(id: UUID) -> str:
    """The whole id in 26 characters: a payment reference that banks carry back unchanged (upper case, no signs)."""
    return _base32(id.int, 26)


def _base32(number: int, length: int) -> str:
    return "".join(CROCKFORD[number >> 5 * place & 31] for place in range(length - 1, -1, -1))


def _unbase32(text: str) -> int:
    number = 0
    for letter in text:
        number = number << 5 | _VALUE[letter]
    return number


def _powers() -> tuple[int, ...]:
    """The 31 powers of x in GF(2^5) with x^5 + x^2 + 1: all different and none zero."""
    powers = [1]
    while len(powers) < _NONZERO:
        doubled = powers[-1] << 1
        powers.append(doubled ^ 0b100101 if doubled & 32 else doubled)
    return tuple(powers)


_POWERS = _powers()
_LOG = {power: exponent for exponent, power in enumerate(_POWERS)}


def _check(prefix: str, body: str) -> str:
    """A weighted sum over GF(32). Weights differ and are not zero, which finds every single error and every swap."""
    values = [_VALUE[c] for c in reversed(body)] + [_PREFIX_VALUE[c] for c in reversed(prefix)]
    total = 0
    for place, value in enumerate(values, start=1):
        if value:
            total ^= _POWERS[(_LOG[value] + place) % _NONZERO]
    return CROCKFORD[total]
