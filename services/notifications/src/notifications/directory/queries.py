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
    "SELECT asked.no, found.id, found.role, found.region_code"
    " FROM unnest(CAST(:roles AS text[]), CAST(:regions AS text[])) WITH ORDINALITY AS asked(roles, region, no)"
    " CROSS JOIN LATERAL (SELECT id, role, region_code FROM directory_entry"
    " WHERE retired_at IS NULL AND role = ANY(string_to_array(asked.roles, ',')) AND (region_code = asked.region"
    " OR starts_with(asked.region, region_code || '.') OR starts_with(region_code, asked.region || '.'))"
    " ORDER BY role, region_code, id LIMIT :limit) AS found ORDER BY asked.no, found.role, found.region_code, found.id"
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


async def offices(
    uow: UnitOfWork, asked: Sequence[tuple[tuple[str, ...], str]]
) -> dict[tuple[tuple[str, ...], str], list[Office]]:
    """For each roles and region asked about: the offices of these roles that answer for it, above it or within it."""
    found: dict[tuple[tuple[str, ...], str], list[Office]] = {one: [] for one in asked}
    if asked:
        roles, regions = [",".join(roles) for roles, _ in asked], [region for _, region in asked]
        for row in await uow.execute(OFFICES, {"roles": roles, "regions": regions, "limit": MOST_OFFICES}):
            found[asked[row.no - 1]].append(Office(row.id, row.role, row.region_code))
    return found


async def addresses(uow: UnitOfWork, fields: FieldCipher, wanted: Sequence[UUID]) -> dict[UUID, Address]:
    """The addresses of entries or institutions, by the id that was asked for; of several entries the oldest."""
    found: dict[UUID, Address] = {}
    for row in await uow.execute(ADDRESSES, {"ids": list(wanted)}):
        mail = fields.open(row.address_enc, at=place(row.id))
        for key in (row.id, row.institution_id):
            if key in wanted:
                found.setdefault(key, Address(row.locale, mail))
    return found
