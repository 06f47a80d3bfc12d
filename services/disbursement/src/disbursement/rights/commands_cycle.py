"""Cycles (putaran penyaluran): generate the rights of a period, approve them by another person, close.

A cycle that is generated again inserts nothing; its control totals are what approval must still find.
"""

from datetime import date
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Invalid, Refused
from kit.ids import new_id
from kit.machine import Refusal

from disbursement.budget import commands as budget
from disbursement.events import CycleTold
from disbursement.programmes import queries as programmes
from disbursement.rights import commands as rights
from disbursement.rights import store
from disbursement.rights.domain import (
    ApproveCycle,
    CloseCycle,
    Cycle,
    CycleState,
    Discard,
    FallDue,
    Generate,
    Period,
    decide_cycle,
    funded,
    period,
    sources,
)
from disbursement.rights.tables import CycleRow
from disbursement.rules import benefit

EXCLUDED = "ganda_periode"


async def generate(
    uow: UnitOfWork, programme_id: UUID, code: str, *, due_on: date | None = None, cycle_id: UUID | None = None
) -> CycleRow:
    """Make the rights of a period for every place that covers its qualifying day.

    Raises Invalid for a period that is none, Refused `bulan_tidak_didanai`, `aturan_belum_terbit`, `program_...`.
    """
    try:
        span = period(code)
    except ValueError as fault:
        raise Invalid.field("/body/period", "periode_tidak_sah") from fault
    programme = await programmes.programme(uow, programme_id)
    if programme.state not in {"active", "closing"}:
        raise Refused(Refusal.because("program_belum_dibuka"))
    version = await programmes.version_for(uow, programme_id, period_start=span.starts_on)
    row = await store.cycle_of(uow, programme_id, code, "regular")
    if row is not None and row.state != CycleState.GENERATED:
        return row
    worth = None if version is None else benefit.parse(version.benefit)
    again = row is not None
    if row is None and version is not None:
        row = await _draft(uow, programme, version, span, due_on=due_on or span.starts_on, cycle_id=cycle_id)
    if row is not None and version is not None and worth is not None:
        await _rights(uow, row, version, span, worth)
    if row is not None and again:
        return row
    count, total = (0, 0) if row is None else await store.totals(uow, row.id)
    command = Generate(worth is not None and funded(span, worth.funded), version is not None, count, total)
    cycle, event = uow.settle(decide_cycle(Cycle(CycleState.DRAFT), command, uow.context))
    if row is None:
        raise Refused(Refusal.because("aturan_belum_terbit"))
    row.state, row.generated_by = cycle.state.value, cycle.generated_by
    row.control_count, row.control_sum_idr = cycle.count, cycle.sum_idr
    await uow.save(row)
    await _tell(uow, row, event, "generate")
    return row


async def approve(uow: UnitOfWork, cycle_id: UUID, expected: int) -> CycleRow:
    """Approve a cycle (kadis, not who generated it): its sum is committed (P04), its rights fall due on their day."""
    row = await store.lock_cycle(uow, cycle_id, expected)
    command = ApproveCycle(*await store.totals(uow, cycle_id))
    cycle, event = uow.settle(decide_cycle(_seen(row), command, uow.context))
    params = {"cycle_id": cycle_id, "line_id": row.budget_line_id}
    row.from_reserve_idr = await store.count(uow, store.TAKE_FROM_RESERVE, params)
    await budget.commit(
        uow,
        row.budget_line_id,
        row.control_sum_idr,
        source_type="cycle",
        source_id=row.id,
        step="approve",
        from_reserve_idr=row.from_reserve_idr,
    )
    row.state = cycle.state.value
    await uow.save(row)
    await _tell(uow, row, event, "approve")
    for reason, ids in (await store.held_places(uow, cycle_id)).items():
        await rights.hold(uow, ids, reason)
    if row.due_on <= uow.today:
        planned = await store.ids(uow, store.IDS_OF_CYCLE, {"cycle_id": cycle_id, "sources": list(sources(FallDue))})
        await rights.fall_due(uow, planned)
    return row


async def close(uow: UnitOfWork, cycle_id: UUID, expected: int) -> CycleRow:
    """Close a cycle in which no right is open."""
    row = await store.lock_cycle(uow, cycle_id, expected)
    left = await store.count(uow, store.OPEN_IN_CYCLE, {"cycle_id": cycle_id})
    cycle, event = uow.settle(decide_cycle(_seen(row), CloseCycle(left), uow.context))
    row.state = cycle.state.value
    await uow.save(row)
    await _tell(uow, row, event, "close")
    return row


async def discard(uow: UnitOfWork, cycle_id: UUID, reason: str, expected: int) -> CycleRow:
    """Give up a generated cycle: its rights are cancelled, the period may be generated anew."""
    row = await store.lock_cycle(uow, cycle_id, expected)
    cycle, event = uow.settle(decide_cycle(_seen(row), Discard(reason), uow.context))
    await uow.execute(store.FORGET, {"cycle_id": cycle_id})
    row.state = cycle.state.value
    await uow.save(row)
    await _tell(uow, row, event, "discard")
    return row


async def _draft(
    uow: UnitOfWork,
    programme: programmes.Row,
    version: programmes.Version,
    span: Period,
    *,
    due_on: date,
    cycle_id: UUID | None,
) -> CycleRow:
    line_id = version.funding_line_id or programme.funding_line_id
    if line_id is None:
        raise Refused(Refusal.because("pagu_belum_ada"))
    row = CycleRow(
        id=cycle_id or new_id(),
        mode=programme.mode,
        programme_id=programme.id,
        period=span.code,
        due_on=due_on,
        rule_version_id=version.id,
        budget_line_id=line_id,
        state=CycleState.DRAFT.value,
    )
    await uow.save(row)
    return row


async def _rights(
    uow: UnitOfWork, row: CycleRow, version: programmes.Version, span: Period, worth: benefit.Benefit
) -> None:
    values = {
        "programme_id": row.programme_id,
        "period": span.code,
        "year": span.starts_on.year,
        "component": worth.component,
        "amount": worth.amount_idr,
        "rule_version_id": version.id,
        "line_id": row.budget_line_id,
        "due_on": row.due_on,
        "qualifying_on": span.qualifying_day(worth.alive_on),
    }
    await store.generate(uow, row, values)
    await uow.execute(store.LOCK_GROUPS, {"cycle_id": row.id})
    excluded = await store.ids(uow, store.EXCLUDED, {"cycle_id": row.id})
    row.excluded_count += len(await rights.exclude(uow, excluded, EXCLUDED))


async def _tell(uow: UnitOfWork, row: CycleRow, event: str | None, step: str) -> None:
    if event is not None:
        told = CycleTold(
            cycle_id=row.id,
            programme_id=row.programme_id,
            period=row.period,
            count=row.control_count,
            total_idr=row.control_sum_idr,
            state=row.state,
        )
        await uow.announce(row, event, told)
    await uow.audit(
        f"cycle:{step}",
        "cycle",
        row,
        after={"state": row.state, "count": row.control_count, "sum_idr": row.control_sum_idr},
    )


def _seen(row: CycleRow) -> Cycle:
    return Cycle(CycleState(row.state), row.generated_by, row.control_count, row.control_sum_idr)
