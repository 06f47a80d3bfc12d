"""Reading payments: lines of a batch, what was paid for a right, how a batch stands, the list of those to mend."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Missing
from sqlalchemy import text
from sqlmodel import col, select

from disbursement.payments import store
from disbursement.payments.domain import State
from disbursement.payments.tables import LineRow, PaymentFileRow, ResultFileRow

# Nothing comes into repair, or is blocked, without a reason; these lines are few, and an index of their own finds them.
_WITH_REASONS = text("line.reasons <> '{}'")
_ATTEMPTS = text("""
SELECT id, no, reference, state, amount_idr, sent_at, answer_due, settled_on, rejected_on, returned_on, reason_code,
    bank_reason, recall_asked, file_id
FROM attempt WHERE line_id = :line_id ORDER BY no
""")
_ROWS = text("""
SELECT row_no, reference, bank_ref, status, reason, amount_idr, unreadable, value_date, outcome, applied, attempt_id
FROM result_row WHERE file_id = :file_id AND row_no > :after ORDER BY row_no LIMIT :take
""")


async def paid(uow: UnitOfWork, entitlement_ids: Sequence[UUID]) -> dict[UUID, int]:
    """What was paid for each of these rights and has not come back, in whole rupiah; who is not in it was not paid."""
    return await store.paid(uow, entitlement_ids)


async def uncommitted(uow: UnitOfWork, entitlement_ids: Sequence[UUID]) -> set[UUID]:
    """Rights whose commitment still sits in a funded batch that they were pulled from: nothing of theirs is in B400."""
    return await store.limbo(uow, entitlement_ids)


async def of_batch(uow: UnitOfWork, batch_id: UUID, round: int, states: Iterable[State] | None = None) -> Sequence[Any]:
    """The lines of a batch in its current round, in the order of their ids."""
    return await store.of_batch(uow, batch_id, round, states)


async def list_sha256(uow: UnitOfWork, batch_id: UUID, round: int, list_no: int | None = None) -> str:
    """The hash of a batch's list as it stands, or as it stood when its number was `list_no`."""
    return await store.list_sha256(uow, batch_id, round, list_no)


async def counts(uow: UnitOfWork, batch_id: UUID, round: int) -> Any:
    """How the lines of a batch stand: open, count, total_idr, pulled_idr (after the SPM), limbo."""
    return await store.counts(uow, batch_id, round)


async def lines_of_items(uow: UnitOfWork, entitlement_ids: Sequence[UUID]) -> Sequence[Any]:
    """The live lines that pay these rights: id, batch_id, state, item_id."""
    return await store.lines_of_items(uow, entitlement_ids)


async def line(uow: UnitOfWork, line_id: UUID) -> LineRow:
    """One line in the actor's regions. Raises Missing, OutOfRegion."""
    row = await uow.session.get(LineRow, line_id)
    if row is None:
        raise Missing("payment")
    uow.within(row.region_code)
    return row


async def items(uow: UnitOfWork, line_id: UUID) -> Sequence[Any]:
    """The rights that a line pays."""
    return (await store.items_of(uow, [line_id]))[line_id]


async def attempts(uow: UnitOfWork, line_id: UUID) -> Sequence[Any]:
    """The attempts of a line, oldest first."""
    return (await uow.execute(_ATTEMPTS, {"line_id": line_id})).all()


async def page(
    uow: UnitOfWork,
    *,
    batch_id: UUID | None,
    state: State | None,
    beneficiary: UUID | None,
    after: UUID | None,
    take: int,
) -> Sequence[LineRow]:
    """Lines in the actor's regions in the order of their ids."""
    statement = select(LineRow).order_by(col(LineRow.id)).limit(take)
    if batch_id is not None:
        statement = statement.where(LineRow.batch_id == batch_id)
    if state is not None:
        statement = statement.where(LineRow.state == state.value)
        if state in (State.REPAIR, State.BLOCKED):
            statement = statement.where(_WITH_REASONS)
    if beneficiary is not None:
        statement = statement.where(LineRow.beneficiary_person_id == beneficiary)
    if after is not None:
        statement = statement.where(col(LineRow.id) > after)
    return (await uow.session.execute(statement)).scalars().all()


async def files(uow: UnitOfWork, batch_id: UUID) -> Sequence[PaymentFileRow]:
    """The files of a batch, oldest first."""
    statement = select(PaymentFileRow).where(PaymentFileRow.batch_id == batch_id).order_by(col(PaymentFileRow.no))
    return (await uow.session.execute(statement)).scalars().all()


async def file(uow: UnitOfWork, file_id: UUID) -> PaymentFileRow:
    """One file to the bank. Raises Missing."""
    row = await uow.session.get(PaymentFileRow, file_id)
    if row is None:
        raise Missing("payment_file")
    return row


async def result_file(uow: UnitOfWork, file_id: UUID) -> ResultFileRow:
    """One file from the bank. Raises Missing."""
    row = await uow.session.get(ResultFileRow, file_id)
    if row is None:
        raise Missing("result_file")
    return row


async def result_files(uow: UnitOfWork, *, state: str | None, after: UUID | None, take: int) -> Sequence[ResultFileRow]:
    """Files from the bank in order of upload."""
    statement = select(ResultFileRow).order_by(col(ResultFileRow.id)).limit(take)
    if state is not None:
        statement = statement.where(ResultFileRow.state == state)
    if after is not None:
        statement = statement.where(col(ResultFileRow.id) > after)
    return (await uow.session.execute(statement)).scalars().all()


async def result_rows(uow: UnitOfWork, file_id: UUID, *, after: int, take: int) -> Sequence[Any]:
    """The rows of a result file with their outcomes."""
    return (await uow.execute(_ROWS, {"file_id": file_id, "after": after, "take": take})).all()
