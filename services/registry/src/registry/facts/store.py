"""Builds `person_facts` from the slices and reads it. The one place that knows how a fact follows from the rows.

Commands, consumers and imports call `rebuild` after they changed a person; it takes one id or 70,000.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

_IDS = bindparam("ids", type_=ARRAY(PG_UUID))

LOCK = text("SELECT id FROM person WHERE id = ANY(:ids) ORDER BY id FOR UPDATE").bindparams(_IDS)
"""Always first and in the order of ids: two rebuilds of overlapping families must not wait for each other in a circle."""

# Each part is an index look-up a person: linear whatever the planner knows. Joining sets flipped its plan when the
# statement was prepared for few ids and then given 5,000.
REBUILD = text("""
INSERT INTO person_facts AS known (person_id, region_code, life, died_on, death_record_id, birth_date, sex, nik_state,
    kk_state, ktp_region, domicile, resident_since, residence_state, family_id, family_size, is_head, shdk, registered,
    desil, desil_state, desil_as_of, payee_state, payee_token)
SELECT p.id, p.region_code,
    coalesce(death.life, 'alive'),
    CASE WHEN death.life <> 'alive' THEN death.died_on END,
    CASE WHEN death.life <> 'alive' THEN death.id END,
    p.birth_date, p.sex,
    coalesce(nik.state, 'none'),
    coalesce(card.state, 'none'),
    ktp.region_code,
    coalesce(home.region_code, ktp.region_code),
    CASE WHEN home.region_code IS NULL THEN ktp.valid_from ELSE home.valid_from END,
    CASE WHEN coalesce(home.region_code, ktp.region_code) IS NOT NULL THEN 'here' END,
    member.family_id, household.size, member.shdk = 1, member.shdk,
    p.registered, welfare.desil, coalesce(welfare.desil_state, 'unranked'), welfare.as_of,
    coalesce(account.state, 'none'), account.account_bidx
FROM person AS p
LEFT JOIN LATERAL (
    SELECT d.id, d.died_on,
        CASE WHEN d.state = 'certified' THEN 'dead'
             WHEN d.state = 'reported' AND d.hold_expired_at IS NOT NULL THEN 'alive'
             ELSE 'death_reported' END AS life
    FROM death_record AS d WHERE d.person_id = p.id AND d.state NOT IN ('revoked', 'void') LIMIT 1
) AS death ON true
LEFT JOIN LATERAL (
    SELECT CASE WHEN c.state IN ('matched', 'mismatch', 'conflict') THEN c.state ELSE 'unverified' END AS state
    FROM identity_claim AS c
    WHERE c.person_id = p.id AND c.scheme = 'nik' AND c.state NOT IN ('superseded', 'rejected') LIMIT 1
) AS nik ON true
LEFT JOIN LATERAL (
    SELECT m.family_id, m.shdk, m.basis FROM family_member AS m WHERE m.person_id = p.id AND m.valid_to IS NULL
    ORDER BY array_position(ARRAY['kk', 'dtsen', 'domisili'], m.basis) LIMIT 1
) AS member ON true
LEFT JOIN LATERAL (
    SELECT count(*)::int AS size FROM family_member AS m
    WHERE m.family_id = member.family_id AND m.basis = member.basis AND m.valid_to IS NULL
    HAVING count(*) > 0
) AS household ON true
LEFT JOIN LATERAL (
    SELECT k.state FROM family_card AS k WHERE k.family_id = member.family_id AND k.state <> 'closed' LIMIT 1
) AS card ON true
LEFT JOIN LATERAL (
    SELECT r.desil, r.desil_state, r.as_of FROM desil AS r WHERE r.family_id = member.family_id
    ORDER BY r.as_of DESC, r.snapshot_id DESC LIMIT 1
) AS welfare ON true
LEFT JOIN LATERAL (
    SELECT r.region_code, r.valid_from FROM residence AS r
    WHERE r.person_id = p.id AND r.kind = 'ktp' AND r.valid_to IS NULL LIMIT 1
) AS ktp ON true
LEFT JOIN LATERAL (
    SELECT r.region_code, r.valid_from FROM residence AS r
    WHERE r.person_id = p.id AND r.kind = 'domisili' AND r.valid_to IS NULL LIMIT 1
) AS home ON true
LEFT JOIN LATERAL (
    SELECT a.state, a.account_bidx FROM payee_account AS a
    WHERE a.person_id = p.id AND a.is_default AND a.state <> 'superseded' LIMIT 1
) AS account ON true
WHERE p.id = ANY(:ids)
ORDER BY p.id
ON CONFLICT (person_id) DO UPDATE SET
    facts_version = known.facts_version + 1, updated_at = now(),
    life = excluded.life, died_on = excluded.died_on, death_record_id = excluded.death_record_id,
    birth_date = excluded.birth_date, sex = excluded.sex, nik_state = excluded.nik_state,
    family_id = excluded.family_id, family_size = excluded.family_size, is_head = excluded.is_head,
    shdk = excluded.shdk, kk_state = excluded.kk_state, region_code = excluded.region_code,
    ktp_region = excluded.ktp_region, domicile = excluded.domicile, resident_since = excluded.resident_since,
    residence_state = excluded.residence_state, registered = excluded.registered, desil = excluded.desil,
    desil_state = excluded.desil_state, desil_as_of = excluded.desil_as_of, payee_state = excluded.payee_state,
    payee_token = excluded.payee_token,
    life_version = CASE WHEN (known.life, known.died_on, known.death_record_id)
        IS DISTINCT FROM (excluded.life, excluded.died_on, excluded.death_record_id)
        THEN known.facts_version + 1 ELSE known.life_version END,
    identity_version = CASE WHEN (known.birth_date, known.sex, known.nik_state)
        IS DISTINCT FROM (excluded.birth_date, excluded.sex, excluded.nik_state)
        THEN known.facts_version + 1 ELSE known.identity_version END,
    family_version = CASE WHEN (known.family_id, known.family_size, known.is_head, known.shdk, known.kk_state)
        IS DISTINCT FROM (excluded.family_id, excluded.family_size, excluded.is_head, excluded.shdk, excluded.kk_state)
        THEN known.facts_version + 1 ELSE known.family_version END,
    residence_version = CASE WHEN (known.region_code, known.ktp_region, known.domicile, known.resident_since, known.residence_state)
        IS DISTINCT FROM (excluded.region_code, excluded.ktp_region, excluded.domicile, excluded.resident_since, excluded.residence_state)
        THEN known.facts_version + 1 ELSE known.residence_version END,
    welfare_version = CASE WHEN (known.registered, known.desil, known.desil_state, known.desil_as_of)
        IS DISTINCT FROM (excluded.registered, excluded.desil, excluded.desil_state, excluded.desil_as_of)
        THEN known.facts_version + 1 ELSE known.welfare_version END,
    payee_version = CASE WHEN (known.payee_state, known.payee_token)
        IS DISTINCT FROM (excluded.payee_state, excluded.payee_token)
        THEN known.facts_version + 1 ELSE known.payee_version END
