"""One move of an enrolment with everything that belongs to it: save, event, stored decision, audit."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from kit.db.uow import UnitOfWork
from kit.machine import Context
from kit.regions import kecamatan

from disbursement.claims.claim import WIB
from disbursement.enrolments import store
from disbursement.enrolments.domain import Command, State, decide
from disbursement.enrolments.tables import EnrolmentRow
from disbursement.events import EnrolmentTold
from disbursement.explanations.commands import About, Grounds, record

OBJECTABLE = frozenset({State.REFUSED, State.SUSPENDED, State.ENDED})
WITH_DECREE = frozenset({"enrolment.decreed", "enrolment.activated", "enrolment.ended", "enrolment.suspended"})


@dataclass(frozen=True, slots=True)
class Grounded:
    """A step with its grounds; `context` when a rule acts instead of the officer."""

    step: str
    grounds: Grounds
    context: Context | None = None
    appeal_until: datetime | None = None


async def change(uow: UnitOfWork, row: EnrolmentRow, command: Command, grounded: Grounded) -> None:
    """Make a move, tell it, store the decision and audit it. Raises Refused with every reason."""
    before = row.state
    enrolment, event = uow.settle(decide(store.seen(row), command, grounded.context or uow.context))
    await store.save(uow, row, enrolment)
    appeal_until = grounded.appeal_until if enrolment.state in OBJECTABLE else None
    if event is not None:
        await uow.announce(row, event, await _told(uow, row, event, appeal_until))
    await record(
        uow,
        About("enrolment", row.id, row.programme_id, row.subject_id, row.region_code),
        grounded.step,
        row.state,
        grounds=grounded.grounds,
        reasons=enrolment.reasons,
        appeal_until=appeal_until,
    )
    await uow.audit(
        f"enrolment:{grounded.step}",
        "enrolment",
        row,
        before={"state": before},
        after={"state": row.state},
        reasons=enrolment.reasons,
    )


async def _told(uow: UnitOfWork, row: EnrolmentRow, event: str, appeal_until: datetime | None) -> EnrolmentTold:
    last = None if appeal_until is None else (appeal_until.astimezone(WIB) - timedelta(microseconds=1)).date()
    return EnrolmentTold(
        enrolment_id=row.id,
        programme_id=row.programme_id,
        subject_id=row.subject_id,
        person_id=row.holder_person_id,
        reasons=list(row.reasons),
        region=kecamatan(row.region_code),
        state=row.state,
        position=await store.position(uow, row) if row.state == State.WAITLISTED else None,
        appeal_until=last,
        decree_id=row.decree_id if event in WITH_DECREE else None,
    )
