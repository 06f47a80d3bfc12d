"""Reads of enrolments and decrees."""

from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Missing
from sqlmodel import col, or_, select

from disbursement.citizens import is_citizen, only_own
from disbursement.enrolments.tables import DecreeRow, EnrolmentRow
from disbursement.programmes import queries as programmes
from disbursement.rules import ast

Row: TypeAlias = EnrolmentRow
Decree: TypeAlias = DecreeRow


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list of enrolments is about."""

    programme_id: UUID | None = None
    state: str | None = None
    subject_id: UUID | None = None
    region: str | None = None
    client_ref: str | None = None


async def enrolment(uow: UnitOfWork, enrolment_id: UUID) -> EnrolmentRow:
    """One enrolment. A citizen reads only their own; raises Missing or OutOfRegion."""
    row = await uow.session.get(EnrolmentRow, enrolment_id)
    if row is None:
        raise Missing("enrolment")
    uow.within(row.region_code)
    only_own(uow.actor, row.subject_id, row.holder_person_id)
    return row


async def decree(uow: UnitOfWork, decree_id: UUID) -> DecreeRow:
    """One decree; raises Missing."""
    row = await uow.session.get(DecreeRow, decree_id)
    if row is None:
        raise Missing("decree")
    return row


async def declared(uow: UnitOfWork, programme_id: UUID) -> tuple[tuple[str, ...], UUID | None]:
    """The facts that the programme's rule in force declares, and its id: what may be asked for a candidate."""
    version = await programmes.version_for(uow, programme_id, period_start=uow.today, filed_on=uow.today)
    if version is None:
        return (), None
    return tuple(sorted(ast.parse(version.ast).facts)), version.id


async def listed(uow: UnitOfWork, by: Filter, after: UUID | None, take: int) -> list[EnrolmentRow]:
    """Enrolments in the order of their nomination, within the actor's regions; a citizen's own."""
    statement = select(EnrolmentRow).order_by(col(EnrolmentRow.id)).limit(take)
    equals: tuple[tuple[Any, Any], ...] = (
        (EnrolmentRow.programme_id, by.programme_id),
        (EnrolmentRow.state, by.state),
        (EnrolmentRow.subject_id, by.subject_id),
        (EnrolmentRow.client_ref, by.client_ref),
    )
    for column, value in equals:
        if value is not None:
            statement = statement.where(col(column) == value)
    if is_citizen(uow.actor):
        own = uow.actor.person_id
        statement = statement.where(or_(col(EnrolmentRow.subject_id) == own, col(EnrolmentRow.holder_person_id) == own))
    if by.client_ref is not None:
        statement = statement.where(EnrolmentRow.client == uow.actor.client)
    if by.region is not None:
        code = col(EnrolmentRow.region_code)
        statement = statement.where(or_(code == by.region, code.startswith(by.region + ".", autoescape=True)))
    if after is not None:
        statement = statement.where(col(EnrolmentRow.id) > after)
    return list((await uow.session.execute(statement)).scalars())
