"""Reads of persons: one person, the name list, canonical ids. Other slices ask here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Missing
from sqlalchemy import text
from sqlmodel import select

from registry.persons import store
from registry.persons.names import initials
from registry.persons.tables import Person

Row: TypeAlias = Person
"""What these reads answer; routes turn it into an answer and never let it out."""

EXISTING = text("SELECT id, state FROM person WHERE id = ANY(:ids)").bindparams(store.IDS)
REGIONS = text("SELECT id, region_code FROM person WHERE id = ANY(:ids)").bindparams(store.IDS)


@dataclass(frozen=True, slots=True)
class Brief:
    """What another slice needs of a person to decide."""

    id: UUID
    state: str
    birth_date: date | None
    sex: str | None
    region_code: str


async def get(uow: UnitOfWork, id: UUID) -> Person:
    """The person, when it is there and within the actor's regions."""
    person = await uow.session.get(Person, id)
    if person is None:
        raise Missing("person")
    uow.within(person.region_code)
    return person


async def by_client_ref(uow: UnitOfWork, client_ref: str) -> Person | None:
    """The person that the calling client registered under its own reference."""
    statement = select(Person).where(Person.client == uow.actor.client, Person.client_ref == client_ref)
    person: Person | None = (await uow.session.execute(statement)).scalar_one_or_none()
    return person


async def brief(uow: UnitOfWork, id: UUID) -> Brief:
    """The little that guards of other slices ask."""
    person = await get(uow, id)
    return Brief(person.id, person.state, person.birth_date, person.sex, person.region_code)


async def names(uow: UnitOfWork, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Present names by person; the caller logs the read."""
    return await store.names(uow, ids)


async def names_of(uow: UnitOfWork, id: UUID, as_of: date | None) -> list[Any]:
    """All names of a person, or those of a day."""
    return list(await uow.execute(store.NAMES_OF, {"id": id, "as_of": as_of}))


async def initials_of(uow: UnitOfWork, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Names as lists of other regions show them."""
    return {id: initials(name) for id, name in (await store.names(uow, ids)).items()}


async def states(uow: UnitOfWork, ids: Sequence[UUID]) -> dict[UUID, str]:
    """The state of each person that is here."""
    return {row.id: row.state for row in await uow.execute(EXISTING, {"ids": list(ids)})}
