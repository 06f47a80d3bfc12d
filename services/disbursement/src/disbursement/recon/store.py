"""Statements of the reconciliation slice."""

from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from sqlalchemy import text

from disbursement.recon.domain import Found

_OPEN = text("SELECT count(*) FROM recon_item WHERE batch_id = :batch_id AND state <> 'resolved'")
_EXISTS = text("SELECT id FROM recon_item WHERE kind = :kind AND ref = :ref AND state <> 'resolved'")
_BY_STATE = text("""
SELECT coalesce(sum(amount_idr) FILTER (WHERE state <> 'removed' OR removed_funded), 0)::bigint AS lines_idr
FROM line WHERE batch_id = :batch_id AND round = :round
""")
_DEBITS = text("""
SELECT coalesce(sum(entry.amount_idr), 0)::bigint AS debited_idr, count(*) AS n FROM statement_entry AS entry
JOIN payment_file AS file ON file.id = entry.payment_file_id WHERE file.batch_id = :batch_id
""")
_BOOKED = text("""
SELECT coalesce(sum(attempt.amount_idr), 0)::bigint FROM attempt JOIN payment_file AS file ON file.id = attempt.file_id
WHERE attempt.batch_id = :batch_id AND (attempt.settled_on IS NOT NULL OR attempt.returned_on IS NOT NULL)
    AND EXISTS (SELECT FROM statement_entry AS entry WHERE entry.payment_file_id = file.id)
""")


async def open_count(uow: UnitOfWork, batch_id: UUID) -> int:
    """Differences of a batch that are not resolved."""
    return int((await uow.execute(_OPEN, {"batch_id": batch_id})).scalar_one())


async def known(uow: UnitOfWork, found: Found) -> bool:
    """Whether this difference is on the table already."""
    return (await uow.execute(_EXISTS, {"kind": found.kind, "ref": found.ref})).first() is not None


async def sums(uow: UnitOfWork, batch_id: UUID, round: int) -> dict[str, Any]:
    """The sums that the levels compare."""
    debits = (await uow.execute(_DEBITS, {"batch_id": batch_id})).one()
    return {
        "lines_idr": (await uow.execute(_BY_STATE, {"batch_id": batch_id, "round": round})).scalar_one(),
        "debited_idr": debits.debited_idr,
        "debits": debits.n,
        "booked_idr": (await uow.execute(_BOOKED, {"batch_id": batch_id})).scalar_one(),
    }
