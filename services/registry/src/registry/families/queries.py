"""Reads of families: the family of a day, a person's relatives, who is whose family."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Missing
from sqlmodel import select

from registry.families import kinship, store
from registry.families.tables import Family

Row: TypeAlias = Family
"""What these reads answer; routes turn it into an answer and never let it out."""


@dataclass(frozen=True, slots=True)
class Relative:
    """A member of the same family: relation to the head, relation to the person asked about, life."""

    person_id: UUID
    shdk: int
    relationship: str
    life: str


async def get(uow: UnitOfWork, id: UUID) -> Family:
    """The family, when it is there and within the actor's regions."""
    family = await uow.session.get(Family, id)
    if family is None:
        raise Missing("family")
    uow.within(family.region_code)
    return family


async def by_client_ref(uow: UnitOfWork, client_ref: str) -> Family | None:
    """The family that the calling client formed under its own reference."""
    statement = select(Family).where(Family.client == uow.actor.client, Family.client_ref == client_ref)
    family: Family | None = (await uow.session.execute(statement)).scalar_one_or_none()
    return family


async def members_at(uow: UnitOfWork, id: UUID, as_of: date) -> list[Any]:
    """The members of a day."""
    return await store.members_at(uow, id, as_of)


async def cards(uow: UnitOfWork, id: UUID) -> list[Any]:
    """The family's card numbers, newest first, with their last four digits."""
    return list(await uow.execute(store.CARDS, {"id": id}))


async def heirs(uow: UnitOfWork, person_id: UUID, as_of: date | None = None) -> list[Relative]:
    """Relatives of the person's family, nearest first; empty when there was no family.

    Without a day: the family of the day before the death, because the dead leave it; else, or where the family came in
    later, that of today.
    """
    died_on = (await uow.execute(store.DIED_ON, {"id": person_id})).scalar_one_or_none()
    days = [as_of] if as_of else [*([died_on - timedelta(days=1)] if died_on else []), uow.today]
    for day in days:
        mine = await store.family_of(uow, person_id, day)
        if mine is not None:
            found = [
                Relative(row.person_id, row.shdk, kinship.relationship(mine.shdk, row.shdk), row.life)
                for row in await store.members_at(uow, mine.family_id, day)
                if row.person_id != person_id
            ]
            return sorted(found, key=lambda r: (kinship.rank(r.relationship), str(r.person_id)))
    return []


async def pairs(uow: UnitOfWork, officers: Sequence[UUID], ids: Sequence[UUID]) -> list[tuple[UUID, UUID]]:
    """Officers and persons who are in one family now."""
    return await store.pairs(uow, officers, ids)
