"""Every SQL statement of programmes and rule versions that is not a plain read."""

from datetime import date
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Missing
from sqlalchemy import bindparam, text
from sqlalchemy.types import Date
from sqlmodel import col, select

from disbursement.budget import queries as budget
from disbursement.programmes.tables import ProgrammeRow, RuleVersionRow

BASIS = text("SELECT 1 FROM legal_basis WHERE kind = :kind AND number = :number AND issued_on = :issued_on")
REVIEWED = text(
    "SELECT count(*) FROM rule_version WHERE programme_id = :id AND state IN ('reviewed', 'published', 'superseded')"
)
PUBLISHED = text(
    """
    SELECT EXISTS (SELECT FROM rule_version WHERE programme_id = :id AND state = 'published'
        AND (upper(effective) IS NULL OR upper(effective) > :today))
    """
).bindparams(bindparam("today", type_=Date))
LEFT = text(
    """
    SELECT
        (SELECT count(*) FROM claim WHERE programme_id = :id AND state IN ('incomplete', 'filed', 'checked_kel',
            'checked_kec', 'verified', 'approved', 'payable', 'appealed')) AS claims,
        (SELECT count(*) FROM entitlement WHERE programme_id = :id AND state IN ('planned', 'due', 'held', 'reserved'))
            AS rights,
        (SELECT count(*) FROM enrolment WHERE programme_id = :id AND state IN ('candidate', 'eligible', 'waitlisted',
            'decreed', 'active', 'suspended')) AS enrolments
    """
)
NEXT_NO = text("SELECT coalesce(max(no), 0) + 1 FROM rule_version WHERE programme_id = :id")
CUT = (
    select(RuleVersionRow)
    .where(col(RuleVersionRow.state).in_(("published", "superseded")))
    .order_by(col(RuleVersionRow.no))
    .with_for_update()
)
ACKNOWLEDGE = text(
    """
    INSERT INTO rule_acknowledgement (rule_version_id, officer, at) VALUES (:id, :officer, :now) ON CONFLICT DO NOTHING
    """
)


async def basis_exists(uow: UnitOfWork, kind: str, number: str, issued_on: date) -> bool:
    """Whether this regulation is recorded."""
    params = {"kind": kind, "number": number, "issued_on": issued_on}
    return (await uow.execute(BASIS, params)).first() is not None


async def reviewed_versions(uow: UnitOfWork, programme_id: UUID) -> int:
    """How many rule versions somebody else has read."""
    return int((await uow.execute(REVIEWED, {"id": programme_id})).scalar_one())


async def published_from(uow: UnitOfWork, programme_id: UUID, today: date) -> bool:
    """Whether a published version is in effect today or later."""
    return bool((await uow.execute(PUBLISHED, {"id": programme_id, "today": today})).scalar_one())


async def left(uow: UnitOfWork, programme_id: UUID) -> tuple[int, int, int]:
    """Claims, rights and enrolments of a programme that still wait for their end."""
    row = (await uow.execute(LEFT, {"id": programme_id})).mappings().one()
    return int(row["claims"]), int(row["rights"]), int(row["enrolments"])


async def line_of(uow: UnitOfWork, programme: ProgrammeRow) -> str | None:
    """The state of the programme's budget line; None when it names none or an unknown one."""
    if programme.funding_line_id is None:
        return None
    try:
        return (await budget.get(uow, programme.funding_line_id)).state
    except Missing:
        return None


async def next_no(uow: UnitOfWork, programme_id: UUID) -> int:
    """The number of the next rule version; the caller holds the programme's row."""
    return int((await uow.execute(NEXT_NO, {"id": programme_id})).scalar_one())


async def overlapping(uow: UnitOfWork, version: RuleVersionRow) -> list[RuleVersionRow]:
    """Versions in force whose days the new one takes over."""
    statement = CUT.where(
        RuleVersionRow.programme_id == version.programme_id,
        RuleVersionRow.id != version.id,
        col(RuleVersionRow.effective).op("&&")(version.effective),
    )
    return list((await uow.session.execute(statement)).scalars())


async def acknowledge(uow: UnitOfWork, version_id: UUID) -> None:
    """Note that this officer has read a rule version."""
    await uow.execute(ACKNOWLEDGE, {"id": version_id, "officer": uow.actor.sub, "now": uow.now})
