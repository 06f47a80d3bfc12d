"""Statements on lines and their items. Set-based; rows are taken in the order of their ids."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from kit.db.uow import UnitOfWork
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from disbursement.payments.domain import State

IDS = bindparam("ids", type_=ARRAY(PG_UUID))

# Every statement on a chunk names its rows by `= ANY(ids)` wherever it touches a table, also where it joins the ids with
# what is to be written: the transaction forbids nested loops, and a hash join alone would read the whole table for each chunk.

# The version of the facts is the one this service holds: the gate asks the registry whether it still holds.
_INSERT_LINES = text("""
INSERT INTO line (id, batch_id, round, payee_kind, payee_ref, beneficiary_person_id, amount_idr, region_code,
    facts_version, state, mode, created_at, created_by, updated_at)
SELECT new.id, :batch_id, :round, 'person', new.payee, new.beneficiary, new.amount_idr, new.region_code,
    fact.facts_version, 'frozen', :mode, :now, :actor, :now
FROM unnest(CAST(:ids AS uuid[]), CAST(:payees AS uuid[]), CAST(:beneficiaries AS uuid[]), CAST(:amounts AS bigint[]),
    CAST(:regions AS text[])) AS new(id, payee, beneficiary, amount_idr, region_code)
LEFT JOIN fact_person AS fact ON fact.person_id = new.beneficiary AND fact.person_id = ANY(CAST(:beneficiaries AS uuid[]))
ORDER BY new.id
""")
_INSERT_ITEMS = text("""
WITH new AS (
    SELECT * FROM unnest(CAST(:lines AS uuid[]), CAST(:items AS uuid[]), CAST(:amounts AS bigint[]))
        AS row(line_id, item_id, amount_idr)
), items AS (
    INSERT INTO line_item (line_id, item_kind, item_id, amount_idr)
    SELECT line_id, 'entitlement', item_id, amount_idr FROM new ORDER BY line_id, item_id
)
INSERT INTO live_item (item_kind, item_id, line_id)
SELECT 'entitlement', item_id, line_id FROM new ORDER BY item_id
""")
_TAKEN = text("""
SELECT item_id FROM live_item WHERE item_kind = 'entitlement' AND item_id = ANY(:ids)
UNION
SELECT item_id FROM line_item WHERE item_kind = 'entitlement' AND item_id = ANY(:ids)
    AND line_id = ANY(ARRAY(SELECT id FROM line WHERE removed_funded AND redeposited_doc_id IS NULL))
""").bindparams(IDS)
_LIMBO = text("""
SELECT item_id FROM line_item WHERE item_kind = 'entitlement' AND item_id = ANY(:ids)
    AND line_id = ANY(ARRAY(SELECT id FROM line WHERE removed_funded AND redeposited_doc_id IS NULL))
""").bindparams(IDS)
# Sorted afterwards: an index that has every line in this order must not look better than the one of the batch.
_OF_BATCH = text("""
WITH mine AS MATERIALIZED (
    SELECT id, payee_kind, payee_ref, beneficiary_person_id, amount_idr, payee_token, bank_code, region_code, facts_version,
        state, attempt_no, removed_no, removed_funded
    FROM line WHERE batch_id = :batch_id AND round = :round
        AND (CAST(:states AS text[]) IS NULL OR state = ANY(CAST(:states AS text[])))
)
SELECT * FROM mine ORDER BY id
""")
# The same text as `batches.content.list_sha256` makes, so that the hash of twenty thousand lines is one row and not all of them.
_LIST_SHA256 = text("""
WITH mine AS MATERIALIZED (
    SELECT id, payee_kind, payee_ref, amount_idr, payee_token FROM line WHERE batch_id = :batch_id AND round = :round
        AND CASE WHEN CAST(:list_no AS int) IS NULL THEN state <> :removed ELSE removed_no IS NULL OR removed_no > :list_no END
)
SELECT encode(sha256(convert_to(coalesce(string_agg(
    id || '|' || payee_kind || '|' || payee_ref || '|' || amount_idr || '|' || coalesce(encode(payee_token, 'hex'), '') || E'\\n',
    '' ORDER BY id), ''), 'UTF8')), 'hex')
