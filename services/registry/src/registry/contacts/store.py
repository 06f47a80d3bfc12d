"""Every statement of the contacts slice."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.db.uow import lock as lock_row
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlmodel import select

from registry.contacts.tables import Contact

OF_PERSONS = text("""
    SELECT id, person_id, kind, value_enc, owner, language, consent FROM contact
    WHERE person_id = ANY(:ids) AND state = 'live'
    ORDER BY person_id, array_position(ARRAY['self', 'family', 'rt', 'operator'], owner), updated_at DESC
""").bindparams(bindparam("ids", type_=ARRAY(PG_UUID)))
SHARED = text("SELECT count(DISTINCT person_id) FROM contact WHERE value_bidx = :digest AND state = 'live'")
FORGET = text("""
    DELETE FROM contact WHERE person_id = :id RETURNING id
""")


async def lock(uow: UnitOfWork, id: UUID, expected: int | None) -> Contact:
    """The contact's row, held."""
    return await lock_row(uow, Contact, id, expected)


async def of_person(uow: UnitOfWork, person_id: UUID) -> Sequence[Contact]:
    """All contacts of a person."""
    statement = select(Contact).where(Contact.person_id == person_id).order_by(Contact.id)  # type: ignore[arg-type]
    return list((await uow.session.execute(statement)).scalars())


async def live_of(uow: UnitOfWork, ids: Sequence[UUID]) -> list[Any]:
    """The live contacts of these persons, the own one first."""
    return list(await uow.execute(OF_PERSONS, {"ids": list(ids)}))


async def sharers(uow: UnitOfWork, digest: bytes) -> int:
    """How many persons share this value: one phone behind many claims is a sign of fraud."""
    return int((await uow.execute(SHARED, {"digest": digest})).scalar_one())


async def forget(uow: UnitOfWork, person_id: UUID) -> int:
    """Destroy the contacts of a person; how many."""
    return len((await uow.execute(FORGET, {"id": person_id})).all())
