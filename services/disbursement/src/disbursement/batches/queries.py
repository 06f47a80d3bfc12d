"""Reading batches: one, many, who signed, what the gates found, what they would have to be asked about."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from sqlalchemy import text
from sqlmodel import col, select

from disbursement.batches import store
from disbursement.batches.batch import Batch
from disbursement.batches.content import sample
from disbursement.batches.gates import GateLine
from disbursement.batches.tables import BatchRow
from disbursement.payee_client import Officer
from disbursement.payments import queries as payments
from disbursement.payments.domain import State as LineState

_SIGNED = text("""
SELECT duty, actor, role, list_sha256, total_idr, at, voided_at FROM approval WHERE batch_id = :batch_id ORDER BY id
""")
_RUNS = text("""
SELECT gate, as_of, asked_by, checked, removed, results, stopped FROM check_run WHERE batch_id = :batch_id
ORDER BY id DESC LIMIT 200
""")


async def get(uow: UnitOfWork, batch_id: UUID) -> BatchRow:
    """One batch. Raises Missing, OutOfRegion."""
    return await store.get(uow, batch_id)


async def page(
    uow: UnitOfWork, *, state: str | None, client: str | None, client_ref: str | None, after: UUID | None, take: int
) -> Sequence[BatchRow]:
    """Batches in the actor's regions in order of entry."""
    statement = select(BatchRow).order_by(col(BatchRow.id)).limit(take)
    if state is not None:
        statement = statement.where(BatchRow.state == state)
    if client_ref is not None:
        statement = statement.where(BatchRow.client == client, BatchRow.client_ref == client_ref)
    if after is not None:
        statement = statement.where(col(BatchRow.id) > after)
    return (await uow.session.execute(statement)).scalars().all()


async def participants(uow: UnitOfWork, batch_id: UUID) -> set[UUID]:
    """The registry persons who had a duty in this batch, over its whole history."""
    return {officer.person_id for officer in await store.officers(uow, batch_id) if officer.person_id is not None}


async def signatures(uow: UnitOfWork, batch_id: UUID) -> Sequence[Any]:
    """Who did what on which list, and what is void."""
    return (await uow.execute(_SIGNED, {"batch_id": batch_id})).all()


async def due_roles(uow: UnitOfWork, row: BatchRow) -> tuple[str, ...]:
    """The roles whose approval is still missing."""
    batch: Batch = await store.hydrate(uow, row)
    return batch.due_roles


async def runs(uow: UnitOfWork, batch_id: UUID) -> Sequence[Any]:
    """What the gates found, newest first."""
    return (await uow.execute(_RUNS, {"batch_id": batch_id})).all()


async def sample_lines(uow: UnitOfWork, batch_id: UUID) -> Sequence[Any]:
    """The lines that the verifier must open."""
    row = await store.get(uow, batch_id)
    lines = await payments.of_batch(uow, row.id, row.round, [LineState.READY])
    drawn = sample(row.list_sha256, [line.id for line in lines])
    return [line for line in lines if line.id in drawn]


async def to_ask(
    uow: UnitOfWork, batch_id: UUID, state: LineState, only: frozenset[UUID] | None = None
) -> tuple[list[GateLine], list[Officer]]:
    """The lines that a gate asks about, and the persons whose interest may conflict: who signed, and who asks now."""
    row = await store.get(uow, batch_id)
    found = await payments.of_batch(uow, row.id, row.round, [state])
    lines = [
        GateLine(
            line.id,
            line.beneficiary_person_id or line.payee_ref,
            line.payee_ref,
            line.facts_version or 0,
            None if line.payee_token is None else bytes(line.payee_token),
        )
        for line in found
        if only is None or line.id in only
    ]
    officers = await store.officers(uow, batch_id)
    return lines, [*officers, Officer(uow.actor.sub, uow.actor.person_id)]