FROM mine
""")
_PASS = text("""
UPDATE line SET state = 'ready', payee_token = mark.token, bank_code = mark.bank_code, version = line.version + 1,
    updated_at = :now
FROM unnest(CAST(:ids AS uuid[]), CAST(:tokens AS bytea[]), CAST(:banks AS text[])) AS mark(id, token, bank_code)
WHERE line.id = mark.id AND line.id = ANY(CAST(:ids AS uuid[])) AND line.state = ANY(CAST(:sources AS text[]))
""")
_REMOVE = text("""
WITH mine AS (
    SELECT line.id, gone.reason FROM line
    JOIN unnest(CAST(:ids AS uuid[]), CAST(:why AS text[])) AS gone(id, reason) ON gone.id = line.id
    WHERE line.id = ANY(CAST(:ids AS uuid[])) AND line.state = ANY(CAST(:sources AS text[]))
    ORDER BY line.id FOR UPDATE OF line
), freed AS (
    DELETE FROM live_item USING mine WHERE live_item.line_id = mine.id AND live_item.line_id = ANY(CAST(:ids AS uuid[]))
)
UPDATE line SET state = 'removed', removed_at = :now, removed_no = :list_no,
    removed_funded = :funded, reasons = array_append(reasons, mine.reason),
    version = version + 1, seq = seq + 1, updated_at = :now
FROM mine WHERE line.id = mine.id AND line.id = ANY(CAST(:ids AS uuid[]))
RETURNING line.id, line.seq, line.batch_id, line.attempt_no, line.payee_kind, line.beneficiary_person_id,
    line.amount_idr, line.region_code, line.state, line.repair_due, mine.reason
""")
_MOVE = text("""
WITH mine AS (
    SELECT line.id, told.reason, told.value_date, told.repair_due FROM line
    JOIN unnest(CAST(:ids AS uuid[]), CAST(:why AS text[]), CAST(:dates AS date[]), CAST(:dues AS date[]))
        AS told(id, reason, value_date, repair_due) ON told.id = line.id
    WHERE line.id = ANY(CAST(:ids AS uuid[])) AND line.state = ANY(CAST(:sources AS text[]))
    ORDER BY line.id FOR UPDATE OF line
)
UPDATE line SET state = :target, reasons = CASE WHEN mine.reason IS NULL THEN reasons
        ELSE (array_append(reasons, mine.reason))[greatest(cardinality(reasons) - 18, 1):] END,
    repair_since = CASE WHEN :target = 'repair' THEN CAST(:today AS date) ELSE repair_since END,
    repair_due = CASE WHEN :target = 'repair' THEN mine.repair_due ELSE line.repair_due END,
    fixed_by = CASE WHEN :target = 'repair' THEN NULL ELSE fixed_by END,
    fixed_person_id = CASE WHEN :target = 'repair' THEN NULL ELSE fixed_person_id END,
    confirmed_by = CASE WHEN :target = 'repair' THEN NULL ELSE confirmed_by END,
    confirmed_at = CASE WHEN :target = 'repair' THEN NULL ELSE confirmed_at END,
    reissue_asked_by = CASE WHEN :target = 'repair' THEN NULL ELSE reissue_asked_by END,
    reissue_agreed_by = CASE WHEN :target = 'repair' THEN NULL ELSE reissue_agreed_by END,
    version = version + 1, seq = seq + 1, updated_at = :now
FROM mine WHERE line.id = mine.id AND line.id = ANY(CAST(:ids AS uuid[]))
RETURNING line.id, line.seq, line.batch_id, line.attempt_no, line.payee_kind, line.beneficiary_person_id,
    line.amount_idr, line.region_code, line.state, line.repair_due, mine.reason, mine.value_date
