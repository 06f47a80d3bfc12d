"""Statements of the treasury slice."""

from typing import TYPE_CHECKING
from uuid import UUID

from kit.db.uow import UnitOfWork
from sqlalchemy import text

if TYPE_CHECKING:
    from enum import StrEnum

_TAKEN = text(
    "SELECT EXISTS (SELECT FROM treasury_doc WHERE kind = :kind AND fiscal_year = :year AND number = :number)"
)
_NEWEST = text("""
SELECT id FROM treasury_doc WHERE batch_id = :batch_id AND kind = :kind AND state = 'recorded' ORDER BY id DESC LIMIT 1
""")
_REFUSE = text("""
WITH refused AS (
    UPDATE treasury_doc SET state = 'refused', reason = :reason, version = version + 1, updated_at = :now
    WHERE batch_id = :batch_id AND kind IN ('spp', 'spm') AND state = 'recorded' RETURNING id, kind
)
SELECT id FROM refused WHERE kind = 'spm'
""")


async def number_taken(uow: UnitOfWork, kind: "StrEnum", year: int, number: str) -> bool:
    """Whether the number was used in the year for this kind of paper."""
    return bool((await uow.execute(_TAKEN, {"kind": kind.value, "year": year, "number": number})).scalar_one())


async def newest(uow: UnitOfWork, batch_id: UUID, kind: "StrEnum") -> UUID | None:
    """The last recorded paper of a kind in the batch."""
    return (await uow.execute(_NEWEST, {"batch_id": batch_id, "kind": kind.value})).scalar_one_or_none()


async def refuse(uow: UnitOfWork, batch_id: UUID, reason: str) -> UUID | None:
    """Mark SPP and SPM as refused; the id of the SPM."""
    params = {"batch_id": batch_id, "reason": reason, "now": uow.now}
    return (await uow.execute(_REFUSE, params)).scalar_one_or_none()
