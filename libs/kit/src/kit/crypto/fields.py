"""Restricted fields: encryption (AES-256-GCM) and blind indexes (HMAC-SHA-256). Keys come from settings, not from here.

A sealed value opens only at the place it was sealed for: a ciphertext copied to another row or column does not open.
Stored form: `v1 || key number || nonce || ciphertext || tag`, one byte each for the first two.
"""

import hashlib
import hmac
import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_FORM = 1
_NONCE = 12
_TAG = 16
_HEAD = 2
_KEY_BYTES = 32
_LARGEST_NUMBER = 255
_INDEX_BYTES = 16


class Sealed(Exception):
    """A value does not open: another place, another key, or changed bytes. Never says which."""


def keys(text: str) -> dict[int, bytes]:
    """Read `1:<64 hex digits>,2:...`, oldest first. Raises ValueError without repeating the text."""
    found: dict[int, bytes] = {}
    for part in text.split(","):
        number, _, digits = part.strip().partition(":")
        try:
            key, at = bytes.fromhex(digits), int(number)
        except ValueError:
            raise ValueError("keys are written 'number:64 hex digits', separated by commas") from None
        if len(key) != _KEY_BYTES or not 1 <= at <= _LARGEST_NUMBER or at in found:
            raise ValueError("each key has 64 hex digits and a number of its own from 1 to 255")
        found[at] = key
    return found


class FieldCipher:
    """Seals and opens restricted values. The last key seals, every key opens; values are re-sealed by a job."""

    def __init__(self, by_number: Mapping[int, bytes]) -> None:
        self._ciphers = {number: AESGCM(key) for number, key in by_number.items()}
        self.key_id = list(by_number)[-1]
        self._head = bytes((_FORM, self.key_id))
        self._newest = self._ciphers[self.key_id]

    @classmethod
    def parse(cls, text: str) -> "FieldCipher":
        """A cipher of the keys as settings write them."""
        return cls(keys(text))

    def seal(self, text: str, *, at: str) -> bytes:
        """Encrypt a text for its place `at` = `table:column:row id`. Equal texts never look equal."""
        return self.seal_bytes(text.encode(), at=at)

    def open(self, sealed: bytes, *, at: str) -> str:
        """The text that was sealed at this place. Raises Sealed when it was not, or was changed."""
        return self.open_bytes(sealed, at=at).decode()

    def seal_bytes(self, value: bytes, *, at: str) -> bytes:
        """`seal` for bytes."""
        nonce = os.urandom(_NONCE)
        return self._head + nonce + self._newest.encrypt(nonce, value, at.encode())

    def open_bytes(self, sealed: bytes, *, at: str) -> bytes:
        """`open` for bytes."""
        cipher = self._ciphers.get(sealed[1]) if len(sealed) >= _HEAD + _NONCE + _TAG and sealed[0] == _FORM else None
        if cipher is None:
            raise Sealed("unknown form or key")
        body = _HEAD + _NONCE
        try:
            return cipher.decrypt(sealed[_HEAD:body], sealed[body:], at.encode())
        except InvalidTag:
            raise Sealed("does not open here") from None

    def needs_rotation(self, sealed: bytes) -> bool:
        """Whether an older key sealed it: the rotation job opens such values and seals them again."""
        return not sealed.startswith(self._head)


class BlindIndex:
    """Finds a restricted value by equality without showing it: a keyed digest, one key per scheme."""

    def __init__(self, by_number: Mapping[int, bytes]) -> None:
        self._keys = dict(by_number)
        self.key_id = list(self._keys)[-1]
        self._schemes: dict[tuple[int, str], bytes] = {}

    @classmethod
    def parse(cls, text: str) -> "BlindIndex":
        """An index of the keys as settings write them."""
        return cls(keys(text))

    def of(self, scheme: str, normalised: str, *, key_id: int | None = None) -> bytes:
        """The 16 bytes under which `normalised` is found in `scheme` (`nik`, `kk`, `phone`, `account`).

        `key_id` picks an older key while a rotation runs; stored beside the digest it says which key made it.
        """
        number = self.key_id if key_id is None else key_id
        key = self._schemes.get((number, scheme)) or self._derive(number, scheme)
        return hmac.digest(key, normalised.encode(), hashlib.sha256)[:_INDEX_BYTES]

    @property
    def key_ids(self) -> tuple[int, ...]:
        """All known key numbers, oldest first: a search during a rotation tries each."""
        return tuple(self._keys)

    def _derive(self, number: int, scheme: str) -> bytes:
        derive = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=f"santun blind index {scheme}".encode())
        key = self._schemes[number, scheme] = derive.derive(self._keys[number])
        return key
