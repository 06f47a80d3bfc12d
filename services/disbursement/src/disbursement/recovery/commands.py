"""Finding, telling and hearing a recovery. What was found once for a right and a cause is not found again."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from kit.db.uow import UnitOfWork, lock
from kit.machine import SYSTEM

from disbursement.citizens import only_own
from disbursement.events import RecoveryTold
from disbursement.explanations.commands import About, Grounds, record
from disbursement.ledger import commands as ledger
from disbursement.ledger.rules import Dims, Rule
from disbursement.payments import queries as payments
from disbursement.recovery import store
from disbursement.recovery.domain import Command, Contest, Decide, Drop, Find, Notify, Recovery, State, decide
from disbursement.recovery.tables import RecoveryRow


async def find(uow: UnitOfWork, entitlement_id: UUID, cause: str) -> RecoveryRow | None:
    """Find what was paid for a right without being owed (P16); None when nothing was paid or it was found before."""
    found = (await uow.execute(store.PAID_RIGHT, {"id": entitlement_id})).mappings().one_or_none()
    if found is None or await store.of_right(uow, entitlement_id, cause) is not None:
        return None
    paid = (await payments.paid(uow, [entitlement_id])).get(entitlement_id, found["value_idr"])
    system = replace(uow.context, roles=frozenset({SYSTEM}))
    decision = decide(Recovery(State.FOUND, 0), Find(cause, paid, paid), system)
    recovery, event = uow.settle(decision)
    row = RecoveryRow(
        mode=found["mode"],
        subject_person_id=found["payee_person_id"],
        programme_id=found["programme_id"],
        entitlement_id=entitlement_id,
        claim_id=found["claim_id"],
        region_code=found["region_code"],
        cause=cause,
        amount_idr=recovery.amount_idr,
        state=recovery.state.value,
        found_by=uow.actor.sub,
        reasons=[cause],
    )
    await uow.save(row)
    await ledger.post(
        uow,
        Rule.P16_FOUND if found["period_year"] >= uow.today.year else Rule.P16_FOUND_LATER,
        source_type="recovery",
        source_id=row.id,
        step="found",
        amount_idr=row.amount_idr,
        dims=Dims(found["budget_line_id"], None, row.subject_person_id),
        booked_on=uow.today,
    )
    await _tell(uow, row, event, "find", "found")
    return row


async def find_for_claim(uow: UnitOfWork, claim_id: UUID, cause: str) -> RecoveryRow | None:
    """Find the recovery of a claim that was paid."""
    right = (await uow.execute(store.RIGHT_OF_CLAIM, {"id": claim_id})).scalar_one_or_none()
    return None if right is None else await find(uow, right, cause)


async def find_paid_after_death(uow: UnitOfWork, person_id: UUID, died_on: date, cause: str) -> list[RecoveryRow]:
    """Find what was paid to a person for periods that qualify after the death."""
    ids = (await uow.execute(store.PAID_AFTER, {"person_id": person_id, "died_on": died_on})).scalars().all()
    rows = [await find(uow, id, cause) for id in ids]
    return [row for row in rows if row is not None]


async def drop_of_person(uow: UnitOfWork, person_id: UUID, cause: str, reason: str) -> int:
    """Drop what was asked of a person when its cause is gone; how many."""
    rows = await store.open_of_person(uow, person_id, cause)
    for row in rows:
        await _change(uow, row, Drop(reason), system=True)
    return len(rows)


async def notify(uow: UnitOfWork, recovery_id: UUID, expected: int) -> RecoveryRow:
    """Tell the person (kabid): amount, cause, and the last day to object, 14 days from now."""
    return await _change(uow, await _locked(uow, recovery_id, expected), Notify())


async def contest(uow: UnitOfWork, recovery_id: UUID, expected: int) -> RecoveryRow:
    """Object to a recovery."""
    return await _change(uow, await _locked(uow, recovery_id, expected), Contest())


async def answer(uow: UnitOfWork, recovery_id: UUID, command: Decide, expected: int) -> RecoveryRow:
    """Hear the objection (kadis)."""
    return await _change(uow, await _locked(uow, recovery_id, expected), command)


async def _locked(uow: UnitOfWork, recovery_id: UUID, expected: int) -> RecoveryRow:
    return await lock(
        uow, RecoveryRow, recovery_id, expected, may=lambda row: only_own(uow.actor, row.subject_person_id)
    )


async def _change(uow: UnitOfWork, row: RecoveryRow, command: Command, *, system: bool = False) -> RecoveryRow:
    context = replace(uow.context, roles=frozenset({SYSTEM})) if system else uow.context
    recovery, event = uow.settle(decide(store.seen(row), command, context))
    row.state, row.objection_until = recovery.state.value, recovery.objection_until
    if recovery.state == State.CANCELLED:
        await _unpost(uow, row)
    if isinstance(command, Decide | Drop):
        row.reasons = [command.reason]
    await uow.save(row)
    await _tell(uow, row, event, type(command).__name__.lower(), row.state)
    return row


async def _unpost(uow: UnitOfWork, row: RecoveryRow) -> None:
    """The money is not asked back after all: the journal of the finding is undone by one of its own."""
    right = (await uow.execute(store.LINE_OF_RIGHT, {"id": row.entitlement_id})).mappings().one()
    line_id, year = right["budget_line_id"], right["period_year"]
    await ledger.post(
        uow,
        Rule.P16_DROPPED if year >= row.created_at.year else Rule.P16_DROPPED_LATER,
        source_type="recovery",
        source_id=row.id,
        step="dropped",
        amount_idr=row.amount_idr,
        dims=Dims(line_id, None, row.subject_person_id),
        booked_on=uow.today,
    )


async def _tell(uow: UnitOfWork, row: RecoveryRow, event: str | None, step: str, outcome: str) -> None:
    if event is not None:
        await uow.announce(row, event, _told(row))
    await record(
        uow,
        About("recovery", row.id, row.programme_id, row.subject_person_id, row.region_code),
        step,
        outcome,
        grounds=Grounds(inputs={"amount_idr": row.amount_idr, "entitlement_id": row.entitlement_id}),
        reasons=row.reasons,
        appeal_until=row.objection_until,
    )
    await uow.audit(
        f"recovery:{step}",
        "recovery",
        row,
        after={"state": row.state, "amount_idr": row.amount_idr},
        reasons=row.reasons,
    )


def _told(row: RecoveryRow) -> RecoveryTold:
    last = None
    if row.objection_until is not None:
        last = (row.objection_until.astimezone(ZoneInfo("Asia/Jakarta")) - timedelta(microseconds=1)).date()
    return RecoveryTold(
        recovery_id=row.id,
        subject_id=row.subject_person_id,
        amount_idr=row.amount_idr,
        paid_idr=row.paid_back_idr,
        cause=row.cause,
        state=row.state,
        objection_until=last,
    )
