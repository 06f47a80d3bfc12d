"""Every SQL statement of institutions."""

from collections.abc import Sequence
from uuid import UUID

from kit.db.uow import UnitOfWork
from sqlalchemy import text
from sqlmodel import col, select

from grants.institutions.tables import InstitutionRow, OfficerRow

ALIKE = 0.5
"""Trigram similarity from which two names are shown to each other; a person decides."""

TWINS = text(
    "SELECT i.id FROM institution i WHERE i.dissolved_on IS NULL AND starts_with(i.region_code, :regency)"
    " AND similarity(i.name_key, :key) >= :alike AND i.id <> ALL(:different) ORDER BY i.id LIMIT 20"
)
DIFFERENT = text(
    "INSERT INTO not_the_same (one, other, decided_by, decided_at)"
    " VALUES (least(CAST(:one AS uuid), CAST(:other AS uuid)), greatest(CAST(:one AS uuid), CAST(:other AS uuid)), :by, :at)"
    " ON CONFLICT DO NOTHING"
)
LIFE = text("UPDATE institution_officer SET alive = :alive WHERE person_id = :person AND alive <> :alive")
_REGENCY_LENGTH = 5


async def twins(uow: UnitOfWork, name_key: str, region_code: str, different: Sequence[UUID]) -> list[UUID]:
    """Institutions of the same regency whose name is alike, but for those that were declared different."""
    params = {"regency": region_code[:_REGENCY_LENGTH], "key": name_key, "alike": ALIKE, "different": list(different)}
    return list((await uow.execute(TWINS, params)).scalars())


async def declare_different(uow: UnitOfWork, one: UUID, others: Sequence[UUID]) -> None:
    """Remember that these are not the same institution, and who said so."""
    for other in sorted(others):
        await uow.execute(DIFFERENT, {"one": one, "other": other, "by": uow.actor.sub, "at": uow.now})


async def officers(uow: UnitOfWork, institution_id: UUID) -> list[OfficerRow]:
    """Everybody who runs or ran the institution."""
    query = select(OfficerRow).where(col(OfficerRow.institution_id) == institution_id).order_by(col(OfficerRow.id))
    return list((await uow.session.execute(query)).scalars())


async def account_taken(uow: UnitOfWork, index: bytes, institution_id: UUID) -> bool:
    """Whether another living institution has this account."""
    query = select(InstitutionRow.id).where(
        col(InstitutionRow.account_index) == index,
        col(InstitutionRow.id) != institution_id,
        col(InstitutionRow.dissolved_on).is_(None),
    )
    return (await uow.session.execute(query)).first() is not None


async def set_alive(uow: UnitOfWork, person_id: UUID, *, alive: bool) -> None:
    """An officer died, or turned out to be alive."""
    await uow.execute(LIFE, {"person": person_id, "alive": alive})
