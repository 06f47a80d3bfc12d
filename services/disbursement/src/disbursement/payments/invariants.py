"""What must hold of the money at rest (registry_disbursement.md 2.15, performance.md D2): each answers what is violated.

Run by `disbursement verify`, after every fault and at the end of every test of money. At most twenty are named each.
"""

from collections.abc import Awaitable, Callable, Mapping

from kit.db.uow import UnitOfWork
from sqlalchemy import TextClause, text

Invariant = Callable[[UnitOfWork], Awaitable[list[str]]]


def _none(sentence: str, sql: str) -> Invariant:
    """Nothing may be found by this statement; each row found fills the sentence."""
    statement: TextClause = text(sql)

    async def check(uow: UnitOfWork) -> list[str]:
        return [sentence.format_map(dict(row._mapping)) for row in await uow.execute(statement)]  # noqa: SLF001

    return check


M1_ZERO = _none(
    "journal {journal_id} sums to {total}",
    "SELECT journal_id, sum(amount_idr) AS total FROM posting GROUP BY journal_id HAVING sum(amount_idr) <> 0 LIMIT 20",
)
M1_BALANCES = _none(
    "{account} {dims_key}: balance {kept}, postings {posted}",
    """
    SELECT coalesce(b.account, p.account) AS account, coalesce(b.dims_key, p.dims_key) AS dims_key,
        b.balance_idr AS kept, p.posted
    FROM account_balance AS b
    FULL JOIN (SELECT account, dims_key, sum(amount_idr) AS posted FROM posting GROUP BY 1, 2) AS p USING (account, dims_key)
    WHERE coalesce(b.balance_idr, 0) <> coalesce(p.posted, 0) LIMIT 20
    """,
)
M2 = _none(
    "budget line {id}: pagu {pagu}, accounts {kept}",
    """
    SELECT line.id, line.pagu_idr AS pagu, coalesce(sum(b.balance_idr) FILTER (WHERE b.account = 'B100'), 0) AS kept
    FROM budget_line AS line LEFT JOIN account_balance AS b ON b.budget_line_id = line.id AND b.account LIKE 'B%'
    GROUP BY line.id
    HAVING coalesce(sum(b.balance_idr), 0) <> 0
        OR (line.state IN ('open', 'frozen') AND coalesce(sum(b.balance_idr) FILTER (WHERE b.account = 'B100'), 0) <> line.pagu_idr)
    LIMIT 20
    """,
)
M3_TRANSIT = _none(
    "batch {batch_id}: in transit {kept}, lines in flight or blocked {lines}",
    """
    SELECT batch.id AS batch_id, coalesce(b.balance_idr, 0) AS kept, coalesce(l.idr, 0) AS lines
    FROM batch
    LEFT JOIN account_balance AS b ON b.batch_id = batch.id AND b.account = 'C130'
    LEFT JOIN (SELECT batch_id, sum(amount_idr) AS idr FROM line WHERE state IN ('in_flight', 'blocked') GROUP BY 1) AS l
        ON l.batch_id = batch.id
    WHERE coalesce(b.balance_idr, 0) <> coalesce(l.idr, 0) LIMIT 20
    """,
)
M3_OWED = _none(
    "batch {batch_id}: owed {kept}, funded lines neither settled nor put back {lines}",
    """
    SELECT batch.id AS batch_id, -coalesce(b.balance_idr, 0) AS kept, coalesce(l.idr, 0) AS lines
    FROM batch
    LEFT JOIN account_balance AS b ON b.batch_id = batch.id AND b.account = 'C200'
    LEFT JOIN (
        SELECT line.batch_id, sum(line.amount_idr) AS idr FROM line JOIN batch AS own ON own.id = line.batch_id
        WHERE own.sp2d_idr IS NOT NULL AND line.round = own.round AND (line.state IN ('ready', 'in_flight', 'repair', 'blocked')
            OR (line.state = 'removed' AND line.removed_funded AND line.redeposited_doc_id IS NULL))
        GROUP BY 1
    ) AS l ON l.batch_id = batch.id
    WHERE -coalesce(b.balance_idr, 0) <> coalesce(l.idr, 0) LIMIT 20
    """,
)
M4 = _none(
    "right {id}: state {state}, settled {paid} of {value_idr}",
    """
    SELECT e.id, e.state, e.value_idr, coalesce(p.paid, 0) AS paid FROM entitlement AS e
    LEFT JOIN (
        SELECT item.item_id, sum(item.amount_idr)::bigint AS paid FROM line_item AS item JOIN line ON line.id = item.line_id
        WHERE line.state = 'settled' GROUP BY 1
    ) AS p ON p.item_id = e.id
    WHERE e.unit = 'idr' AND (coalesce(p.paid, 0) > e.value_idr OR (e.state = 'paid') <> (coalesce(p.paid, 0) = e.value_idr))
    LIMIT 20
    """,
)
M5_RIGHTS = _none(
    "right {item_id} stands in {n} live lines",
    """
    SELECT item.item_id, count(*) AS n FROM line_item AS item JOIN line ON line.id = item.line_id
    WHERE line.state IN ('frozen', 'ready', 'in_flight', 'repair', 'blocked')
    GROUP BY item.item_kind, item.item_id HAVING count(*) > 1 LIMIT 20
    """,
)
M5_LOCKS = _none(
    "line {id}: {items} rights, {live} of them locked, state {state}",
    """
    SELECT line.id, line.state, count(item.item_id) AS items, count(live.item_id) AS live FROM line
    JOIN line_item AS item ON item.line_id = line.id
    LEFT JOIN live_item AS live ON live.line_id = line.id AND live.item_kind = item.item_kind AND live.item_id = item.item_id
    GROUP BY line.id
    HAVING (line.state IN ('removed', 'redeposited') AND count(live.item_id) > 0)
        OR (line.state NOT IN ('removed', 'redeposited') AND count(live.item_id) <> count(item.item_id))
    LIMIT 20
    """,
)
M5_ATTEMPTS = _none(
    "line {line_id} has {n} attempts whose fate is open",
    """
    SELECT line_id, count(*) AS n FROM attempt
    WHERE state IN ('prepared', 'exported', 'sent', 'accepted', 'pending', 'blocked', 'unknown')
    GROUP BY line_id HAVING count(*) > 1 LIMIT 20
    """,
)
M6 = _none(
    "attempt {source_id}: {n} journals of {kind}",
    """
    SELECT source_id, kind, count(*) AS n FROM journal WHERE source_type = 'attempt' GROUP BY source_id, kind
    HAVING count(*) > 1 LIMIT 20
    """,
)
M9 = _none(
    "batch {batch_id}: one person has the duties {duties}",
    """
    SELECT batch_id, string_agg(DISTINCT duty, ', ') AS duties FROM approval
    WHERE duty IN ('make', 'verify', 'approve', 'export', 'reconcile')
    GROUP BY batch_id, coalesce(person_id::text, actor) HAVING count(DISTINCT duty) > 1 LIMIT 20
    """,
)
M10_EXPORT = _none(
    "batch {id}: {sent} rupiah in files, {approved} approved",
    """
    SELECT batch.id, f.sent, a.approved FROM batch
    JOIN (SELECT batch_id, sum(total_idr) AS sent FROM payment_file WHERE kind = 'batch' AND state <> 'voided' GROUP BY 1) AS f
        ON f.batch_id = batch.id
    JOIN (SELECT batch_id, min(total_idr) AS approved FROM approval WHERE duty = 'approve' AND voided_at IS NULL GROUP BY 1)
        AS a ON a.batch_id = batch.id
    WHERE f.sent > a.approved LIMIT 20
    """,
)
M10_SP2D = _none(
    "batch {id}: SP2D {sp2d_idr}, its lines {lines}",
    """
    SELECT batch.id, batch.sp2d_idr, coalesce(sum(line.amount_idr), 0) AS lines FROM batch
    LEFT JOIN line ON line.batch_id = batch.id AND line.round = batch.round AND (line.state <> 'removed' OR line.removed_funded)
    WHERE batch.sp2d_idr IS NOT NULL GROUP BY batch.id HAVING coalesce(sum(line.amount_idr), 0) <> batch.sp2d_idr LIMIT 20
    """,
)
M11_BATCH = _none(
    "batch {id}: {count} lines and {total_idr} rupiah kept, {n} and {idr} counted",
    """
    SELECT batch.id, batch.count, batch.total_idr, count(line.id) AS n, coalesce(sum(line.amount_idr), 0) AS idr FROM batch
    LEFT JOIN line ON line.batch_id = batch.id AND line.round = batch.round AND line.state <> 'removed'
    WHERE batch.state NOT IN ('draft', 'cancelled')
    GROUP BY batch.id HAVING count(line.id) <> batch.count OR coalesce(sum(line.amount_idr), 0) <> batch.total_idr LIMIT 20
    """,
)
M11_LINE = _none(
    "line {id} is {state}, its newest attempt {attempt}",
    """
    SELECT line.id, line.state, attempt.state AS attempt FROM line
    JOIN attempt ON attempt.line_id = line.id AND attempt.no = line.attempt_no
    WHERE (line.state = 'settled') <> (attempt.state = 'settled')
        OR (line.state = 'in_flight' AND attempt.state NOT IN ('sent', 'accepted', 'pending', 'unknown'))
        OR (line.state = 'blocked' AND attempt.state <> 'blocked')
        OR (line.state = 'repair' AND attempt.state NOT IN ('rejected', 'returned', 'recalled', 'exported', 'unknown'))
        OR (line.state = 'removed' AND attempt.state <> 'voided')
    LIMIT 20
    """,
)
M18 = _none(
    "batch {batch_id} {step}: chunks add up to {rows} lines, {n} were made",
    """
    SELECT c.batch_id, c.step, c.rows, l.n FROM
        (SELECT batch_id, step, sum(rows) AS rows, sum(total_idr) AS idr FROM chunk GROUP BY 1, 2) AS c
    JOIN (SELECT batch_id, round, count(*) AS n, sum(amount_idr) AS idr FROM line GROUP BY 1, 2) AS l
        ON l.batch_id = c.batch_id AND c.step = 'freeze-' || l.round
    WHERE c.rows <> l.n OR c.idr <> l.idr LIMIT 20
    """,
)
I2 = _none(
    "reference {reference} was settled {n} times",
    """
    SELECT reference, count(*) AS n FROM result_row WHERE applied AND status = 'settled'
    GROUP BY reference HAVING count(*) > 1 LIMIT 20
    """,
)
I7_FILES = _none(
    "file {id}: {count} lines and {total_idr} rupiah stated, {n} and {idr} in it",
    """
    SELECT file.id, file.count, file.total_idr, count(attempt.id) AS n, coalesce(sum(attempt.amount_idr), 0) AS idr
    FROM payment_file AS file LEFT JOIN attempt ON attempt.file_id = file.id AND attempt.state <> 'voided'
    WHERE file.state <> 'voided' GROUP BY file.id
    HAVING count(attempt.id) <> file.count OR coalesce(sum(attempt.amount_idr), 0) <> file.total_idr LIMIT 20
    """,
)
I7_RESULTS = _none(
    "result file {id}: row {row_no} has no outcome",
    """
    SELECT file.id, row.row_no FROM result_file AS file JOIN result_row AS row ON row.file_id = file.id
    WHERE file.state IN ('applied', 'partly_applied') AND row.outcome IS NULL LIMIT 20
    """,
)

INVARIANTS: Mapping[str, Invariant] = {
    "M1 journals sum to zero": M1_ZERO,
    "M1 balances are their postings": M1_BALANCES,
    "M2 I1 a ceiling is what became of it": M2,
    "M3 money in transit is what is in flight": M3_TRANSIT,
    "M3 what is owed is what is not settled": M3_OWED,
    "M4 I2 a right is paid once": M4,
    "M5 one live line a right": M5_RIGHTS,
    "M5 live lines hold their rights": M5_LOCKS,
    "M5 one open attempt a line": M5_ATTEMPTS,
    "M6 a report posts once": M6,
    "M9 one person, one duty": M9,
    "M10 no more leaves than was approved": M10_EXPORT,
    "M10 the SP2D is its lines": M10_SP2D,
    "M11 batches count their lines": M11_BATCH,
    "M11 lines follow their attempts": M11_LINE,
    "M18 chunks add up": M18,
    "I2 a reference settles once": I2,
    "I7 files are what they state": I7_FILES,
    "I7 every result row has an end": I7_RESULTS,
}
"""Signs of accounts (M2, M3) and one open attempt (M5) are also constraints of the database."""
