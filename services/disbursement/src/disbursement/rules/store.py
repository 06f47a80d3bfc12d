"""Every SQL statement of the facts projection. A row is overwritten only by a higher facts_version."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from disbursement.registry_client import FactSheet
from disbursement.rules.ast import RESTRICTED

KEEP = text(
    """
    INSERT INTO fact_person (person_id, canonical_id, family_id, facts_version, life, died_on, domicile, facts,
        stale_groups, asked_at, updated_at)
    VALUES (:person_id, :person_id, :family_id, :version, :life, :died_on, :domicile, :facts, '{}', :now, :now)
    ON CONFLICT (person_id) DO UPDATE SET family_id = coalesce(excluded.family_id, fact_person.family_id),
        facts_version = excluded.facts_version,
        life = excluded.life, died_on = excluded.died_on, domicile = coalesce(excluded.domicile, fact_person.domicile),
        facts = fact_person.facts || excluded.facts,
        stale_groups = '{}', asked_at = excluded.asked_at, updated_at = excluded.updated_at
    WHERE fact_person.facts_version <= excluded.facts_version
    """
).bindparams(bindparam("facts", type_=JSONB))
# Acted on once per version of the event, whatever was pulled in between: a pull knows the fact, and holds nothing.
LIFE = text(
    """
    INSERT INTO fact_person (person_id, canonical_id, facts_version, life_version, life, died_on, death_record_id,
        stale_groups, updated_at)
    VALUES (:person_id, :person_id, :version, :version, :life, :died_on, :record_id, '{life}', :now)
    ON CONFLICT (person_id) DO UPDATE SET facts_version = greatest(fact_person.facts_version, excluded.facts_version),
        life_version = excluded.life_version, life = excluded.life, died_on = excluded.died_on,
        death_record_id = excluded.death_record_id, updated_at = excluded.updated_at
    WHERE fact_person.life_version < excluded.life_version
    RETURNING person_id
    """
)
MARK = text(
    """
    WITH held AS (
        SELECT person_id, facts_version FROM fact_person WHERE person_id = ANY(CAST(:persons AS uuid[]))
        ORDER BY person_id FOR UPDATE
    ), changed AS (
        SELECT held.person_id, array_agg(DISTINCT said.one) AS groups
          FROM unnest(CAST(:persons AS uuid[]), CAST(:versions AS bigint[]), CAST(:groups AS text[])) AS said(person_id, version, one)
          JOIN held ON held.person_id = said.person_id AND held.facts_version < said.version
         GROUP BY held.person_id
    )
    UPDATE fact_person AS known SET updated_at = :now,
        stale_groups = ARRAY(SELECT DISTINCT unnest(known.stale_groups || changed.groups))
      FROM changed WHERE known.person_id = changed.person_id
    """
)
FORGET = text(
    """
    UPDATE fact_person SET facts = '{}', family_id = NULL, domicile = NULL, stale_groups = '{}', facts_version = :version,
        updated_at = :now WHERE person_id = :person_id
    """
)
STALE = text("SELECT person_id FROM fact_person WHERE cardinality(stale_groups) > 0 ORDER BY person_id LIMIT :take")
GET = text(
    """
    SELECT person_id, family_id, facts_version, life, died_on, facts, stale_groups FROM fact_person
    WHERE person_id = ANY(:ids)
    """
).bindparams(bindparam("ids", type_=ARRAY(PG_UUID)))
DECLARED = text(
    """
    SELECT v.ast FROM rule_version v JOIN programme p ON p.id = v.programme_id
    WHERE v.state IN ('published', 'reviewed') AND p.state NOT IN ('closed', 'cancelled')
    """
)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a person here, and whether the registry has said since that it changed."""

    sheet: FactSheet
    life: str
    died_on: date | None
    stale: tuple[str, ...]


async def keep(uow: UnitOfWork, sheets: Sequence[FactSheet]) -> None:
    """Store answers of the registry; an older answer never replaces a newer one."""
    for sheet in sorted(sheets, key=lambda s: s.person_id):
        facts = {n: _json(v) for n, v in sheet.values.items() if n not in RESTRICTED}
        await uow.execute(
            KEEP,
            {
                "person_id": sheet.person_id, "family_id": sheet.family_id, "version": sheet.version,
                "life": sheet.values.get("life", "alive"), "died_on": sheet.values.get("died_on"),
                "domicile": sheet.values.get("domicile"), "facts": facts, "now": uow.now,
            },
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Life:
    """What an event says of somebody's life."""

    person_id: UUID
    version: int
    life: str
    died_on: date | None
    record_id: UUID | None


@dataclass(frozen=True, slots=True)
class Changed:
    """What an event says of changed facts: whose, at which version, and which groups."""

    person_id: UUID
    version: int
    groups: Sequence[str]


async def note_life(uow: UnitOfWork, said: Life) -> bool:
    """Note what an event says of somebody's life; False when something newer is known."""
    params = {
        "person_id": said.person_id, "version": said.version, "life": said.life, "died_on": said.died_on,
        "record_id": said.record_id, "now": uow.now,
    }  # fmt: skip
    return (await uow.execute(LIFE, params)).scalar_one_or_none() is not None


async def mark(uow: UnitOfWork, changed: Sequence[Changed]) -> None:
    """Remember which groups of facts changed, for whom is known here; the values are pulled later."""
    lines = [(one.person_id, one.version, group) for one in changed for group in one.groups]
    persons, versions, groups = zip(*lines, strict=True) if lines else ((), (), ())
    params = {"persons": list(persons), "versions": list(versions), "groups": list(groups), "now": uow.now}
    await uow.execute(MARK, params)


async def stale(uow: UnitOfWork, take: int) -> list[UUID]:
    """Persons whose facts must be pulled again."""
    return list((await uow.execute(STALE, {"take": take})).scalars())


async def known(uow: UnitOfWork, person_ids: Sequence[UUID]) -> dict[UUID, Known]:
    """What is known of persons."""
    return {
        row.person_id: Known(
            FactSheet(row.person_id, row.facts_version, dict(row.facts), row.family_id),
            row.life,
            row.died_on,
            tuple(row.stale_groups),
        )
        for row in await uow.execute(GET, {"ids": list(person_ids)})
    }


async def declared(uow: UnitOfWork) -> list[dict[str, Any]]:
    """The rules in force or about to be, whose facts may be asked for."""
    return [row if isinstance(row, dict) else json.loads(row) for row in (await uow.execute(DECLARED)).scalars()]


def _json(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return sorted(value) if isinstance(value, frozenset | set) else value


async def forget(uow: UnitOfWork, person_id: UUID, version: int) -> None:
    """Empty the row of a person; an older answer of the registry no longer fills it."""
    await uow.execute(FORGET, {"person_id": person_id, "version": version, "now": uow.now})
