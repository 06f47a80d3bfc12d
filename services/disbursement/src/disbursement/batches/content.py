"""What an approval is given to: the lines of a frozen list, their hash, and the sample that a verifier opens."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

SAMPLE_SHARE_PERCENT = 5
SAMPLE_MIN = 20


@dataclass(frozen=True, slots=True)
class ListedLine:
    """What an approval is given to: who gets how much on which account (as a token)."""

    line_id: UUID
    payee_kind: str
    payee_ref: UUID
    amount_idr: int
    payee_token: bytes | None


def list_sha256(lines: Iterable[ListedLine]) -> str:
    """SHA-256 (hex) of the list in order of line id; `payments.store` builds the same text in SQL."""
    digest = hashlib.sha256()
    for line in sorted(lines, key=lambda row: row.line_id):
        token = "" if line.payee_token is None else line.payee_token.hex()
        digest.update(f"{line.line_id}|{line.payee_kind}|{line.payee_ref}|{line.amount_idr}|{token}\n".encode())
    return digest.hexdigest()


def sample(list_hash: str, line_ids: Sequence[UUID]) -> frozenset[UUID]:
    """The lines that the verifier must open: 5 %, at least 20, drawn by the list's own hash, so nobody chooses them."""
    size = min(len(line_ids), max(SAMPLE_MIN, -(-len(line_ids) * SAMPLE_SHARE_PERCENT // 100)))
    drawn = sorted(line_ids, key=lambda line_id: hashlib.sha256(f"{list_hash}|{line_id}".encode()).digest())
    return frozenset(drawn[:size])
