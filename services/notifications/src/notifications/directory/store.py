"""Every SQL statement of the directory, and the only place that opens a stored address."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from kit.crypto.fields import FieldCipher
from kit.db.uow import UnitOfWork
from sqlalchemy import text

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


def place(id: UUID) -> str:
    """Where an address is sealed."""
    return f"directory_entry:address_enc:{id}"
