"""The uploaded file, kept encrypted: written once, read by the worker and again when somebody asks for the reject file.

Frames of 64 KiB, each AES-256-GCM under a key of this file alone; the key stands sealed on the run's row. A frame opens
only at its place in its own file, and the length on the row says when one is missing.
"""

import hashlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from kit.crypto.fields import FieldCipher
from kit.errors import Missing, TooLarge

from registry.imports.csv_file import TextGate
from registry.imports.layout import Unreadable

FRAME = 65_536
_TAG = 16
_KEY_BYTES = 32
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0"
_CHUNK = 4 * FRAME
KEY_PLACE = "import_run:file_key_enc"


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of a file that was taken in. `key_enc` is sealed for the run."""

    format: str
    sha256: str
    size: int
    key_enc: bytes


class Uploads:
    """The folder of kept uploads, one file a run; only this process's user may look in."""

    def __init__(self, folder: Path, fields: FieldCipher, *, most_bytes: int) -> None:
        self._folder = folder
        self._fields = fields
        self.most_bytes = most_bytes

    def keep(self, run_id: UUID, file: IO[bytes]) -> Kept:
        """Encrypt an upload to disk, looking at its bytes on the way.

        Raises TooLarge (413) beyond the cap and Unreadable for bytes that cannot be a list (`berkas_kosong`,
        `bukan_lembar_kerja`, `berkas_terkunci`, and for CSV what `TextGate` finds). On any fault nothing stays behind.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._folder / f"{run_id}.draft"
        key = os.urandom(_KEY_BYTES)
        try:
            with open(draft, "xb", opener=_private) as target:
                kept = self._write(file, target, key)
                target.flush()
                os.fsync(target.fileno())
            draft.rename(self.path(run_id))
        finally:
            draft.unlink(missing_ok=True)
        sealed = self._fields.seal_bytes(key, at=f"{KEY_PLACE}:{run_id}")
        return Kept(kept.format, kept.sha256, kept.size, sealed)

    def open(self, run_id: UUID, size: int, key_enc: bytes) -> IO[bytes]:
        """The file as it was uploaded, seekable, decrypted frame by frame. Raises Missing when it is kept no more."""
        if not key_enc:
            raise Missing("upload")
        key = self._fields.open_bytes(key_enc, at=f"{KEY_PLACE}:{run_id}")
        try:
            raw = self.path(run_id).open("rb")
        except FileNotFoundError:
            raise Missing("upload") from None
        return io.BufferedReader(_Frames(raw, AESGCM(key), size), FRAME)

    def forget(self, run_id: UUID) -> None:
        """Remove the file; safe to repeat."""
        self.path(run_id).unlink(missing_ok=True)

    def path(self, run_id: UUID) -> Path:
        """Where the file of a run stands."""
        return self._folder / f"{run_id}.sealed"

    def _write(self, file: IO[bytes], target: IO[bytes], key: bytes) -> Kept:
        cipher, digest = AESGCM(key), hashlib.sha256()
        size = number = 0
        looks: _Looks | None = None
        while chunk := file.read(FRAME):
            looks = looks or _Looks(chunk)
            size += len(chunk)
            if size > self.most_bytes:
                raise TooLarge(self.most_bytes)
            digest.update(chunk)
            looks.at(chunk)
            target.write(cipher.encrypt(_nonce(number), chunk, None))
            number += 1
        if looks is None:
            raise Unreadable("berkas_kosong")
        looks.end()
        return Kept(looks.format, digest.hexdigest(), size, b"")


class _Looks:
    """Tells CSV from XLSX by the first bytes and watches a CSV's encoding while it arrives."""

    def __init__(self, first: bytes) -> None:
        if first.startswith(_OLE):
            raise Unreadable("berkas_terkunci")
        self.format = "xlsx" if first.startswith(_ZIP) else "csv"
        if self.format == "csv" and first.startswith((b"%PDF", b"\x1f\x8b", b"{", b"<")):
            raise Unreadable("bukan_lembar_kerja")
        self._gate = TextGate()

    def at(self, chunk: bytes) -> None:
        if self.format == "csv":
            self._gate.take(chunk)

    def end(self) -> None:
        if self.format == "csv":
            self._gate.take(b"", final=True)


class _Frames(io.RawIOBase):
    """Random access to the plaintext of a framed file."""

    def __init__(self, raw: IO[bytes], cipher: AESGCM, size: int) -> None:
        super().__init__()
        self._raw, self._cipher, self._size = raw, cipher, size
        self._at = 0
        self._held: tuple[int, bytes] = (-1, b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        if self._at >= self._size:
            return 0
        number, inside = divmod(self._at, FRAME)
        piece = self._frame(number)[inside : inside + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def close(self) -> None:
        self._raw.close()
        super().close()

    def _frame(self, number: int) -> bytes:
        if self._held[0] != number:
            self._raw.seek(number * (FRAME + _TAG))
            length = min(FRAME, self._size - number * FRAME)
            try:
                plain = self._cipher.decrypt(_nonce(number), self._raw.read(length + _TAG), None)
            except InvalidTag:
                raise OSError("a kept upload is damaged") from None
            self._held = (number, plain)
        return self._held[1]


def chunks(file: IO[bytes]) -> Iterator[bytes]:
    """The bytes of a file, piece by piece."""
    while chunk := file.read(_CHUNK):
        yield chunk


def _nonce(number: int) -> bytes:
    """The frame's number: the key is of this file alone, so no nonce comes twice; a moved frame does not open."""
    return number.to_bytes(12, "big")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
