"""What every step of a batch shares: hold, decide, save, tell, audit. The commands of this slice come in here."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.machine import SYSTEM, Context

from disbursement.batches import store
from disbursement.batches.batch import Batch, Command, State
from disbursement.batches.domain import Decision, decide
from disbursement.batches.tables import BatchRow
from disbursement.events import plain
from disbursement.events_money import MOST_REASONS, BatchTold, ReasonCount
from disbursement.payments import queries as payments
from disbursement.payments.domain import State as LineState

ON_THE_LIST = (LineState.FROZEN, LineState.READY)
FUNDED = (State.ORDERED, State.FUNDED, State.EXPORTED)
"""From the SPM on the amount on paper stays; a pulled line's money comes back by STS."""


async def step(uow: UnitOfWork, batch_id: UUID, command: Command, expected: int | None, **changes: object) -> BatchRow:
    """One step that touches nothing but the batch."""
    row, batch = await store.load(uow, batch_id, expected)
    decision = uow.settle(decide(batch, command, uow.context))
    for name, value in changes.items():
        setattr(row, name, value)
    await finish(uow, row, batch, decision, command)
    return row


async def finish(uow: UnitOfWork, row: BatchRow, before: Batch, decision: Decision, command: Command) -> None:
    """Save the batch as decided, its new signatures, its event and its audit entry."""
    after = decision.batch
    row.state = str(after.state)
    row.submitted_total_idr = after.submitted_total_idr
    row.spp_idr, row.spm_idr = after.spp_idr, after.spm_idr
    voided = [s for s in after.signatures[: len(before.signatures)] if s.void]
    if len(voided) > sum(s.void for s in before.signatures):
        await store.void_signatures(uow, row.id)
    await uow.save(row)
    await store.sign(uow, row, after.signatures[len(before.signatures) :])
    if decision.event:
        await tell(uow, row, decision.event)
    reason = getattr(command, "reason", None)
    await uow.audit(
        type(command).__name__.lower(),
        "batch",
        row,
        before={"state": before.state, "total_idr": before.total_idr},
        after={"state": row.state, "total_idr": row.total_idr, "list_sha256": row.list_sha256},
        reasons=[reason] if reason else (),
    )


async def tell(uow: UnitOfWork, row: BatchRow, event: str) -> None:
    """Announce the batch with its counts."""
    reasons = [ReasonCount(code=code, n=n) for code, n in sorted(row.removed_reasons.items())][:MOST_REASONS]
    told = BatchTold(
        batch_id=row.id,
        programme_id=row.programme_id,
        rail=row.rail,
        count=row.count,
        total_idr=row.total_idr,
        removed_count=row.removed_count,
        removed_total_idr=row.removed_total_idr,
        reasons=reasons,
        sp2d_no=row.sp2d_no,
        due_on=row.due_on,
        state=row.state,
    )
    await uow.announce(row, event, plain(told))


async def content(uow: UnitOfWork, row: BatchRow) -> str:
    """The hash of the list as it stands now."""
    return await payments.list_sha256(uow, row.id, row.round)


async def content_at(uow: UnitOfWork, row: BatchRow, list_no: int) -> str:
    """The hash of the list as it stood when its number was `list_no`, made again from all lines of the round."""
    return await payments.list_sha256(uow, row.id, row.round, list_no)


def shrink(row: BatchRow, reasons: Mapping[str, int], total_idr: int) -> None:
    """Count lines out of the list."""
    gone = sum(reasons.values())
    row.count -= gone
    row.total_idr -= total_idr
    row.removed_count += gone
    row.removed_total_idr += total_idr
    merged = dict(row.removed_reasons)
    for code, n in reasons.items():
        merged[code] = merged.get(code, 0) + n
    row.removed_reasons = merged


def as_system(uow: UnitOfWork) -> Context:
    """The same moment and actor with the role of a rule: what follows from a fact, whoever brought it."""
    return replace(uow.context, roles=uow.context.roles | {SYSTEM})
