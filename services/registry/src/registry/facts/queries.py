"""Reads of facts: exactly the ones asked for, and which of them are stale."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.types import BigInteger

NAMES = (
    "life", "died_on", "birth_date", "sex", "nik_state", "kk_state", "ktp_region", "domicile", "resident_since",
    "residence_state", "family_id", "family_size", "is_head", "shdk", "registered", "desil", "desil_state", "desil_as_of",
    "employment", "family_employment", "central_aid", "central_aid_as_of", "sktm_until", "exclusions", "open_objection",
    "verified_on", "payee_state", "payee_token",
)  # fmt: skip
RESTRICTED = ("disability_degree", "ppks", "in_lks")
"""Facts of class R: they need the scope registry.facts:restricted as well."""
GROUPS = ("life", "identity", "family", "residence", "welfare", "payee")

_IDS = bindparam("ids", type_=ARRAY(PG_UUID))
FACTS = text("SELECT * FROM person_facts WHERE person_id = ANY(:ids) ORDER BY person_id").bindparams(_IDS)
STALE = text("""
    SELECT asked.id, f.facts_version,
        array_remove(ARRAY[
            CASE WHEN f.life_version > asked.version THEN 'life' END,
            CASE WHEN f.identity_version > asked.version THEN 'identity' END,
            CASE WHEN f.family_version > asked.version THEN 'family' END,
            CASE WHEN f.residence_version > asked.version THEN 'residence' END,
            CASE WHEN f.welfare_version > asked.version THEN 'welfare' END,
            CASE WHEN f.payee_version > asked.version THEN 'payee' END
        ], NULL) AS groups
    FROM unnest(:ids, :versions) AS asked(id, version)
    LEFT JOIN person_facts AS f ON f.person_id = asked.id
    WHERE f.facts_version IS DISTINCT FROM asked.version ORDER BY asked.id
""").bindparams(_IDS, bindparam("versions", type_=ARRAY(BigInteger)))
EXPORT = text("""
    SELECT * FROM person_facts WHERE CAST(:after AS uuid) IS NULL OR person_id > :after ORDER BY person_id LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class Stale:
    """A person whose facts are at another version; `facts_version` None: there is no such person."""

    person_id: UUID
    facts_version: int | None
    groups: tuple[str, ...]


async def batch(uow: UnitOfWork, ids: Sequence[UUID]) -> list[Any]:
    """The facts rows of these persons."""
    return list(await uow.execute(FACTS, {"ids": list(ids)}))


async def after(uow: UnitOfWork, person_id: UUID | None, limit: int) -> list[Any]:
    """The next facts rows in the order of ids: the first load of a projection."""
    return list(await uow.execute(EXPORT, {"after": person_id, "limit": limit}))


async def stale(uow: UnitOfWork, asked: Sequence[tuple[UUID, int]]) -> list[Stale]:
    """Of the versions asked about, those that are not the present ones, with the groups that changed since."""
    rows = await uow.execute(STALE, {"ids": [id for id, _ in asked], "versions": [version for _, version in asked]})
    return [Stale(row.id, row.facts_version, tuple(row.groups)) for row in rows]
