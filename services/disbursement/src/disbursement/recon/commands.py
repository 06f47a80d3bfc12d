"""Opening, explaining and resolving differences."""

from collections.abc import Sequence
from uuid import UUID

from kit.db.uow import UnitOfWork, lock

from disbursement.events import plain
from disbursement.events_money import ReconTold
from disbursement.recon import store
from disbursement.recon.domain import Command, Explain, Found, Item, Resolve, State, decide
from disbursement.recon.tables import ReconItem


async def open_items(uow: UnitOfWork, found: Sequence[Found]) -> int:
    """Open a difference for each finding that is not on the table yet; how many were opened."""
    opened = 0
    for one in found:
        if await store.known(uow, one):
            continue
        row = ReconItem(
            kind=one.kind,
            ref=one.ref,
            level=one.level,
            difference_idr=one.difference_idr,
            batch_id=one.batch_id,
            line_id=one.line_id,
            attempt_id=one.attempt_id,
            result_file_id=one.result_file_id,
            row_no=one.row_no,
            opened_on=uow.today,
        )
        await uow.save(row)
        await _tell(uow, row, "recon.mismatch")
        opened += 1
    return opened


async def explain(
    uow: UnitOfWork, item_id: UUID, explanation: str, document_id: UUID | None, expected: int
) -> ReconItem:
    """Say with a document where the difference comes from."""
    return await _step(uow, item_id, Explain(explanation, document_id), expected)


async def resolve(uow: UnitOfWork, item_id: UUID, expected: int) -> ReconItem:
    """Accept the explanation of somebody else."""
    return await _step(uow, item_id, Resolve(), expected)


async def _step(uow: UnitOfWork, item_id: UUID, command: Command, expected: int) -> ReconItem:
    row = await lock(uow, ReconItem, item_id, expected)
    before = row.state
    decision = uow.settle(
        decide(Item(State(row.state), row.explained_by, row.explainer_person_id), command, uow.context)
    )
    row.state = str(decision.item.state)
    row.explained_by, row.explainer_person_id = decision.item.explained_by, decision.item.explainer_person_id
    if isinstance(command, Explain):
        row.explanation, row.document_id = command.explanation, command.document_id
    else:
        row.resolved_by, row.resolved_at = uow.actor.sub, uow.now
    await uow.save(row)
    if decision.event:
        await _tell(uow, row, decision.event)
    name = type(command).__name__.lower()
    await uow.audit(name, "recon_item", row, before={"state": before}, after={"state": row.state})
    return row


async def _tell(uow: UnitOfWork, row: ReconItem, event: str) -> None:
    told = ReconTold(
        item_id=row.id, batch_id=row.batch_id, level=row.level, difference_idr=row.difference_idr, state=row.state
    )
    await uow.announce(row, event, plain(told))
