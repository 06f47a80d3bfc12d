"""Every SQL statement of enrolments, decrees and quotas."""

from collections.abc import Sequence
from uuid import UUID

from kit.db.uow import UnitOfWork
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlmodel import col, or_, select

from disbursement.enrolments.domain import Enrolment, State
from disbursement.enrolments.tables import EnrolmentRow

LIVE = ("candidate", "eligible", "waitlisted", "decreed", "active", "suspended")

ALREADY = text(
    "SELECT 1 FROM enrolment WHERE programme_id = :programme_id AND subject_id = :subject_id AND state = ANY(:live)"
)
# The row is the lock under which places are given; without a quota there is no row.
PLACES = text(
    """
    INSERT INTO quota AS q (programme_id, scope_code, places) VALUES (:programme_id, 'all', :places)
    ON CONFLICT (programme_id, scope_code) DO UPDATE SET places = greatest(excluded.places, q.taken)
    RETURNING places, taken
    """
)
TAKEN = text("UPDATE quota SET taken = taken + :n WHERE programme_id = :programme_id AND scope_code = 'all'")
RETURN_PLACE = text(
    """
    UPDATE quota SET taken = taken + 1, places = greatest(places, taken + 1)
    WHERE programme_id = :programme_id AND scope_code = 'all'
    """
)
PROMISED = text(
    "SELECT count(*) FROM enrolment WHERE programme_id = :programme_id AND state = 'eligible' AND id <> :id"
)
OTHER_OF_GROUP = text(
    """
    SELECT p.code FROM exclusivity_member mine
    JOIN exclusivity_member other ON other.group_id = mine.group_id AND other.programme_id <> mine.programme_id
    JOIN exclusivity_group g ON g.id = mine.group_id
    JOIN programme p ON p.id = other.programme_id
    JOIN enrolment n ON n.programme_id = other.programme_id AND n.state IN ('decreed', 'active', 'suspended')
        AND CASE g.scope WHEN 'family' THEN n.family_id = :family_id ELSE n.subject_id = :subject_id END
    WHERE mine.programme_id = :programme_id ORDER BY p.code LIMIT 1
    """
)
POSITION = text(
    """
    SELECT count(*) FROM enrolment WHERE programme_id = :programme_id AND state = 'waitlisted'
      AND (waiting_since, id) <= (:since, :id)
    """
)
# Nobody begins a place while a death of theirs is reported or certified.
TO_ACTIVATE = text(
    """
    SELECT id FROM enrolment n WHERE state = 'decreed' AND starts_on <= :today
      AND NOT EXISTS (SELECT FROM fact_person f WHERE f.person_id = n.holder_person_id AND f.life <> 'alive')
    ORDER BY id LIMIT 500
    """
)
LIVE_PROGRAMMES = text(
    """
    SELECT p.code FROM enrolment n JOIN programme p ON p.id = n.programme_id
    WHERE n.subject_id = :subject_id AND n.state IN ('decreed', 'active', 'suspended')
    """
)
ADD_GROUP = text("INSERT INTO exclusivity_group (code, scope) VALUES (:code, :scope) ON CONFLICT DO NOTHING")
ADD_MEMBERS = text(
    """
    INSERT INTO exclusivity_member (group_id, programme_id)
    SELECT g.id, m FROM exclusivity_group g, unnest(:ids) AS m WHERE g.code = :code ON CONFLICT DO NOTHING
    """
).bindparams(bindparam("ids", type_=ARRAY(PG_UUID)))


def seen(row: EnrolmentRow) -> Enrolment:
    """The row as the domain sees it."""
    return Enrolment(
        state=State(row.state),
        subject_id=row.subject_id,
        holder_id=row.holder_person_id,
        payee_id=row.payee_person_id,
        nominated_by=row.nominated_by,
        flagged=row.flagged,
        reasons=tuple(row.reasons),
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        payee_asked_by=row.payee_asked_by,
        payee_asked=row.payee_asked,
    )


async def save(uow: UnitOfWork, row: EnrolmentRow, enrolment: Enrolment) -> None:
    """Write what the domain changed."""
    row.state, row.flagged, row.reasons = enrolment.state.value, enrolment.flagged, list(enrolment.reasons)
    row.starts_on, row.ends_on = enrolment.starts_on, enrolment.ends_on
    row.payee_person_id = enrolment.payee_id
    row.payee_asked, row.payee_asked_by = enrolment.payee_asked, enrolment.payee_asked_by
    await uow.save(row)


async def already(uow: UnitOfWork, programme_id: UUID, subject_id: UUID) -> bool:
    """Whether the subject has a live enrolment in the programme."""
    params = {"programme_id": programme_id, "subject_id": subject_id, "live": list(LIVE)}
    return (await uow.execute(ALREADY, params)).first() is not None


async def free_places(uow: UnitOfWork, programme_id: UUID, quota: int | None) -> int | None:
    """Places that no decree has given, under the lock of the quota; None without a quota."""
    if quota is None:
        return None
    row = (await uow.execute(PLACES, {"programme_id": programme_id, "places": quota})).mappings().one()
    return int(row["places"]) - int(row["taken"])


async def promised(uow: UnitOfWork, programme_id: UUID, but: UUID) -> int:
    """How many eligible people wait for a decree without being on the waiting list."""
    return int((await uow.execute(PROMISED, {"programme_id": programme_id, "id": but})).scalar_one())


async def take_places(uow: UnitOfWork, programme_id: UUID, n: int) -> None:
    """Count places as given (or given back, when negative); the table refuses more than there are."""
    await uow.execute(TAKEN, {"programme_id": programme_id, "n": n})


async def other_of_group(uow: UnitOfWork, row: EnrolmentRow) -> str | None:
    """The programme of the same group in which the subject already has a place."""
    params = {"programme_id": row.programme_id, "subject_id": row.subject_id, "family_id": row.family_id}
    found = (await uow.execute(OTHER_OF_GROUP, params)).scalar_one_or_none()
    return None if found is None else str(found)


async def position(uow: UnitOfWork, row: EnrolmentRow) -> int:
    """The place in the waiting list, from 1."""
    params = {"programme_id": row.programme_id, "since": row.waiting_since, "id": row.id}
    return int((await uow.execute(POSITION, params)).scalar_one())


async def of_person(uow: UnitOfWork, person_id: UUID) -> list[EnrolmentRow]:
    """Enrolments that a person holds, and that have not always ended, held until the transaction ends."""
    statement = (
        select(EnrolmentRow)
        .where(
            or_(EnrolmentRow.holder_person_id == person_id, EnrolmentRow.subject_id == person_id),
            col(EnrolmentRow.state).in_(("active", "suspended", "ended")),
        )
        .order_by(col(EnrolmentRow.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list((await uow.session.execute(statement)).scalars())


async def locked(uow: UnitOfWork, ids: Sequence[UUID]) -> list[EnrolmentRow]:
    """Enrolments in the order of their ids, held until the transaction ends."""
    statement = (
        select(EnrolmentRow)
        .where(col(EnrolmentRow.id).in_(sorted(set(ids))))
        .order_by(col(EnrolmentRow.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list((await uow.session.execute(statement)).scalars())


async def return_place(uow: UnitOfWork, programme_id: UUID) -> None:
    """Give a place back to somebody wrongly taken for dead, beyond the quota when it was given away meanwhile."""
    await uow.execute(RETURN_PLACE, {"programme_id": programme_id})