""")
_ITEMS = text("""
SELECT line_id, item_kind, item_id, amount_idr FROM line_item WHERE line_id = ANY(:ids) ORDER BY line_id, item_id
""").bindparams(IDS)
_DROP_LIVE = text("DELETE FROM live_item WHERE line_id = ANY(:ids)").bindparams(IDS)
_LINES_OF_ITEMS = text("""
SELECT line.id, line.batch_id, line.state, live.item_id FROM live_item AS live JOIN line ON line.id = live.line_id
WHERE live.item_kind = 'entitlement' AND live.item_id = ANY(:ids) ORDER BY line.id
""").bindparams(IDS)
_IN_LIMBO = text("""
SELECT id, amount_idr FROM line WHERE batch_id = :batch_id AND removed_funded AND redeposited_doc_id IS NULL
ORDER BY id FOR UPDATE
""")
_LEAVE_LIMBO = text("""
UPDATE line SET removed_funded = false, version = version + 1, updated_at = :now
WHERE batch_id = :batch_id AND removed_funded AND redeposited_doc_id IS NULL
""")
_PUT_BACK = text("""
UPDATE line SET redeposited_doc_id = :doc, version = version + 1, updated_at = :now WHERE id = ANY(:ids)
""").bindparams(IDS)
_COUNTS = text("""
SELECT count(*) FILTER (WHERE state NOT IN ('settled', 'removed', 'redeposited')) AS open,
    count(*) FILTER (WHERE state <> 'removed') AS count,
    coalesce(sum(amount_idr) FILTER (WHERE state <> 'removed'), 0)::bigint AS total_idr,
    coalesce(sum(amount_idr) FILTER (WHERE state = 'removed' AND removed_funded), 0)::bigint AS pulled_idr,
    count(*) FILTER (WHERE removed_funded AND redeposited_doc_id IS NULL) AS limbo
FROM line WHERE batch_id = :batch_id AND round = :round
""")
_PAID = text("""
SELECT item.item_id, sum(item.amount_idr)::bigint AS amount_idr FROM line_item AS item JOIN line ON line.id = item.line_id
WHERE item.item_kind = 'entitlement' AND item.item_id = ANY(:ids) AND line.state = 'settled' GROUP BY item.item_id
""").bindparams(IDS)


@dataclass(frozen=True, slots=True)
class NewLine:
    """One line to be, with the rights that it pays."""

    id: UUID
    payee: UUID
    beneficiary: UUID
    region_code: str
    amount_idr: int
    items: tuple[tuple[UUID, int], ...]


class Item(NamedTuple):
    """A right that a line pays."""

    item_kind: str
    item_id: UUID
    amount_idr: int


@dataclass(frozen=True, slots=True)
class Told:
    """What a line's event says beside the line itself."""

    line_id: UUID
    reason: str | None = None
    value_date: date | None = None
    repair_due: date | None = None


async def insert(uow: UnitOfWork, batch_id: UUID, round: int, mode: str, lines: Sequence[NewLine]) -> None:
    """Insert one chunk of lines with items and live items."""
    await uow.execute(
        _INSERT_LINES,
        {
            "batch_id": batch_id,
            "round": round,
            "mode": mode,
            "now": uow.now,
            "actor": uow.actor.sub,
            "ids": [line.id for line in lines],
            "payees": [line.payee for line in lines],
            "beneficiaries": [line.beneficiary for line in lines],
            "amounts": [line.amount_idr for line in lines],
            "regions": [line.region_code for line in lines],
        },
    )
    items = [(line.id, item, amount) for line in lines for item, amount in line.items]
    await uow.execute(
        _INSERT_ITEMS,
        {
            "lines": [line for line, _, _ in items],
            "items": [item for _, item, _ in items],
            "amounts": [amount for _, _, amount in items],
        },
    )


async def taken(uow: UnitOfWork, item_ids: Sequence[UUID]) -> set[UUID]:
    """Rights that stand in a live line, or whose money is still in a funded batch they were pulled from."""
    return set((await uow.execute(_TAKEN, {"ids": list(item_ids)})).scalars())


async def limbo(uow: UnitOfWork, item_ids: Sequence[UUID]) -> set[UUID]:
    """Rights pulled from a funded batch whose money has not been put back."""
    return set((await uow.execute(_LIMBO, {"ids": list(item_ids)})).scalars())


async def of_batch(uow: UnitOfWork, batch_id: UUID, round: int, states: Iterable[State] | None = None) -> Sequence[Any]:
    """The lines of the current round in the order of their ids."""
    wanted = None if states is None else [state.value for state in states]
    return (await uow.execute(_OF_BATCH, {"batch_id": batch_id, "round": round, "states": wanted})).all()


