"""Moves of rights: set-based, in the order of their ids, told line by line. Money side, claims, cycles and consumers call these.

Each function returns the ids that really moved: a repeat moves nothing, tells nothing, and is no error.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from uuid import UUID

from kit.db.uow import Line, UnitOfWork

from disbursement.budget import commands as budget
from disbursement.claims import commands_rule as claims
from disbursement.events import EntitlementTold
from disbursement.payments import queries as payments
from disbursement.rights import domain, store
from disbursement.rights.store import Moved
from disbursement.rules import benefit

Pull = Callable[[UnitOfWork, Sequence[UUID], str], Awaitable[Sequence[UUID]]]


async def reserve(uow: UnitOfWork, entitlement_ids: Sequence[UUID]) -> list[UUID]:
    """Due -> reserved: the rights stand in a batch now."""
    return _ids(await _move(uow, domain.Reserve, entitlement_ids))


async def free(uow: UnitOfWork, entitlement_ids: Sequence[UUID]) -> list[UUID]:
    """Reserved -> due: the line was removed, rejected or the batch cancelled."""
    return _ids(await _move(uow, domain.Free, entitlement_ids))


async def settle(uow: UnitOfWork, entitlement_ids: Sequence[UUID]) -> list[UUID]:
    """Reserved -> paid, and the claims behind them are paid."""
    moved = await _move(uow, domain.Settle, entitlement_ids)
    await claims.follow_settled(uow, _claims(moved))
    return _ids(moved)


async def reopen(uow: UnitOfWork, entitlement_ids: Sequence[UUID], reason: str = "retur") -> list[UUID]:
    """Paid -> due: the money came back; the same right waits for its payment again, never a second one."""
    moved = await _move(uow, domain.Reopen, entitlement_ids, reason)
    await claims.follow_reopened(uow, _claims(moved))
    return _ids(moved)


async def hold(uow: UnitOfWork, entitlement_ids: Sequence[UUID], reason: str) -> list[UUID]:
    """planned, due, reserved -> held. The caller has taken a reserved right out of its batch (`stop` does both)."""
    return _ids(await _move(uow, domain.Hold, entitlement_ids, reason))


async def release(uow: UnitOfWork, entitlement_ids: Sequence[UUID]) -> list[UUID]:
    """Held -> due, or planned when its day lies ahead; what was missed meanwhile is paid as arrears."""
    return _ids(await _move(uow, domain.Release, entitlement_ids))


async def cancel(uow: UnitOfWork, entitlement_ids: Sequence[UUID], reason: str) -> list[UUID]:
    """planned, due, held -> cancelled; money committed for them is free again (P12)."""
    committed = set(await store.ids(uow, store.ARE_COMMITTED, {"ids": list(entitlement_ids)}))
    committed -= await payments.uncommitted(uow, entitlement_ids)
    moved = await _move(uow, domain.Cancel, entitlement_ids, reason)
    await uow.execute(store.UNLOCK_GROUPS, {"ids": _ids(moved)})
    for right in moved:
        if right.id in committed and right.value_idr:
            await budget.release(
                uow,
                right.budget_line_id,
                right.value_idr,
                source_type="entitlement",
                source_id=right.id,
                step=f"cancel_{right.seq}",
            )
    return _ids(moved)


async def exclude(uow: UnitOfWork, entitlement_ids: Sequence[UUID], reason: str) -> list[UUID]:
    """Take planned rights out of a cycle that nobody has approved: another programme of the group pays the period."""
    moved = await _move(uow, domain.Cancel, entitlement_ids, reason)
    await uow.execute(store.UNLOCK_GROUPS, {"ids": _ids(moved)})
    return _ids(moved)


async def fall_due(uow: UnitOfWork, entitlement_ids: Sequence[UUID]) -> list[UUID]:
    """Planned -> due: the day has come."""
    return _ids(await _move(uow, domain.FallDue, entitlement_ids))


async def stop(uow: UnitOfWork, person_ids: Sequence[UUID], reason: str) -> list[UUID]:
    """Hold every open right of these persons; unsent lines are pulled from their batches first.

    A right whose line is already on its way stays: only a recall can bring that money back.
    """
    from disbursement.batches import commands as batches  # late: batches move rights

    open_ = [r.id for r in await store.open_of(uow, person_ids) if r.state != domain.State.HELD]
    return await stop_lines(uow, open_, reason, batches.pull_lines)


async def cancel_of_claim(uow: UnitOfWork, claim_id: UUID, reason: str) -> list[UUID]:
    """Cancel the right of a claim; an unsent line is pulled first. A line on its way stays reserved."""
    from disbursement.batches import commands as batches  # late: batches move rights

    ids = await store.ids(uow, store.OF_CLAIM, {"claim_id": claim_id})
    held = await stop_lines(uow, ids, reason, batches.pull_lines)
    return await cancel(uow, held, reason)


async def stop_lines(uow: UnitOfWork, ids: Sequence[UUID], reason: str, pull: Pull) -> list[UUID]:
    """Hold rights by id, after unsent lines of theirs were pulled."""
    states = await store.states(uow, ids)
    reserved = [id for id in ids if states.get(id) == domain.State.RESERVED]
    pulled = await pull(uow, reserved, reason) if reserved else []
    free_ = [id for id in ids if states.get(id) in (domain.State.PLANNED, domain.State.DUE)]
    await hold(uow, [*free_, *pulled], reason)
    held = await store.states(uow, ids)
    return [id for id in ids if held.get(id) == domain.State.HELD]


async def release_held_for(uow: UnitOfWork, person_ids: Sequence[UUID], reason: str) -> list[UUID]:
    """Release the rights of these persons that are held for this reason, and no other."""
    rights = await store.open_of(uow, person_ids)
    return await release(uow, [r.id for r in rights if r.state == domain.State.HELD and r.held_reason == reason])


async def end_by_death(uow: UnitOfWork, person_id: UUID, died_on: date, reason: str) -> tuple[list[UUID], list[UUID]]:
    """Cancel what qualifies after the death, release what was still owed before it. (cancelled, released).

    The right of a claim stays held: the benefit of a claimant who died is for people to settle, not for a rule.
    """
    mine = [r for r in await store.open_of(uow, [person_id]) if r.claim_id is None]
    after = [r.id for r in mine if r.qualifying_on > died_on]
    owed = [r.id for r in mine if r.qualifying_on <= died_on and r.state == domain.State.HELD]
    return await cancel(uow, after, reason), await release(uow, owed)


async def cancel_of_enrolment(uow: UnitOfWork, enrolment_id: UUID, after: date, reason: str) -> list[UUID]:
    """Cancel the open rights of a place that qualify after a day; unsent lines are pulled first."""
    from disbursement.batches import commands as batches  # late: batches move rights

    ids = await store.ids(uow, store.OPEN_OF_PLACE, {"enrolment_id": enrolment_id, "after": after})
    stopped = await stop_lines(uow, ids, reason, batches.pull_lines)
    return await cancel(uow, stopped, reason)


async def stop_rights(uow: UnitOfWork, entitlement_ids: Sequence[UUID], reason: str) -> list[UUID]:
    """Hold rights by id; unsent lines are pulled first."""
    from disbursement.batches import commands as batches  # late: batches move rights

    return await stop_lines(uow, entitlement_ids, reason, batches.pull_lines)


async def stop_enrolment(uow: UnitOfWork, enrolment_id: UUID, reason: str) -> list[UUID]:
    """Hold the open rights of a place; unsent lines are pulled first."""
    from disbursement.batches import commands as batches  # late: batches move rights

    ids = await store.ids(uow, store.OPEN_OF_PLACE, {"enrolment_id": enrolment_id, "after": date.min})
    return await stop_lines(uow, ids, reason, batches.pull_lines)


async def release_enrolment(uow: UnitOfWork, enrolment_id: UUID, reason: str) -> list[UUID]:
    """Release the rights of a place that were held for this reason."""
    return await release(
        uow, await store.ids(uow, store.HELD_OF_PLACE, {"enrolment_id": enrolment_id, "reason": reason})
    )


async def resume_after_death(uow: UnitOfWork, enrolment_id: UUID, reason: str) -> list[UUID]:
    """Give back what a death that was taken back had cancelled, and what its time missed: due as arrears.

    The money for it is committed again (P04); raises Refused when the budget line has none left.
    """
    ids = await store.ids(uow, store.ENDED_BY, {"enrolment_id": enrolment_id, "reason": reason})
    committed = set(await store.ids(uow, store.ARE_COMMITTED, {"ids": ids}))
    restored = await _move(uow, domain.Restore, ids, reason)
    for right in restored:
        if right.id in committed and right.value_idr:
            await _commit(uow, right.budget_line_id, right.value_idr, right.id, f"resume_{right.seq}")
    return [*_ids(restored), *await _backfill(uow, enrolment_id)]


async def _backfill(uow: UnitOfWork, enrolment_id: UUID) -> list[UUID]:
    """The rights of approved periods that a wrongly ended place missed: due at once, as arrears."""
    found = []
    for gap in await store.missed(uow, enrolment_id):
        worth, span = benefit.parse(gap.benefit), domain.period(gap.period)
        id = await store.backfill(
            uow,
            {
                "enrolment_id": enrolment_id,
                "period": gap.period,
                "year": span.starts_on.year,
                "component": worth.component,
                "amount": worth.amount_idr,
                "rule_version_id": gap.rule_version_id,
                "line_id": gap.budget_line_id,
                "due_on": gap.due_on,
                "qualifying_on": span.qualifying_day(worth.alive_on),
            },
        )
        if id is not None:
            await _commit(uow, gap.budget_line_id, worth.amount_idr, id, "missed")
            found.append(id)
    return found


async def _commit(uow: UnitOfWork, line_id: UUID, amount_idr: int, id: UUID, step: str) -> None:
    await budget.commit(uow, line_id, amount_idr, source_type="entitlement", source_id=id, step=step)


async def grant_claim(
    uow: UnitOfWork,
    *,
    claim_id: UUID,
    programme_id: UUID,
    death_record_id: UUID,
    claimant_id: UUID,
    died_on: date,
    amount_idr: int,
    rule_version_id: UUID,
    line_id: UUID,
    region_code: str,
    mode: str,
) -> UUID | None:
    """The one right of an approved claim, due at once; None when it exists already."""
    return await store.grant(
        uow,
        {
            "programme_id": programme_id,
            "claim_id": claim_id,
            "subject_id": death_record_id,
            "person_id": claimant_id,
            "year": died_on.year,
            "component": "santunan",
            "amount": amount_idr,
            "rule_version_id": rule_version_id,
            "line_id": line_id,
            "region_code": region_code,
            "died_on": died_on,
            "mode": mode,
        },
    )


async def _move(uow: UnitOfWork, command: type, ids: Sequence[UUID], reason: str | None = None) -> list[Moved]:
    """Move, tell, and note in the audit trail; nothing of it when nothing moved."""
    if not ids:
        return []
    event = domain.event(command)
    moved = await store.move(uow, command, ids, reason, told=event is not None)
    if moved and event is not None:
        await uow.announce_many(event, [Line(m.id, m.seq, _told(m, reason)) for m in moved])
    if moved:
        await uow.append_audit(
            f"entitlement:{command.__name__.lower()}",
            "entitlement",
            moved[0].id if len(moved) == 1 else None,
            None,
            after={"count": len(moved), "sum_idr": sum(m.value_idr or 0 for m in moved), "state": moved[0].state},
            reasons=[reason] if reason else [],
        )
    return moved


def _told(right: Moved, reason: str | None) -> EntitlementTold:
    told: EntitlementTold = {
        "entitlement_id": str(right.id),
        "programme_id": str(right.programme_id),
        "person_id": str(right.beneficiary_person_id),
        "period": right.period,
        "quantity": right.quantity,
        "unit": right.unit,
        "state": right.state,
    }
    if reason is not None:
        told["reason"] = reason
    return told


def _ids(moved: Sequence[Moved]) -> list[UUID]:
    return [m.id for m in moved]


def _claims(moved: Sequence[Moved]) -> list[UUID]:
    return [m.claim_id for m in moved if m.claim_id is not None]
