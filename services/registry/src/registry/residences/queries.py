"""Reads of residences."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from kit.db.uow import UnitOfWork

from registry import restricted
from registry.residences import store


@dataclass(frozen=True, slots=True)
class Residence:
    """Where somebody lived or was registered, from when to when."""

    id: UUID
    kind: str
    region_code: str
    rt: int | None
    rw: int | None
    street: str | None
    valid_from: date | None
    valid_to: date | None


async def of_person(uow: UnitOfWork, person_id: UUID, as_of: date | None) -> list[Residence]:
    """All residences, or those of a day, with the street opened; the caller logs the read."""
    rows = await store.of_person(uow, person_id, as_of)
    fields = uow.runtime.fields
    return [
        Residence(
            row.id, row.kind, row.region_code, row.rt, row.rw,
            None if row.street_enc is None else restricted.unseal(fields, restricted.STREET, row.id, bytes(row.street_enc)),
            row.valid_from, row.valid_to,
        )
        for row in rows
    ]  # fmt: skip
