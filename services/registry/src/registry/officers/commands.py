"""Use case of officers: bind an account to a person."""

from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.ids import new_id

from registry.officers.tables import Officer
from registry.persons import queries as people


async def bind(uow: UnitOfWork, subject: str, person_id: UUID, unit: str | None) -> Officer:
    """Say which person an account belongs to. Conflict when the account is bound already."""
    await people.brief(uow, person_id)
    officer = Officer(id=new_id(), subject=subject, person_id=person_id, unit=unit)
    await uow.save(officer)
    await uow.audit("bind", "officer", officer, after={"person_id": person_id})
    return officer
