"""What must hold of rights and claims at rest (registry_disbursement.md 2.15): each answers what is violated.

Run by `disbursement verify`, after faults and at the end of every test of rights. At most twenty are named each.
"""

from collections.abc import Awaitable, Callable, Mapping

from kit.db.uow import UnitOfWork
from sqlalchemy import TextClause, text

Invariant = Callable[[UnitOfWork], Awaitable[list[str]]]


def _none(sentence: str, sql: str) -> Invariant:
    """Nothing may be found by this statement; each row found fills the sentence."""
    statement: TextClause = text(sql)

    async def check(uow: UnitOfWork) -> list[str]:
        return [sentence.format_map(dict(row)) for row in (await uow.execute(statement)).mappings()]

    return check


M7_ONE_CLAIM = _none(
    "death record {death_record_id} has {n} live claims",
    """
    SELECT death_record_id, count(*) AS n FROM claim
    WHERE state IN ('incomplete', 'filed', 'checked_kel', 'checked_kec', 'verified', 'approved', 'payable', 'paid', 'closed')
    GROUP BY death_record_id HAVING count(*) > 1 LIMIT 20
    """,
)
M7_LOCKED = _none(
    "claim {id} in state {state} does not hold its deceased",
    """
    SELECT id, state FROM claim c
    WHERE state NOT IN ('draft', 'lapsed', 'withdrawn', 'rejected') AND (state <> 'void' OR filed_at IS NOT NULL)
      AND NOT EXISTS (SELECT FROM death_lock l WHERE l.claim_id = c.id) LIMIT 20
    """,
)
M11_CLAIM = _none(
    "claim {id} is {state}, its right is {right_state}",
    """
    SELECT c.id, c.state, coalesce(e.state, 'missing') AS right_state FROM claim c
    LEFT JOIN entitlement e ON e.claim_id = c.id
    WHERE (c.state = 'payable' AND coalesce(e.state, '') NOT IN ('due', 'held', 'reserved', 'cancelled'))
       OR (c.state IN ('paid', 'closed') AND coalesce(e.state, '') <> 'paid')
       OR (c.state NOT IN ('payable', 'paid', 'closed', 'void') AND e.id IS NOT NULL)
       OR (c.state = 'payable' AND e.state = 'cancelled' AND NOT c.flagged) LIMIT 20
    """,
)
M11_AMOUNT = _none(
    "claim {id} was granted {granted} rupiah of {approved} approved",
    """
    SELECT c.id, e.value_idr AS granted, c.amount_idr AS approved FROM claim c JOIN entitlement e ON e.claim_id = c.id
    WHERE e.value_idr IS DISTINCT FROM c.amount_idr LIMIT 20
    """,
)
M16_CLOSED = _none(
    "programme {code} is closed with {n} claims open",
    """
    SELECT p.code, count(*) AS n FROM programme p JOIN claim c ON c.programme_id = p.id
    WHERE p.state = 'closed' AND c.state IN ('incomplete', 'filed', 'checked_kel', 'checked_kec', 'verified', 'approved',
        'payable', 'appealed') GROUP BY p.code LIMIT 20
    """,
)
M16_CUTOFF = _none(
    "claim {id} was filed at or after the cut-off",
    """
    SELECT c.id FROM programme p JOIN claim c ON c.programme_id = p.id
    WHERE p.state IN ('closing', 'closed') AND c.filed_at >= (p.closing ->> 'intake_cutoff')::timestamptz LIMIT 20
    """,
)
M18_CYCLE = _none(
    "cycle {id}: control {control_count} rights, {control_sum_idr} rupiah; found {n}, {total}",
    """
    SELECT c.id, c.control_count, c.control_sum_idr, count(e.id) AS n, coalesce(sum(e.value_idr), 0) AS total
    FROM cycle c LEFT JOIN entitlement e ON e.cycle_id = c.id
        AND (e.state <> 'cancelled' OR e.ended_reason <> 'ganda_periode')
    WHERE c.state IN ('generated', 'approved', 'paying', 'closed')
    GROUP BY c.id HAVING count(e.id) <> c.control_count OR coalesce(sum(e.value_idr), 0) <> c.control_sum_idr LIMIT 20
    """,
)
QUOTA = _none(
    "programme {programme_id}: {taken} places counted, {n} given",
    """
    SELECT q.programme_id, q.taken, count(n.id) AS n FROM quota q
    LEFT JOIN enrolment n ON n.programme_id = q.programme_id AND n.state IN ('decreed', 'active', 'suspended')
    GROUP BY q.programme_id, q.taken HAVING q.taken <> count(n.id) LIMIT 20
    """,
)
DECIDED = _none(
    "claim {id} in state {state} has no decision",
    """
    SELECT id, state FROM claim c WHERE state <> 'draft'
      AND NOT EXISTS (SELECT FROM decision d WHERE d.aggregate_id = c.id) LIMIT 20
    """,
)

INVARIANTS: Mapping[str, Invariant] = {
    "M7 one claim for one deceased": M7_ONE_CLAIM,
    "M7 a live claim holds its deceased": M7_LOCKED,
    "M11 claims and their rights agree": M11_CLAIM,
    "M11 the right is worth what was approved": M11_AMOUNT,
    "M16 nothing open in a closed programme": M16_CLOSED,
    "M16 nothing filed after the cut-off": M16_CUTOFF,
    "M18 cycles add up to their control totals": M18_CYCLE,
    "places given are the places counted": QUOTA,
    "every claim that moved has a stored decision": DECIDED,
}
