"""The classes that stand for tables have the columns that the migration made."""

from notifications.directory.tables import DirectoryRow
from notifications.messages.tables import AttemptRow, MessageRow
from notifications.suppression.tables import SuppressionRow
from sqlmodel import SQLModel

TABLES: tuple[type[SQLModel], ...] = (MessageRow, AttemptRow, DirectoryRow, SuppressionRow)


async def test_classes_mirror_their_tables(desk):
    for table in TABLES:
        columns = table.__table__.columns
        stored = await desk.running.sql(
            "SELECT column_name, is_nullable FROM information_schema.columns WHERE table_name = $1", table.__tablename__
        )
        assert {c["column_name"]: c["is_nullable"] == "YES" for c in stored} == {c.name: c.nullable for c in columns}
