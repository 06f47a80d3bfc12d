"""The classes that stand for tables have the columns that the migration made."""

from grants.accreditation.tables import AccreditationRow
from grants.documents.tables import DocumentRow
from grants.institutions.tables import InstitutionRow, OfficerRow
from grants.registration.tables import RegistrationRow
from sqlmodel import SQLModel

TABLES: tuple[type[SQLModel], ...] = (InstitutionRow, OfficerRow, DocumentRow, RegistrationRow, AccreditationRow)


async def test_classes_mirror_their_tables(desk):
    for table in TABLES:
        columns = table.__table__.columns
        stored = await desk.running.sql(
            "SELECT column_name, is_nullable FROM information_schema.columns WHERE table_name = $1", table.__tablename__
        )
        assert {c["column_name"]: c["is_nullable"] == "YES" for c in stored} == {c.name: c.nullable for c in columns}