WHERE (
    known.life, known.died_on, known.death_record_id, known.birth_date, known.sex, known.nik_state,
    known.family_id, known.family_size, known.is_head, known.shdk, known.kk_state, known.region_code,
    known.ktp_region, known.domicile, known.resident_since, known.residence_state, known.registered,
    known.desil, known.desil_state, known.desil_as_of, known.payee_state, known.payee_token
) IS DISTINCT FROM (
    excluded.life, excluded.died_on, excluded.death_record_id, excluded.birth_date, excluded.sex,
    excluded.nik_state, excluded.family_id, excluded.family_size, excluded.is_head, excluded.shdk,
    excluded.kk_state, excluded.region_code, excluded.ktp_region, excluded.domicile, excluded.resident_since,
    excluded.residence_state, excluded.registered, excluded.desil, excluded.desil_state, excluded.desil_as_of,
    excluded.payee_state, excluded.payee_token
)
RETURNING new.person_id, new.facts_version, new.life, new.died_on, new.region_code, old.person_id IS NULL AS first,
    new.life_version = new.facts_version AS life_changed,
    array_remove(ARRAY[
        CASE WHEN new.identity_version = new.facts_version THEN 'identity' END,
        CASE WHEN new.family_version = new.facts_version THEN 'family' END,
        CASE WHEN new.residence_version = new.facts_version THEN 'residence' END,
        CASE WHEN new.welfare_version = new.facts_version THEN 'welfare' END,
        CASE WHEN new.payee_version = new.facts_version THEN 'payee' END
    ], NULL) AS groups
""").bindparams(_IDS)

VERSION = text("SELECT facts_version FROM person_facts WHERE person_id = :id")

RAISE = text("UPDATE person SET seq = seq + 1 WHERE id = ANY(:ids) RETURNING id, seq").bindparams(_IDS)
"""The next event number of each person; the rows are locked already."""


@dataclass(frozen=True, slots=True)
class Change:
    """A person whose facts are other than before. `groups` names what changed; `first` says there were none before."""

    person_id: UUID
    facts_version: int
    life: str
    died_on: date | None
    region_code: str
    first: bool
    life_changed: bool
    groups: tuple[str, ...]


async def rebuild(uow: UnitOfWork, person_ids: Sequence[UUID]) -> list[Change]:
    """Build the facts of these persons anew; only those whose facts changed come back, each with its raised version.

    Locks the persons' rows in the order of their ids. Announces nothing: the caller does (see `facts.commands`).
    """
    ids = sorted(set(person_ids))
    await uow.session.flush()
    await uow.execute(LOCK, {"ids": ids})
    rows = await uow.execute(REBUILD, {"ids": ids})
    return sorted((_change(row) for row in rows), key=lambda change: change.person_id)


async def version(uow: UnitOfWork, person_id: UUID) -> int:
    """The present facts_version of a person."""
    return int((await uow.execute(VERSION, {"id": person_id})).scalar_one())


async def raise_sequence(uow: UnitOfWork, person_ids: Sequence[UUID]) -> dict[UUID, int]:
    """The next event number of each person, for events announced together."""
    rows = await uow.execute(RAISE, {"ids": sorted(set(person_ids))})
    return {row.id: row.seq for row in rows}


def _change(row: Any) -> Change:
    return Change(
        row.person_id,
        row.facts_version,
        row.life,
        row.died_on,
        row.region_code,
        row.first,
        row.life_changed,
        tuple(row.groups),
    )
