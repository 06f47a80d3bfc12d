"""What happens to places when the registry says that somebody died, or lives after all. By rule, from its events."""

from datetime import date
from uuid import UUID

from kit.db.uow import UnitOfWork

from disbursement.enrolments import store
from disbursement.enrolments.commands import give_back
from disbursement.enrolments.domain import DEATH, End, Resume, Revive, State, Suspend
from disbursement.enrolments.telling import Grounded, change
from disbursement.explanations.commands import Grounds
from disbursement.recovery import commands as recovery
from disbursement.rights import commands as rights

REPORTED = "wafat_dilaporkan"
PAID_AFTER_DEATH = "bayar_setelah_wafat"


async def death_reported(uow: UnitOfWork, person_id: UUID) -> list[UUID]:
    """A death was reported: hold every open right of the person, pull unsent lines, suspend the places."""
    held = await rights.stop(uow, [person_id], REPORTED)
    for row in await store.of_person(uow, person_id):
        if row.state == State.ACTIVE:
            await change(uow, row, Suspend(REPORTED), Grounded("death_reported", Grounds(row.rule_version_id)))
    return held


async def died(uow: UnitOfWork, person_id: UUID, died_on: date) -> None:
    """The death is certified: end the places, cancel what qualifies after it, look for what was paid after it."""
    await rights.stop(uow, [person_id], REPORTED)
    for row in await store.of_person(uow, person_id):
        if row.state in (State.ACTIVE, State.SUSPENDED):
            command = End(DEATH, died_on, hard=True)
            grounds = Grounds(row.rule_version_id, as_of=died_on, inputs={"died_on": died_on})
            await change(uow, row, command, Grounded("died", grounds))
            await give_back(uow, row)
    await rights.end_by_death(uow, person_id, died_on, DEATH)
    await recovery.find_paid_after_death(uow, person_id, died_on, PAID_AFTER_DEATH)


async def alive(uow: UnitOfWork, person_id: UUID) -> None:
    """The person lives: places resume, what was held or cancelled is due with arrears, nothing is asked back."""
    for row in await store.of_person(uow, person_id):
        if row.state == State.SUSPENDED and REPORTED in row.reasons:
            await change(uow, row, Resume("hidup_kembali"), Grounded("alive", Grounds(row.rule_version_id)))
        elif (
            row.state == State.ENDED
            and DEATH in row.reasons
            and not await _replaced(uow, row.programme_id, row.subject_id)
        ):
            await change(uow, row, Revive("hidup_kembali"), Grounded("alive", Grounds(row.rule_version_id)))
            if row.decree_id is not None:
                await store.return_place(uow, row.programme_id)
            await rights.resume_after_death(uow, row.id, DEATH)
    await rights.release_held_for(uow, [person_id], REPORTED)
    await recovery.drop_of_person(uow, person_id, PAID_AFTER_DEATH, "hidup_kembali")


async def _replaced(uow: UnitOfWork, programme_id: UUID, subject_id: UUID) -> bool:
    """Whether the subject has meanwhile got a new enrolment."""
    return await store.already(uow, programme_id, subject_id)
