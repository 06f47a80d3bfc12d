"""Every statement that writes the ledger. Only `ledger.commands` comes in here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from kit.db.uow import UnitOfWork
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from disbursement.ledger.rules import RULES, Account, Dims, Entry, Rule

# A new balance row starts at zero; the change itself is an UPDATE, because the check of an account's sign would refuse
# the row that ON CONFLICT proposes.
_PREPARE = text("""
INSERT INTO account_balance (account, dims_key, budget_line_id, batch_id, subject_id)
SELECT a, k, l, b, s FROM unnest(CAST(:accounts AS text[]), CAST(:keys AS text[]), CAST(:lines AS uuid[]),
    CAST(:batches AS uuid[]), CAST(:subjects AS uuid[])) AS row(a, k, l, b, s)
ORDER BY k, a ON CONFLICT DO NOTHING
""")
_LOCK = text("""
SELECT account, dims_key, balance_idr FROM account_balance
WHERE (dims_key, account) IN (SELECT * FROM unnest(CAST(:keys AS text[]), CAST(:accounts AS text[])))
ORDER BY dims_key, account FOR UPDATE
""")
_POST = text("""
WITH asked AS (
    SELECT * FROM unnest(CAST(:sources AS uuid[]), CAST(:amounts AS bigint[])) AS row(source_id, amount_idr)
), written AS (
    INSERT INTO journal (kind, source_type, source_id, step, amount_idr, booked_on, budget_line_id, batch_id, subject_id,
        posted_at, posted_by)
    SELECT :kind, :source_type, source_id, :step, amount_idr, :booked_on, :line, :batch, :subject, :at, :actor
    FROM asked ORDER BY source_id
    ON CONFLICT ON CONSTRAINT one_journal_a_step DO NOTHING
    RETURNING id, source_id, amount_idr
), leg AS (
    SELECT * FROM unnest(CAST(:accounts AS text[]), CAST(:keys AS text[]), CAST(:signs AS int[])) WITH ORDINALITY
        AS row(account, dims_key, sign, no)
), posted AS (
    INSERT INTO posting (journal_id, leg, account, dims_key, amount_idr, booked_on)
    SELECT written.id, leg.no, leg.account, leg.dims_key, leg.sign * written.amount_idr, :booked_on
    FROM written CROSS JOIN leg
    RETURNING account, dims_key, amount_idr
), moved AS (
    UPDATE account_balance AS balance SET balance_idr = balance.balance_idr + change.amount_idr
    FROM (SELECT account, dims_key, sum(amount_idr)::bigint AS amount_idr FROM posted GROUP BY 1, 2) AS change
    WHERE balance.account = change.account AND balance.dims_key = change.dims_key
)
SELECT source_id FROM written
""")
# The ceiling's row is what all promises of a line wait for. One statement takes it, looks, and writes everything, so that it
# is held for that statement and the commit, and nothing is written when the answer is no. After the wait both rows are read
# as they are then (FOR UPDATE, FOR SHARE); every path takes the ceiling before the line. Nowhere else does the ledger
# look at a table of another slice.
_PROMISE = text("""
WITH ceiling AS MATERIALIZED (
    SELECT -balance_idr AS available_idr FROM account_balance WHERE dims_key = :key AND account = :ceiling FOR UPDATE
), budget AS MATERIALIZED (
    SELECT held.* FROM ceiling CROSS JOIN LATERAL (
        SELECT state, pagu_idr, warned_low FROM budget_line WHERE id = :line AND ceiling.available_idr IS NOT NULL FOR SHARE
    ) AS held
), written AS (
    INSERT INTO journal (kind, source_type, source_id, step, amount_idr, booked_on, budget_line_id, posted_at, posted_by)
    SELECT :kind, :source_type, :source_id, :step, :amount_idr, :booked_on, :line, :at, :actor FROM ceiling CROSS JOIN budget
    WHERE ceiling.available_idr >= :amount_idr AND budget.state = :open
    ON CONFLICT ON CONSTRAINT one_journal_a_step DO NOTHING
    RETURNING id, amount_idr
), posted AS (
    INSERT INTO posting (journal_id, leg, account, dims_key, amount_idr, booked_on)
    SELECT written.id, leg.no, leg.account, :key, leg.sign * written.amount_idr, :booked_on
    FROM written CROSS JOIN unnest(CAST(:accounts AS text[]), CAST(:signs AS int[])) WITH ORDINALITY AS leg(account, sign, no)
    RETURNING account, amount_idr
), moved AS (
    UPDATE account_balance AS balance SET balance_idr = balance.balance_idr + posted.amount_idr FROM posted
    WHERE balance.account = posted.account AND balance.dims_key = :key
)
SELECT ceiling.available_idr, budget.state, budget.pagu_idr, budget.warned_low, EXISTS (SELECT FROM written) AS written
FROM ceiling CROSS JOIN budget
""").bindparams(bindparam("source_id", type_=PG_UUID), bindparam("line", type_=PG_UUID))
_BALANCE = text("SELECT balance_idr FROM account_balance WHERE dims_key = :key AND account = :account")


async def hold(uow: UnitOfWork, accounts: Sequence[tuple[Account, Dims]]) -> dict[tuple[Account, str], int]:
    """Make sure that the balances exist and hold their rows, in one order for all; returns signed balances."""
    names = await _prepare(uow, accounts)
    rows = await uow.execute(_LOCK, names)
    return {(Account(row.account), row.dims_key): row.balance_idr for row in rows}


async def _prepare(uow: UnitOfWork, accounts: Sequence[tuple[Account, Dims]]) -> dict[str, list[str]]:
    """Make sure that the balances exist; those that do are not held. Their accounts and keys, in the order of locking."""
    kept = sorted({(dims.of(account).key, account.value): dims.of(account) for account, dims in accounts}.items())
    params = {
        "accounts": [account for (_, account), _ in kept],
        "keys": [key for (key, _), _ in kept],
        "lines": [dims.budget_line_id for _, dims in kept],
        "batches": [dims.batch_id for _, dims in kept],
        "subjects": [dims.subject_id for _, dims in kept],
    }
    await uow.execute(_PREPARE, params)
    return {"accounts": [account for (_, account), _ in kept], "keys": [key for (key, _), _ in kept]}


async def write(
    uow: UnitOfWork, rule: Rule, entries: Sequence[Entry], *, source_type: str, step: str, dims: Dims, booked_on: date
) -> list[UUID]:
    """Write the journals that do not exist yet with postings and balances; returns the sources written now."""
    legs = [(account, sign) for pair in RULES[rule] for account, sign in zip(pair, (1, -1), strict=True)]
    await hold(uow, [(account, dims) for account, _ in legs])
    ordered = sorted(entries, key=lambda entry: entry.source_id)
    result = await uow.execute(
        _POST,
        {
            "sources": [entry.source_id for entry in ordered],
            "amounts": [entry.amount_idr for entry in ordered],
            "kind": rule.value,
            "source_type": source_type,
            "step": step,
            "booked_on": booked_on,
            "line": dims.budget_line_id,
            "batch": dims.batch_id,
            "subject": dims.subject_id,
            "at": uow.now,
            "actor": uow.actor.sub,
            "accounts": [account.value for account, _ in legs],
            "keys": [dims.of(account).key for account, _ in legs],
            "signs": [sign for _, sign in legs],
        },
    )
    return list(result.scalars())


@dataclass(frozen=True, slots=True)
class Promised:
    """What became of a promise: whether it was written now, and how the line stood before it."""

    written: bool
    available_idr: int
    state: str
    pagu_idr: int
    warned_low: bool


async def promise(
    uow: UnitOfWork, rule: Rule, entry: Entry, *, source_type: str, step: str, dims: Dims, booked_on: date, state: str
) -> Promised | None:
    """Write a journal that spends from the ceiling if enough is left and the line stands in `state`.

    None when there is no such line. Holds the ceiling until the transaction ends.
    """
    [(debit, credit)] = RULES[rule]
    await _prepare(uow, [(debit, dims), (credit, dims)])
    found = await uow.execute(
        _PROMISE,
        {
            "key": dims.of(debit).key,
            "ceiling": debit.value,
            "line": dims.budget_line_id,
            "kind": rule.value,
            "source_type": source_type,
            "source_id": entry.source_id,
            "step": step,
            "amount_idr": entry.amount_idr,
            "booked_on": booked_on,
            "at": uow.now,
            "actor": uow.actor.sub,
            "open": state,
            "accounts": [debit.value, credit.value],
            "signs": [1, -1],
        },
    )
    row = found.one_or_none()
    return None if row is None else Promised(row.written, row.available_idr, row.state, row.pagu_idr, row.warned_low)


async def balance(uow: UnitOfWork, account: Account, dims: Dims) -> int:
    """The signed balance of an account; 0 when nothing was ever posted."""
    result = await uow.execute(_BALANCE, {"key": dims.of(account).key, "account": account.value})
    return int(result.scalar_one_or_none() or 0)
