"""Every statement of the families slice: members and cards are dated rows, closed and opened, never changed."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.db.uow import lock as lock_row
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.types import Text

from registry.families.tables import Family

IDS = bindparam("ids", type_=ARRAY(PG_UUID))

MEMBERS = text("""
    SELECT person_id, shdk, valid_from FROM family_member
    WHERE family_id = :id AND basis = 'kk' AND valid_to IS NULL ORDER BY shdk, person_id
""")
MEMBERS_AT = text("""
    SELECT m.person_id, m.shdk, m.basis, m.valid_from, m.valid_to, coalesce(f.life, 'alive') AS life
    FROM family_member AS m LEFT JOIN person_facts AS f ON f.person_id = m.person_id
    WHERE m.family_id = :id AND coalesce(m.valid_from, '-infinity') <= :as_of AND (m.valid_to IS NULL OR m.valid_to > :as_of)
    ORDER BY m.shdk, m.person_id
""")
ELSEWHERE = text("""
    SELECT DISTINCT person_id FROM family_member
    WHERE person_id = ANY(:ids) AND basis = 'kk'
        AND daterange(valid_from, valid_to) && daterange(CAST(:since AS date), NULL)
""").bindparams(IDS)
ADD_MEMBER = text("""
    INSERT INTO family_member (family_id, person_id, shdk, basis, valid_from, source)
    VALUES (:family_id, :person_id, :shdk, 'kk', :since, :source)
""")
CLOSE_MEMBER = text("""
    UPDATE family_member SET valid_to = :on, left_reason = :reason
    WHERE family_id = :family_id AND person_id = :person_id AND basis = 'kk' AND valid_to IS NULL
""")
ADD_CARD = text("""
    INSERT INTO family_card (id, family_id, kk_enc, kk_bidx, bidx_key_id, last4, valid_from, warnings)
    VALUES (:id, :family_id, :kk_enc, :kk_bidx, :key_id, :last4, :since, :warnings)
""").bindparams(bindparam("warnings", type_=ARRAY(Text)))
CARDS = text("""
    SELECT id, last4, state, warnings, valid_from, valid_to FROM family_card WHERE family_id = :id ORDER BY recorded_at DESC
""")
FAMILY_OF = text("""
    SELECT m.family_id, m.shdk FROM family_member AS m
    WHERE m.person_id = :person_id AND (m.valid_to IS NULL OR m.valid_to > :as_of)
        AND coalesce(m.valid_from, '-infinity') <= :as_of
    ORDER BY array_position(ARRAY['kk', 'dtsen', 'domisili'], m.basis) LIMIT 1
""")
DIED_ON = text("SELECT died_on FROM person_facts WHERE person_id = :id")
PAIRS = text("""
    SELECT DISTINCT a.person_id AS one, b.person_id AS other
    FROM family_member AS a JOIN family_member AS b ON b.family_id = a.family_id AND b.person_id <> a.person_id
    WHERE a.person_id = ANY(:officers) AND b.person_id = ANY(:ids) AND a.valid_to IS NULL AND b.valid_to IS NULL
""").bindparams(IDS, bindparam("officers", type_=ARRAY(PG_UUID)))
FORGET = text("""
    DELETE FROM family_card AS k USING family_member AS m WHERE m.person_id = :id AND k.family_id = m.family_id
        AND NOT EXISTS (SELECT FROM family_member AS o JOIN person AS p ON p.id = o.person_id
            WHERE o.family_id = m.family_id AND p.id <> :id AND p.state <> 'erased') RETURNING k.id
""")


async def lock(uow: UnitOfWork, id: UUID, expected: int | None) -> Family:
    """The family's row, held; within the actor's regions."""
    return await lock_row(uow, Family, id, expected)


async def members(uow: UnitOfWork, id: UUID) -> list[Any]:
    """The members of today by the card."""
    return list(await uow.execute(MEMBERS, {"id": id}))


async def members_at(uow: UnitOfWork, id: UUID, as_of: date) -> list[Any]:
    """The members of a day, with their life."""
    return list(await uow.execute(MEMBERS_AT, {"id": id, "as_of": as_of}))


async def elsewhere(uow: UnitOfWork, ids: Sequence[UUID], since: date | None) -> frozenset[UUID]:
    """Those who are in some family from this day on."""
    return frozenset((await uow.execute(ELSEWHERE, {"ids": list(ids), "since": since})).scalars())


async def add_member(uow: UnitOfWork, family_id: UUID, person_id: UUID, shdk: int, since: date | None) -> None:
    """Open a membership."""
    given = {"family_id": family_id, "person_id": person_id, "shdk": shdk, "since": since, "source": "manual"}
    await uow.execute(ADD_MEMBER, given)


async def close_member(uow: UnitOfWork, family_id: UUID, person_id: UUID, on: date, reason: str) -> None:
    """End a membership."""
    await uow.execute(CLOSE_MEMBER, {"family_id": family_id, "person_id": person_id, "on": on, "reason": reason})


async def family_of(uow: UnitOfWork, person_id: UUID, as_of: date) -> Any | None:
    """(family_id, shdk) of a person on a day."""
    return (await uow.execute(FAMILY_OF, {"person_id": person_id, "as_of": as_of})).first()


async def pairs(uow: UnitOfWork, officers: Sequence[UUID], ids: Sequence[UUID]) -> list[tuple[UUID, UUID]]:
    """Officers and persons who are in one family now."""
    rows = await uow.execute(PAIRS, {"officers": list(officers), "ids": list(ids)})
    return [(row.one, row.other) for row in rows]


async def forget(uow: UnitOfWork, person_id: UUID) -> int:
    """Destroy the card numbers of families of which the person is the last that is known; how many."""
    return len((await uow.execute(FORGET, {"id": person_id})).all())
