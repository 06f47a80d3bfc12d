"""Reads of accreditations."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Missing
from kit.http.paging import Paging
from sqlmodel import col, select

from grants.accreditation.cycle import State
from grants.accreditation.tables import AccreditationRow
from grants.scope import IN_REGIONS, check, narrowing

Row = AccreditationRow
"""A row as other slices may read it; it never leaves the service as it is."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cycles a list shows; None does not narrow."""

    institution_id: UUID | None = None
    state: State | None = None
    client_ref: str | None = None


async def accreditation(uow: UnitOfWork, id: UUID) -> AccreditationRow:
    """One cycle. Raises Missing or OutOfRegion (both 404)."""
    query = select(AccreditationRow).where(col(AccreditationRow.id) == id)
    row = (await uow.session.execute(query)).scalar_one_or_none()
    if row is None:
        raise Missing("accreditation")
    check(uow, row.region_code, row.institution_id)
    return row


async def accreditations(uow: UnitOfWork, page: Paging, wanted: Wanted) -> Sequence[AccreditationRow]:
    """Cycles that the actor sees, oldest first."""
    query = select(AccreditationRow).where(IN_REGIONS, narrowing(uow.actor))
    query = query.order_by(col(AccreditationRow.id)).limit(page.take)
    if wanted.institution_id is not None:
        query = query.where(col(AccreditationRow.institution_id) == wanted.institution_id)
    if wanted.state is not None:
        query = query.where(col(AccreditationRow.state) == wanted.state.value)
    if wanted.client_ref is not None:
        query = query.where(
            col(AccreditationRow.client) == uow.actor.client, col(AccreditationRow.client_ref) == wanted.client_ref
        )
    if page.after is not None:
        query = query.where(col(AccreditationRow.id) > page.after[1])
    return list((await uow.session.execute(query)).scalars())


async def graded(uow: UnitOfWork, institution_id: UUID) -> list[AccreditationRow]:
    """Every cycle of the institution that ever gave a grade."""
    query = select(AccreditationRow).where(
        col(AccreditationRow.institution_id) == institution_id, col(AccreditationRow.grade).is_not(None)
    )
    return list((await uow.session.execute(query.order_by(col(AccreditationRow.id)))).scalars())
