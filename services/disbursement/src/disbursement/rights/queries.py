"""Reads of rights: what can be paid now, and the rights of a person, a place or a cycle."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Missing
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.types import Text
from sqlmodel import col, select, tuple_

from disbursement.rights.tables import CycleRow, EntitlementRow

MOST_LINES = 20_000
"""Lines of a batch at most (design 2.10)."""

# A claim whose death was taken back is not paid, whatever state its right is in.
PAYABLE = text(
    """
    SELECT e.id AS entitlement_id, e.beneficiary_person_id, e.payee_person_id, e.value_idr AS amount_idr, e.region_code, e.budget_line_id, e.period,
        e.claim_id
    FROM entitlement e
    WHERE e.programme_id = :programme_id AND e.state = 'due' AND e.value_idr IS NOT NULL AND e.mode = 'live'
      AND (:region_prefix IS NULL OR e.region_code = :region_prefix
           OR starts_with(e.region_code, :region_prefix || '.'))
      AND (:line_id IS NULL OR e.budget_line_id = :line_id)
    ORDER BY e.region_code, e.id LIMIT :limit
    """
).bindparams(bindparam("region_prefix", type_=Text), bindparam("line_id", type_=PG_UUID))

ENDED = text(
    """
    SELECT count(*) FILTER (WHERE state IN ('planned', 'due', 'held', 'reserved')) FROM entitlement
    WHERE programme_id = :programme_id
    """
)
OPEN_BY_IDS = text(
    "SELECT id, state FROM entitlement WHERE id = ANY(:ids) AND state IN ('planned', 'due', 'held', 'reserved', 'paid')"
).bindparams(bindparam("ids", type_=ARRAY(PG_UUID)))


Row: TypeAlias = EntitlementRow
Cycle: TypeAlias = CycleRow


@dataclass(frozen=True, slots=True)
class Payable:
    """A right that can be put into a batch: to whom, how much, from which budget line. In the order of `PAYABLE`."""

    entitlement_id: UUID
    beneficiary_person_id: UUID
    payee_person_id: UUID
    amount_idr: int
    region_code: str
    budget_line_id: UUID
    period: str
    claim_id: UUID | None


async def payable(
    uow: UnitOfWork,
    *,
    programme_id: UUID,
    region_prefix: str | None = None,
    budget_line_id: UUID | None = None,
    limit: int = MOST_LINES,
) -> list[Payable]:
    """The rights of a programme in state due, in the order of regions; at most 20,000."""
    params = {
        "programme_id": programme_id,
        "region_prefix": region_prefix,
        "line_id": budget_line_id,
        "limit": min(limit, MOST_LINES),
    }
    rows: Sequence[Any] = (await uow.execute(PAYABLE, params)).all()
    return [Payable(*row) for row in rows]


async def right(uow: UnitOfWork, entitlement_id: UUID) -> EntitlementRow:
    """One right; raises Missing."""
    row = await uow.session.get(EntitlementRow, entitlement_id)
    if row is None:
        raise Missing("entitlement")
    return row


async def cycle(uow: UnitOfWork, cycle_id: UUID) -> CycleRow:
    """One cycle; raises Missing."""
    row = await uow.session.get(CycleRow, cycle_id)
    if row is None:
        raise Missing("cycle")
    return row


async def open_rights(uow: UnitOfWork, programme_id: UUID) -> int:
    """How many rights of a programme still can become money."""
    return int((await uow.execute(ENDED, {"programme_id": programme_id})).scalar_one())


async def states(uow: UnitOfWork, ids: list[UUID]) -> dict[UUID, str]:
    """The states of those rights that are open or paid."""
    return {row.id: row.state for row in await uow.execute(OPEN_BY_IDS, {"ids": ids})}


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list of rights is about."""

    programme_id: UUID | None = None
    person_id: UUID | None = None
    enrolment_id: UUID | None = None
    claim_id: UUID | None = None
    cycle_id: UUID | None = None
    state: str | None = None


async def listed(uow: UnitOfWork, by: Filter, after: tuple[str, UUID] | None, take: int) -> list[EntitlementRow]:
    """Rights, oldest period first, of one programme, person, place, claim or cycle."""
    statement = select(EntitlementRow).order_by(col(EntitlementRow.period), col(EntitlementRow.id)).limit(take)
    filters: tuple[tuple[Any, Any], ...] = (
        (EntitlementRow.programme_id, by.programme_id),
        (EntitlementRow.beneficiary_person_id, by.person_id),
        (EntitlementRow.enrolment_id, by.enrolment_id),
        (EntitlementRow.claim_id, by.claim_id),
        (EntitlementRow.cycle_id, by.cycle_id),
        (EntitlementRow.state, by.state),
    )
    for column, value in filters:
        if value is not None:
            statement = statement.where(col(column) == value)
    if after is not None:
        statement = statement.where(tuple_(EntitlementRow.period, EntitlementRow.id) > after)
    return list((await uow.session.execute(statement)).scalars())


async def cycles(
    uow: UnitOfWork, programme_id: UUID | None, after: tuple[str, UUID] | None, take: int
) -> list[CycleRow]:
    """Cycles, oldest period first."""
    statement = select(CycleRow).order_by(col(CycleRow.period), col(CycleRow.id)).limit(take)
    if programme_id is not None:
        statement = statement.where(CycleRow.programme_id == programme_id)
    if after is not None:
        statement = statement.where(tuple_(CycleRow.period, CycleRow.id) > after)
    return list((await uow.session.execute(statement)).scalars())
