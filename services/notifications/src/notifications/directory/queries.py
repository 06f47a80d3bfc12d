"""Reads of the directory: masked for officers; for the worker the offices of an event and, in memory, their addresses."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from kit.crypto.fields import FieldCipher
from kit.db.uow import UnitOfWork
from kit.http.paging import Paging
from sqlalchemy import text
from sqlmodel import col, select

from notifications.directory.store import place
from notifications.directory.tables import DirectoryRow
from notifications.scope import IN_REGIONS

Row = DirectoryRow
"""A row as other slices may read it; it never leaves the service as it is."""


async def entries(uow: UnitOfWork, page: Paging, *, role: str | None, client_ref: str | None) -> Sequence[DirectoryRow]:
    """Entries of the actor's regions, oldest first."""
    query = select(DirectoryRow).where(IN_REGIONS).order_by(col(DirectoryRow.id)).limit(page.take)
    if role is not None:
        query = query.where(col(DirectoryRow.role) == role)
    if client_ref is not None:
        query = query.where(col(DirectoryRow.client) == uow.actor.client, col(DirectoryRow.client_ref) == client_ref)
    if page.after is not None:
        query = query.where(col(DirectoryRow.id) > page.after[1])
    return list((await uow.session.execute(query)).scalars())


MOST_OFFICES = 200
"""Offices that one event may reach; a city has some 80 villages and districts."""

OFFICES = text(
    "SELECT id, role, region_code FROM directory_entry WHERE retired_at IS NULL AND role = ANY(:roles)"
    " AND (region_code = :region OR starts_with(:region, region_code || '.') OR starts_with(region_code, :region || '.'))"
    " ORDER BY role, region_code, id LIMIT :limit"
)
ADDRESSES = text(
    "SELECT id, institution_id, locale, address_enc FROM directory_entry"
    " WHERE retired_at IS NULL AND (id = ANY(:ids) OR institution_id = ANY(:ids)) ORDER BY id"
)


@dataclass(frozen=True, slots=True)
class Office:
    """One office that hears of an event."""

    id: UUID
    role: str
    region_code: str


@dataclass(frozen=True, slots=True)
class Address:
    """An opened address; lives in memory only and does not show itself."""

    locale: str
    mail: str = field(repr=False)


async def offices(uow: UnitOfWork, roles: Sequence[str], region: str) -> list[Office]:
    """The offices of these roles that answer for the region, above it or within it."""
    params = {"roles": list(roles), "region": region, "limit": MOST_OFFICES}
    return [Office(r.id, r.role, r.region_code) for r in await uow.execute(OFFICES, params)]


async def addresses(uow: UnitOfWork, fields: FieldCipher, wanted: Sequence[UUID]) -> dict[UUID, Address]:
    """The addresses of entries or institutions, by the id that was asked for; of several entries the oldest."""
    found: dict[UUID, Address] = {}
    for row in await uow.execute(ADDRESSES, {"ids": list(wanted)}):
        mail = fields.open(row.address_enc, at=place(row.id))
        for key in (row.id, row.institution_id):
            if key in wanted:
                found.setdefault(key, Address(row.locale, mail))
    return found