async def list_sha256(uow: UnitOfWork, batch_id: UUID, round: int, list_no: int | None) -> str:
    """The hash of the list as it stands (None), or as it stood when its number was `list_no`."""
    params = {"batch_id": batch_id, "round": round, "list_no": list_no, "removed": State.REMOVED.value}
    return str((await uow.execute(_LIST_SHA256, params)).scalar_one())


async def pass_gate(
    uow: UnitOfWork, marks: Sequence[tuple[UUID, bytes | None, str | None]], sources: Sequence[State]
) -> None:
    """Frozen -> ready with the token and bank of the account as they are today."""
    await uow.execute(
        _PASS,
        {
            "ids": [id for id, _, _ in marks],
            "tokens": [token for _, token, _ in marks],
            "banks": [bank for _, _, bank in marks],
            "sources": list(sources),
            "now": uow.now,
        },
    )


async def remove(
    uow: UnitOfWork, gone: Sequence[tuple[UUID, str]], sources: Sequence[State], *, list_no: int, funded: bool
) -> Sequence[Any]:
    """Take lines out and give their rights back to the pool; returns those that moved."""
    params = {
        "ids": [id for id, _ in gone],
        "why": [reason for _, reason in gone],
        "sources": list(sources),
        "funded": funded,
        "list_no": list_no,
        "now": uow.now,
    }
    return (await uow.execute(_REMOVE, params)).all()


async def move(uow: UnitOfWork, target: State, sources: Sequence[State], told: Sequence[Told]) -> Sequence[Any]:
    """Move lines that stand in a source state; returns those that moved, with what their event says."""
    params = {
        "ids": [one.line_id for one in told],
        "why": [one.reason for one in told],
        "dates": [one.value_date for one in told],
        "dues": [one.repair_due for one in told],
        "sources": list(sources),
        "target": target.value,
        "today": uow.today,
        "now": uow.now,
    }
    return (await uow.execute(_MOVE, params)).all()


async def items_of(uow: UnitOfWork, line_ids: Sequence[UUID]) -> dict[UUID, list[Item]]:
    """The items of lines, by line."""
    found: dict[UUID, list[Item]] = {id: [] for id in line_ids}
    rows: Sequence[Any] = (await uow.execute(_ITEMS, {"ids": list(line_ids)})).all()
    for line_id, kind, item_id, amount_idr in rows:
        found[line_id].append(Item(kind, item_id, amount_idr))
    return found


async def drop_live(uow: UnitOfWork, line_ids: Sequence[UUID]) -> None:
    """The rights of these lines may stand in another line again."""
    await uow.execute(_DROP_LIVE, {"ids": list(line_ids)})


async def lines_of_items(uow: UnitOfWork, item_ids: Sequence[UUID]) -> Sequence[Any]:
    """The live lines that pay these rights."""
    return (await uow.execute(_LINES_OF_ITEMS, {"ids": list(item_ids)})).all()


async def counts(uow: UnitOfWork, batch_id: UUID, round: int) -> Any:
    """How the lines of a batch stand: open, count, total, pulled after the SPM, in limbo."""
    return (await uow.execute(_COUNTS, {"batch_id": batch_id, "round": round})).one()


async def paid(uow: UnitOfWork, item_ids: Sequence[UUID]) -> dict[UUID, int]:
    """What was paid and not returned, by right."""
    return {row.item_id: row.amount_idr for row in await uow.execute(_PAID, {"ids": list(item_ids)})}


async def in_limbo(uow: UnitOfWork, batch_id: UUID) -> Sequence[Any]:
    """Lines pulled after the SPM whose money was not put back, held."""
    return (await uow.execute(_IN_LIMBO, {"batch_id": batch_id})).all()


async def leave_limbo(uow: UnitOfWork, batch_id: UUID) -> None:
    """The SPM was refused: lines pulled under it are as if pulled before it."""
    await uow.execute(_LEAVE_LIMBO, {"batch_id": batch_id, "now": uow.now})


async def put_back(uow: UnitOfWork, line_ids: Sequence[UUID], doc_id: UUID) -> None:
    """Note the STS by which the money of these lines went back."""
    await uow.execute(_PUT_BACK, {"ids": list(line_ids), "doc": doc_id, "now": uow.now})
