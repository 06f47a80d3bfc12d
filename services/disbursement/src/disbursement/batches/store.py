"""Statements of the batch slice: signatures, approval rules, chunks, the runs of gates."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork, lock
from kit.errors import Missing
from sqlalchemy import text

from disbursement.batches.batch import ApprovalRule, Batch, Duty, Signature, State
from disbursement.batches.tables import BatchRow
from disbursement.payee_client import Officer

_SIGNATURES = text("""
SELECT duty, actor, person_id, role, list_sha256, total_idr, list_no, voided_at IS NOT NULL AS void FROM approval
WHERE batch_id = :batch_id ORDER BY id
""")
_RULES = text("SELECT above_idr, up_to_idr, roles FROM approval_rule ORDER BY above_idr")
_SIGN = text("""
INSERT INTO approval (batch_id, duty, actor, person_id, role, list_sha256, total_idr, list_no, at, round)
VALUES (:batch_id, :duty, :actor, :person_id, :role, :list_sha256, :total_idr, :list_no, :at, :round)
ON CONFLICT (batch_id, round, actor) DO NOTHING
""")
_VOID = text("UPDATE approval SET voided_at = :at WHERE batch_id = :batch_id AND voided_at IS NULL")
_CHUNK = text(
    "INSERT INTO chunk (batch_id, step, no, rows, total_idr) VALUES (:batch_id, :step, :no, :rows, :total_idr)"
)
_RUN = text("""
INSERT INTO check_run (batch_id, gate, as_of, asked_by, checked, removed, results, stopped)
VALUES (:batch_id, :gate, :as_of, :asked_by, :checked, :removed, CAST(:results AS jsonb), CAST(:stopped AS text[]))
""")
_OFFICERS = text("SELECT DISTINCT actor, person_id FROM approval WHERE batch_id = :batch_id ORDER BY actor")


async def load(uow: UnitOfWork, batch_id: UUID, expected: int | None) -> tuple[BatchRow, Batch]:
    """The batch with its signatures and the rules of approval, its row held. Raises Missing, OutOfRegion, Stale."""
    row = await lock(uow, BatchRow, batch_id, expected)
    return row, await hydrate(uow, row)


async def get(uow: UnitOfWork, batch_id: UUID) -> BatchRow:
    """The batch, not held. Raises Missing, OutOfRegion."""
    row = await uow.session.get(BatchRow, batch_id)
    if row is None:
        raise Missing("batch")
    uow.within(row.region_code)
    return row


async def hydrate(uow: UnitOfWork, row: BatchRow) -> Batch:
    """What the moves of a batch depend on."""
    rules = tuple(ApprovalRule(r.above_idr, r.up_to_idr, tuple(r.roles)) for r in await uow.execute(_RULES))
    return Batch(
        state=State(row.state),
        count=row.count,
        total_idr=row.total_idr,
        list_sha256=row.list_sha256,
        list_no=row.list_no,
        signatures=await signatures(uow, row.id),
        rules=rules,
        submitted_total_idr=row.submitted_total_idr,
        spp_idr=row.spp_idr,
        spm_idr=row.spm_idr,
    )


async def signatures(uow: UnitOfWork, batch_id: UUID) -> tuple[Signature, ...]:
    """Who did what in this batch, over its whole history, oldest first."""
    rows = await uow.execute(_SIGNATURES, {"batch_id": batch_id})
    return tuple(
        Signature(Duty(r.duty), r.actor, r.person_id, r.role, r.list_sha256, r.total_idr, r.void, r.list_no)
        for r in rows
    )


async def sign(uow: UnitOfWork, row: BatchRow, new: Sequence[Signature]) -> None:
    """Append signatures; a duty that the person has in this round already is not written again."""
    for signature in new:
        await uow.execute(
            _SIGN,
            {
                "batch_id": row.id,
                "duty": signature.duty.value,
                "actor": signature.actor,
                "person_id": signature.person_id,
                "role": signature.role,
                "list_sha256": signature.list_sha256,
                "total_idr": signature.total_idr,
                "list_no": signature.list_no,
                "at": uow.now,
                "round": row.round,
            },
        )


async def void_signatures(uow: UnitOfWork, batch_id: UUID) -> None:
    """The list became another one: nothing that was signed before holds."""
    await uow.execute(_VOID, {"batch_id": batch_id, "at": uow.now})


async def add_chunk(uow: UnitOfWork, row: BatchRow, no: int, rows: int, total_idr: int) -> None:
    """Note one chunk of a freeze; the chunks add up to the control totals."""
    step = f"freeze-{row.round}"
    await uow.execute(_CHUNK, {"batch_id": row.id, "step": step, "no": no, "rows": rows, "total_idr": total_idr})


async def add_run(
    uow: UnitOfWork, row: BatchRow, gate: str, *, checked: int, removed: int, results: Any, stopped: Sequence[str]
) -> None:
    """Store what a gate found."""
    await uow.execute(
        _RUN,
        {
            "batch_id": row.id,
            "gate": gate,
            "as_of": uow.now,
            "asked_by": uow.actor.sub,
            "checked": checked,
            "removed": removed,
            "results": json.dumps(results, sort_keys=True),
            "stopped": list(stopped),
        },
    )


async def officers(uow: UnitOfWork, batch_id: UUID) -> list[Officer]:
    """Who had a duty in the batch, over its whole history."""
    rows = await uow.execute(_OFFICERS, {"batch_id": batch_id})
    return [Officer(row.actor, row.person_id) for row in rows]
