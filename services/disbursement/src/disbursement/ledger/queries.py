"""Reading the ledger: balances of a budget line or a batch, journals of a source."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from sqlalchemy import Row, text

from disbursement.ledger import store
from disbursement.ledger.rules import Account, Dims, Rule

_OF_LINE = text("""
SELECT account, sum(balance_idr)::bigint AS balance_idr FROM account_balance WHERE budget_line_id = :line
GROUP BY account ORDER BY account
""")
_OF_BATCH = text("""
SELECT account, sum(balance_idr)::bigint AS balance_idr FROM account_balance WHERE batch_id = :batch
GROUP BY account ORDER BY account
""")
_POSTED = text("""
SELECT EXISTS (SELECT FROM journal WHERE kind = :kind AND source_type = :source_type AND source_id = :source_id
    AND step = :step)
""")
_JOURNALS = text("""
SELECT id, kind, source_type, source_id, step, amount_idr, booked_on, batch_id, posted_at FROM journal
WHERE budget_line_id = :line AND (CAST(:batch AS uuid) IS NULL OR batch_id = :batch)
    AND (CAST(:after AS uuid) IS NULL OR id > :after)
ORDER BY id LIMIT :take
""")


async def of_line(uow: UnitOfWork, budget_line_id: UUID) -> dict[Account, int]:
    """Signed balances of a budget line over all batches, by account."""
    rows = await uow.execute(_OF_LINE, {"line": budget_line_id})
    return {Account(row.account): row.balance_idr for row in rows}


async def of_batch(uow: UnitOfWork, batch_id: UUID) -> dict[Account, int]:
    """Signed balances of a batch, by account (group C only: budget is kept by line)."""
    rows = await uow.execute(_OF_BATCH, {"batch": batch_id})
    return {Account(row.account): row.balance_idr for row in rows}


async def balance(uow: UnitOfWork, account: Account, dims: Dims) -> int:
    """The signed balance of one account."""
    return await store.balance(uow, account, dims)


async def posted(uow: UnitOfWork, rule: Rule, source_type: str, source_id: UUID, step: str) -> bool:
    """Whether this journal exists."""
    params = {"kind": rule.value, "source_type": source_type, "source_id": source_id, "step": step}
    return bool((await uow.execute(_POSTED, params)).scalar_one())


async def journals(
    uow: UnitOfWork, budget_line_id: UUID, *, batch_id: UUID | None, after: UUID | None, take: int
) -> Sequence[Row[Any]]:
    """Journals of a line, oldest first, at most `take`; `after` is the id of the last one seen."""
    params = {"line": budget_line_id, "batch": batch_id, "after": after, "take": take}
    return (await uow.execute(_JOURNALS, params)).all()
