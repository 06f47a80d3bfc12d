"""Reads of institutions."""

from collections.abc import Sequence
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Missing
from kit.http.paging import Paging
from sqlmodel import col, select

from grants.institutions import names, store
from grants.institutions.tables import InstitutionRow, OfficerRow
from grants.scope import IN_REGIONS, check, narrowing

Row = InstitutionRow
"""A row as other slices may read it; it never leaves the service as it is."""


async def institution(uow: UnitOfWork, id: UUID) -> InstitutionRow:
    """One institution. Raises Missing or OutOfRegion (both 404)."""
    row = (await uow.session.execute(select(InstitutionRow).where(col(InstitutionRow.id) == id))).scalar_one_or_none()
    if row is None:
        raise Missing("institution")
    check(uow, row.region_code, row.id)
    return row


async def institutions(
    uow: UnitOfWork, page: Paging, *, name: str | None, client_ref: str | None
) -> Sequence[InstitutionRow]:
    """Institutions that the actor sees; `name` finds parts of names as they are compared."""
    own = narrowing(uow.actor, "id")
    query = select(InstitutionRow).where(IN_REGIONS, own).order_by(col(InstitutionRow.id)).limit(page.take)
    if name is not None:
        query = query.where(col(InstitutionRow.name_key).contains(names.key(name), autoescape=True))
    if client_ref is not None:
        query = query.where(
            col(InstitutionRow.client) == uow.actor.client, col(InstitutionRow.client_ref) == client_ref
        )
    if page.after is not None:
        query = query.where(col(InstitutionRow.id) > page.after[1])
    return list((await uow.session.execute(query)).scalars())


async def officers(uow: UnitOfWork, institution_id: UUID) -> list[OfficerRow]:
    """Everybody who runs or ran it."""
    return await store.officers(uow, institution_id)
