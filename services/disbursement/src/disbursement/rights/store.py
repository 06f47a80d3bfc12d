"""Every SQL statement of rights and cycles. The source states of a move come from the table in `domain`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from kit.db.uow import UnitOfWork, lock
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.types import Date, Text
from sqlmodel import select

from disbursement.rights import domain
from disbursement.rights.tables import CycleRow

IDS = bindparam("ids", type_=ARRAY(PG_UUID))
SOURCES = bindparam("sources", type_=ARRAY(Text))

_RETURNING = """
RETURNING e.id, e.seq, e.programme_id, e.beneficiary_person_id, e.period, e.quantity, e.unit, e.claim_id, e.cycle_id,
    e.enrolment_id, e.budget_line_id, e.value_idr, e.region_code, e.state
"""

# Rows are locked in the order of their ids, so that two set-based moves never wait for each other crosswise.
MOVE = text(
    """
    WITH mine AS (
        SELECT id FROM entitlement WHERE id = ANY(:ids) AND state = ANY(:sources) ORDER BY id FOR UPDATE
    )
    UPDATE entitlement e SET
        state = CASE WHEN :target = 'due' AND e.state IN ('held', 'cancelled') AND e.due_on > :today THEN 'planned'
                     ELSE :target END,
        held_reason = CASE WHEN :target = 'held' THEN :reason END,
        ended_reason = CASE WHEN :target IN ('cancelled', 'expired') THEN :reason END,
        returns = e.returns + CASE WHEN e.state = 'paid' AND :target = 'due' THEN 1 ELSE 0 END,
        version = e.version + 1, seq = e.seq + :told, updated_at = :now
    FROM mine WHERE e.id = mine.id AND e.id = ANY(:ids)
    """
    + _RETURNING
).bindparams(
    IDS, SOURCES, bindparam("target", type_=Text), bindparam("reason", type_=Text), bindparam("told")
)  # fmt: skip

GRANT = text(
    """
    INSERT INTO entitlement (programme_id, enrolment_id, claim_id, cycle_id, subject_id, beneficiary_person_id,
        payee_person_id, period, period_year, component, quantity, value_idr, rule_version_id, budget_line_id,
        region_code, due_on, qualifying_on, state, mode, created_by, created_at, updated_at)
    VALUES (:programme_id, NULL, :claim_id, NULL, :subject_id, :person_id, :person_id, 'once', :year, :component,
        :amount, :amount, :rule_version_id, :line_id, :region_code, :today, :died_on, 'due', :mode, :actor, :now, :now)
    ON CONFLICT DO NOTHING RETURNING id
    """
)

# Every holder whose place covers the qualifying day; who is suspended gets a right too, and it is held.
GENERATE = text(
    """
    INSERT INTO entitlement (programme_id, enrolment_id, cycle_id, subject_id, beneficiary_person_id, payee_person_id,
        period, period_year, component, quantity, value_idr, rule_version_id, budget_line_id, region_code, due_on,
        qualifying_on, state, mode, created_by, created_at, updated_at)
    SELECT n.programme_id, n.id, :cycle_id, n.subject_id, n.holder_person_id,
        coalesce(n.payee_person_id, n.holder_person_id), :period, :year, :component, :amount, :amount,
        :rule_version_id, :line_id, n.region_code, :due_on, :qualifying_on, 'planned', n.mode, :actor, :now, :now
    FROM enrolment n
    WHERE n.programme_id = :programme_id AND n.state IN ('active', 'suspended', 'ended')
      AND n.starts_on <= :qualifying_on AND (n.ends_on IS NULL OR n.ends_on >= :qualifying_on)
    ORDER BY n.id
    ON CONFLICT ON CONSTRAINT one_right DO NOTHING
    RETURNING id
    """
)

# The first right of a group and period takes the lock; the others leave the cycle before anybody sees it.
LOCK_GROUPS = text(
    """
    INSERT INTO exclusivity_lock (group_id, subject_id, period, entitlement_id)
    SELECT m.group_id, CASE g.scope WHEN 'family' THEN coalesce(n.family_id, e.subject_id) ELSE e.subject_id END,
        e.period, e.id
    FROM entitlement e
    JOIN exclusivity_member m USING (programme_id)
    JOIN exclusivity_group g ON g.id = m.group_id
    JOIN enrolment n ON n.id = e.enrolment_id
    WHERE e.cycle_id = :cycle_id AND e.state = 'planned'
    ORDER BY 1, 2, 3, e.id
    ON CONFLICT DO NOTHING
    """
)
EXCLUDED = text(
    """
    SELECT e.id FROM entitlement e JOIN exclusivity_member m USING (programme_id)
    WHERE e.cycle_id = :cycle_id AND e.state = 'planned'
      AND NOT EXISTS (SELECT FROM exclusivity_lock l WHERE l.entitlement_id = e.id AND l.group_id = m.group_id)
    """
)
UNLOCK_GROUPS = text("DELETE FROM exclusivity_lock WHERE entitlement_id = ANY(:ids)").bindparams(IDS)

# Rights of a discarded cycle never bound anybody; the period must be free for the next one.
FORGET = text(
    """
    WITH gone AS (
        DELETE FROM exclusivity_lock l USING entitlement e WHERE e.id = l.entitlement_id AND e.cycle_id = :cycle_id
    )
    DELETE FROM entitlement WHERE cycle_id = :cycle_id AND state IN ('planned', 'cancelled')
    """
)
TOTALS = text(
    """
    SELECT count(*) AS count, coalesce(sum(value_idr), 0) AS total FROM entitlement WHERE cycle_id = :cycle_id AND state <> 'cancelled'
    """
)
OPEN_IN_CYCLE = text(
    "SELECT count(*) FROM entitlement WHERE cycle_id = :cycle_id AND state IN ('planned', 'due', 'held', 'reserved')"
)
IDS_OF_CYCLE = text(
    "SELECT id FROM entitlement WHERE cycle_id = :cycle_id AND state = ANY(:sources) ORDER BY id"
).bindparams(SOURCES)
HELD_PLACES = text(
    """
    SELECT e.id, coalesce(n.reasons[1], 'kepesertaan_ditangguhkan') AS reason
    FROM entitlement e JOIN enrolment n ON n.id = e.enrolment_id
    WHERE e.cycle_id = :cycle_id AND n.state = 'suspended' AND e.state IN ('planned', 'due') ORDER BY e.id
    """
)
DUE_NOW = text(
    """
    SELECT e.id FROM entitlement e JOIN cycle c ON c.id = e.cycle_id
    WHERE e.state = 'planned' AND e.due_on <= :today AND c.state IN ('approved', 'paying') ORDER BY e.id LIMIT 5000
    """
)
OPEN_OF_PERSON = text(
    """
    SELECT id, state, qualifying_on, held_reason, claim_id FROM entitlement
    WHERE beneficiary_person_id = ANY(:ids) AND state IN ('planned', 'due', 'held', 'reserved') ORDER BY id
    """
).bindparams(IDS)
OPEN_OF_PLACE = text(
    """
    SELECT id FROM entitlement WHERE enrolment_id = :enrolment_id AND qualifying_on > :after
      AND state IN ('planned', 'due', 'held', 'reserved') ORDER BY id
    """
).bindparams(bindparam("after", type_=Date))
HELD_OF_PLACE = text(
    "SELECT id FROM entitlement WHERE enrolment_id = :enrolment_id AND state = 'held' AND held_reason = :reason ORDER BY id"
)
OF_CLAIM = text("SELECT id FROM entitlement WHERE claim_id = :claim_id")
STATES = text("SELECT id, state FROM entitlement WHERE id = ANY(:ids) ORDER BY id FOR UPDATE").bindparams(IDS)
ENDED_BY = text(
    """
    SELECT id FROM entitlement WHERE enrolment_id = :enrolment_id AND state = 'cancelled' AND ended_reason = :reason
    ORDER BY id
    """
)
# Periods that went by while a place was wrongly ended, and for which it has no right.
MISSED = text(
    """
    SELECT c.period, c.due_on, c.rule_version_id, c.budget_line_id, v.benefit
    FROM enrolment n JOIN cycle c USING (programme_id) JOIN rule_version v ON v.id = c.rule_version_id
    WHERE n.id = :enrolment_id AND c.state IN ('approved', 'paying', 'closed') AND c.due_on <= :today
      AND NOT EXISTS (SELECT FROM entitlement e WHERE e.programme_id = n.programme_id AND e.subject_id = n.subject_id
          AND e.period = c.period)
    ORDER BY c.period
    """
)
BACKFILL = text(
    """
    INSERT INTO entitlement (programme_id, enrolment_id, subject_id, beneficiary_person_id, payee_person_id, period,
        period_year, component, quantity, value_idr, rule_version_id, budget_line_id, region_code, due_on, qualifying_on,
        state, mode, created_by, created_at, updated_at)
    SELECT n.programme_id, n.id, n.subject_id, n.holder_person_id, coalesce(n.payee_person_id, n.holder_person_id),
        :period, :year, :component, :amount, :amount, :rule_version_id, :line_id, n.region_code, :due_on, :qualifying_on,
        'due', n.mode, :actor, :now, :now
    FROM enrolment n WHERE n.id = :enrolment_id AND n.starts_on <= :qualifying_on
    ON CONFLICT ON CONSTRAINT one_right DO NOTHING RETURNING id
    """
)
# What was reserved for these places by decree, as far as this cycle's rights use it up.
TAKE_FROM_RESERVE = text(
    """
    WITH used AS (
        SELECT n.id, least(n.reserved_idr, sum(e.value_idr)) AS idr
        FROM entitlement e JOIN enrolment n ON n.id = e.enrolment_id
        WHERE e.cycle_id = :cycle_id AND e.state <> 'cancelled' AND n.reserved_line_id = :line_id AND n.reserved_idr > 0
        GROUP BY n.id
    ), taken AS (
        UPDATE enrolment n SET reserved_idr = n.reserved_idr - used.idr FROM used WHERE n.id = used.id RETURNING used.idr
    )
    SELECT coalesce(sum(idr), 0) FROM taken
    """
)
ARE_COMMITTED = text(
    """
    SELECT e.id FROM entitlement e LEFT JOIN cycle c ON c.id = e.cycle_id
    WHERE e.id = ANY(:ids) AND (e.claim_id IS NOT NULL OR c.state IN ('approved', 'paying', 'closed'))
    """
).bindparams(IDS)


class Moved(NamedTuple):
    """A right after a set-based move: what the statement gives back, in its order."""

    id: UUID
    seq: int
    programme_id: UUID
    beneficiary_person_id: UUID
    period: str
    quantity: int
    unit: str
    claim_id: UUID | None
    cycle_id: UUID | None
    enrolment_id: UUID | None
    budget_line_id: UUID
    value_idr: int | None
    region_code: str
    state: str


async def move(
    uow: UnitOfWork, command: type, ids: Sequence[UUID], reason: str | None = None, *, told: bool
) -> list[Moved]:
    """Move all rights of `ids` that stand in a source state of the command, in the order of their ids."""
    result = await uow.execute(
        MOVE,
        {
            "ids": sorted(set(ids)),
            "sources": list(domain.sources(command)),
            "target": domain.target(command).value,
            "reason": reason,
            "told": int(told),
            "today": uow.today,
            "now": uow.now,
        },
    )
    return sorted((Moved._make(row) for row in result), key=attrgetter("id"))


async def grant(uow: UnitOfWork, values: dict[str, Any]) -> UUID | None:
    """Insert the one right of a claim; None when it is there already."""
    row = await uow.execute(GRANT, {**values, "actor": uow.actor.sub, "now": uow.now, "today": uow.today})
    found = row.scalar_one_or_none()
    return None if found is None else UUID(str(found))


async def generate(uow: UnitOfWork, cycle: CycleRow, values: dict[str, Any]) -> int:
    """Insert the rights of a period; a repeat inserts nothing. The count of new ones."""
    result = await uow.execute(GENERATE, {**values, "cycle_id": cycle.id, "actor": uow.actor.sub, "now": uow.now})
    return len(result.all())


async def ids(uow: UnitOfWork, statement: Any, params: dict[str, Any]) -> list[UUID]:
    """The ids a statement of this module finds."""
    return list((await uow.execute(statement, params)).scalars())


async def states(uow: UnitOfWork, ids: Sequence[UUID]) -> dict[UUID, domain.State]:
    """The states of rights, which are held until the transaction ends."""
    return {row.id: domain.State(row.state) for row in await uow.execute(STATES, {"ids": sorted(ids)})}


async def totals(uow: UnitOfWork, cycle_id: UUID) -> tuple[int, int]:
    """Count and sum of a cycle's rights that are not cancelled."""
    row = (await uow.execute(TOTALS, {"cycle_id": cycle_id})).mappings().one()
    return int(row["count"]), int(row["total"])


