"""Every statement of the residences slice."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from sqlalchemy import text

CURRENT = text("""
    SELECT id, region_code, valid_from FROM residence
    WHERE person_id = :person_id AND kind = :kind AND valid_to IS NULL FOR UPDATE
""")
CLOSE = text("UPDATE residence SET valid_to = :on WHERE id = :id")
ADD = text("""
    INSERT INTO residence (id, person_id, kind, region_code, rt, rw, street_enc, valid_from, source)
    VALUES (:id, :person_id, :kind, :region_code, :rt, :rw, :street_enc, :since, :source)
""")
OF_PERSON = text("""
    SELECT id, kind, region_code, rt, rw, street_enc, valid_from, valid_to FROM residence
    WHERE person_id = :person_id AND (CAST(:as_of AS date) IS NULL OR (coalesce(valid_from, '-infinity') <= :as_of
        AND (valid_to IS NULL OR valid_to > :as_of)))
    ORDER BY kind, valid_from DESC NULLS LAST
""")
FORGET = text("""
    UPDATE residence SET street_enc = NULL, geo_enc = NULL, rt = NULL, rw = NULL
    WHERE person_id = :id AND num_nonnulls(street_enc, geo_enc, rt, rw) > 0 RETURNING id
""")


@dataclass(frozen=True, slots=True)
class Row:
    """One address as it is stored."""

    id: UUID
    person_id: UUID
    kind: str
    region_code: str
    rt: int | None
    rw: int | None
    street_enc: bytes | None
    since: date | None
    source: str


async def current(uow: UnitOfWork, person_id: UUID, kind: str) -> Any | None:
    """The present residence of a kind, held."""
    return (await uow.execute(CURRENT, {"person_id": person_id, "kind": kind})).first()


async def close(uow: UnitOfWork, id: UUID, on: date) -> None:
    """End a residence on the day the next begins."""
    await uow.execute(CLOSE, {"id": id, "on": on})


async def add(uow: UnitOfWork, row: Row) -> None:
    """Append a residence."""
    await uow.execute(
        ADD,
        {
            "id": row.id, "person_id": row.person_id, "kind": row.kind, "region_code": row.region_code, "rt": row.rt,
            "rw": row.rw, "street_enc": row.street_enc, "since": row.since, "source": row.source,
        },
    )  # fmt: skip


async def of_person(uow: UnitOfWork, person_id: UUID, as_of: date | None) -> list[Any]:
    """All residences of a person, or those of a day."""
    return list(await uow.execute(OF_PERSON, {"person_id": person_id, "as_of": as_of}))


async def forget(uow: UnitOfWork, person_id: UUID) -> int:
    """Destroy all of a person's addresses that is finer than the village; of how many."""
    return len((await uow.execute(FORGET, {"id": person_id})).all())
