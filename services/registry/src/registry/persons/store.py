"""Every statement of the persons slice: the row, its dated names, and who looks alike."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.db.uow import lock as lock_row
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from registry.persons.domain import DUPLICATE_SCORE
from registry.persons.names import Name, normalise
from registry.persons.tables import Person

IDS = bindparam("ids", type_=ARRAY(PG_UUID))

ADD_NAME = text("""
    INSERT INTO person_name (person_id, kind, name, name_norm, suffix, source, valid_from)
    VALUES (:person_id, :kind, :name, :norm, :suffix, :source, :since)
""")
CLOSE_NAME = text(
    "UPDATE person_name SET valid_to = :on WHERE person_id = :person_id AND kind = :kind AND valid_to IS NULL"
)
ALIKE = text("""
    SELECT count(*) FROM person AS p JOIN person_name AS n ON n.person_id = p.id
    WHERE p.state = 'active' AND p.birth_date = :birth_date AND p.sex IS NOT DISTINCT FROM :sex
        AND starts_with(p.region_code, :regency) AND n.valid_to IS NULL
        AND similarity(n.name_norm, :norm) * 1000 >= :score
""")
NAMES = text("""
    SELECT DISTINCT ON (n.person_id) n.person_id, n.name FROM person_name AS n
    WHERE n.person_id = ANY(:ids) AND n.valid_to IS NULL
    ORDER BY n.person_id, array_position(ARRAY['ktp', 'akta', 'dtsen', 'alias', 'rekening'], n.kind)
""").bindparams(IDS)
NAMES_OF = text("""
    SELECT kind, name, valid_from, valid_to FROM person_name
    WHERE person_id = :id AND (CAST(:as_of AS date) IS NULL OR (coalesce(valid_from, '-infinity') <= :as_of
        AND (valid_to IS NULL OR valid_to > :as_of)))
    ORDER BY recorded_at
""")


FORGET_NAMES = text("DELETE FROM person_name WHERE person_id = :id RETURNING id")


async def lock(uow: UnitOfWork, id: UUID, expected: int | None) -> Person:
    """The person's row, held; Missing, Stale, or OutOfRegion as from the kit."""
    return await lock_row(uow, Person, id, expected)


async def add_name(
    uow: UnitOfWork, person_id: UUID, name: str, *, kind: str = "ktp", source: str = "manual", since: date | None = None
) -> None:
    """Append a name; a former one of the kind is closed first."""
    norm = normalise(name)
    given = {"person_id": person_id, "kind": kind, "name": name, "norm": norm.norm, "suffix": norm.suffix}
    await uow.execute(ADD_NAME, {**given, "source": source, "since": since})


async def close_name(uow: UnitOfWork, person_id: UUID, kind: str, on: date) -> None:
    """End the present name of a kind; it stays as a dated row."""
    await uow.execute(CLOSE_NAME, {"person_id": person_id, "kind": kind, "on": on})


async def forget_names(uow: UnitOfWork, person_id: UUID) -> int:
    """Destroy every name the person ever had; how many."""
    return len((await uow.execute(FORGET_NAMES, {"id": person_id})).all())


async def alike(uow: UnitOfWork, norm: Name, birth_date: date | None, sex: str | None, region: str) -> int:
    """How many persons of the same regency, birth date and sex have a name as good as equal."""
    if birth_date is None:
        return 0
    given = {"norm": norm.norm, "birth_date": birth_date, "sex": sex, "regency": region[:5], "score": DUPLICATE_SCORE}
    return int((await uow.execute(ALIKE, given)).scalar_one())


async def names(uow: UnitOfWork, person_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The present name of each person, KTP before akta before others."""
    rows = await uow.execute(NAMES, {"ids": list(person_ids)})
    return {row.person_id: row.name for row in rows}


async def move_region(uow: UnitOfWork, person: Person, region: str) -> None:
    """Say whose officers see the row from now on."""
    person.region_code = region
    await uow.session.flush()