@dataclass(frozen=True, slots=True)
class Open:
    """A right that still can become money."""

    id: UUID
    state: domain.State
    qualifying_on: date
    held_reason: str | None
    claim_id: UUID | None


async def open_of(uow: UnitOfWork, person_ids: Sequence[UUID]) -> list[Open]:
    """The rights of persons that still can become money."""
    return [
        Open(row.id, domain.State(row.state), row.qualifying_on, row.held_reason, row.claim_id)
        for row in await uow.execute(OPEN_OF_PERSON, {"ids": list(person_ids)})
    ]


async def held_places(uow: UnitOfWork, cycle_id: UUID) -> dict[str, list[UUID]]:
    """Rights of a cycle whose place is suspended, by the reason of the suspension."""
    found: dict[str, list[UUID]] = {}
    for row in await uow.execute(HELD_PLACES, {"cycle_id": cycle_id}):
        found.setdefault(row.reason, []).append(row.id)
    return found


async def count(uow: UnitOfWork, statement: Any, params: dict[str, Any]) -> int:
    """The one number a statement of this module finds."""
    return int((await uow.execute(statement, params)).scalar_one())


async def cycle_of(uow: UnitOfWork, programme_id: UUID, period: str, kind: str) -> CycleRow | None:
    """The cycle of a period that is not cancelled, held until the transaction ends."""
    statement = (
        select(CycleRow)
        .where(
            CycleRow.programme_id == programme_id,
            CycleRow.period == period,
            CycleRow.kind == kind,
            CycleRow.state != "cancelled",
        )
        .with_for_update()
    )
    return (await uow.session.execute(statement)).scalar_one_or_none()


@dataclass(frozen=True, slots=True)
class MissedPeriod:
    """An approved period in which a place got no right."""

    period: str
    due_on: date
    rule_version_id: UUID
    budget_line_id: UUID
    benefit: dict[str, Any]


async def missed(uow: UnitOfWork, enrolment_id: UUID) -> list[MissedPeriod]:
    """The approved periods that a revived place missed, oldest first."""
    result = await uow.execute(MISSED, {"enrolment_id": enrolment_id, "today": uow.today})
    return [MissedPeriod(**row) for row in result.mappings()]


async def backfill(uow: UnitOfWork, values: dict[str, Any]) -> UUID | None:
    """Insert the right of one missed period, due at once; None when the place did not cover it."""
    params = {**values, "now": uow.now, "actor": uow.actor.sub}
    found = (await uow.execute(BACKFILL, params)).scalar_one_or_none()
    return None if found is None else UUID(str(found))


async def lock_cycle(uow: UnitOfWork, cycle_id: UUID, expected: int | None) -> CycleRow:
    """The cycle, held until the transaction ends."""
    return await lock(uow, CycleRow, cycle_id, expected)
