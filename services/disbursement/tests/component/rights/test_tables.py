"""The classes that stand for tables of the rights side have the columns that the migration made."""

from disbursement.claims.tables import ClaimRow
from disbursement.enrolments.tables import DecreeRow, EnrolmentRow
from disbursement.explanations.tables import DecisionRow
from disbursement.programmes.tables import LegalBasis, ProgrammeRow, RuleVersionRow
from disbursement.recovery.tables import RecoveryRow
from disbursement.rights.tables import CycleRow, EntitlementRow
from disbursement.rules.tables import FactPersonRow
from sqlmodel import SQLModel

TABLES: tuple[type[SQLModel], ...] = (
    LegalBasis, ProgrammeRow, RuleVersionRow, FactPersonRow, DecisionRow, DecreeRow, EnrolmentRow, CycleRow,
    EntitlementRow, ClaimRow, RecoveryRow,
)  # fmt: skip


async def test_classes_mirror_their_tables(office):
    for table in TABLES:
        columns = table.__table__.columns
        stored = await office.sql(
            "SELECT column_name, is_nullable FROM information_schema.columns WHERE table_name = $1", table.__tablename__
        )
        assert {c["column_name"]: c["is_nullable"] == "YES" for c in stored} == {c.name: c.nullable for c in columns}


async def test_other_regions_are_hidden_by_the_rows_themselves(office):
    """The second net: the application's own role sees no row of another region, whatever the query forgot."""
    await office.depok()
    await office.filed()
    from kit.auth.actor import Actor
    from sqlalchemy import text

    counts = text(
        "SELECT (SELECT count(*) FROM claim), (SELECT count(*) FROM decision), (SELECT count(*) FROM claim_step)"
    )
    for regions, seen in (((), 0), (("35.17",), 0), (("32.761",), 0), (("32.76.03",), 1)):
        actor = Actor("someone", "test", regions=regions)
        async with office.running.runtime.begin(actor) as uow:
            found = (await uow.execute(counts)).one()
        assert [bool(n) for n in found] == [bool(seen)] * 3, regions
