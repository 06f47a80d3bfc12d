"""Reads of import runs: one, a list, what was found by reason, a sample of rows for whoever approves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Missing
from kit.http.paging import Paging
from sqlalchemy import text
from sqlmodel import select

from registry.imports.tables import ImportRun
from registry.persons.names import initials

SAMPLE_ROWS = 50
"""Rows that an approver looks at (registry_disbursement.md 1.3)."""

BY_REASON = text("""
    SELECT "column", code, rejected, count(*) AS lines FROM import_finding WHERE run_id = :id
    GROUP BY 1, 2, 3 ORDER BY rejected DESC, lines DESC, 1, 2 LIMIT 200
""")
LIST = text("""
    SELECT id FROM import_run
    WHERE (CAST(:after AS uuid) IS NULL OR id < :after) AND (CAST(:state AS text) IS NULL OR state = :state)
        AND (CAST(:ref AS text) IS NULL OR (client = :client AND client_ref = :ref))
        AND (:all OR EXISTS (SELECT FROM unnest(CAST(:regions AS text[])) AS r(code)
            WHERE region_code = r.code OR starts_with(region_code, r.code || '.')))
    ORDER BY id DESC LIMIT :take
""")
# Changed rows first: they are what an approver has to judge. The rest is spread over the whole list by its digest.
SAMPLE = text("""
    SELECT s.line, s.name, s.birth_date, s.sex, s.relation, s.region_code, s.nik_last4, s.nik_structure, s.desil,
        known.ref IS NULL AS is_new
    FROM import_staging AS s LEFT JOIN import_subject AS known ON known.source = :source AND known.ref = s.ref
    WHERE s.run_id = :id AND s.person_id IS NOT NULL
    ORDER BY known.ref IS NULL, s.digest LIMIT :rows
""")
FINDINGS_AFTER = text("""
    SELECT line, array_agg("column" ORDER BY "column", code) AS columns, array_agg(code ORDER BY "column", code) AS codes
    FROM import_finding WHERE run_id = :id AND rejected = :rejected AND line > :after
    GROUP BY line ORDER BY line LIMIT :take
""")


@dataclass(frozen=True, slots=True)
class Reasons:
    """How many lines one reason concerns, in one column."""

    column: str
    code: str
    rejected: bool
    lines: int


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A row as an approver sees it: enough to recognise nonsense, too little to take away."""

    line: int
    name: str
    birth_date: date | None
    sex: str | None
    relation: int
    region_code: str
    nik: str
    nik_structure: str | None
    desil: int | None
    is_new: bool


@dataclass(frozen=True, slots=True)
class Fault:
    """All that is wrong with one line."""

    line: int
    columns: tuple[str, ...]
    codes: tuple[str, ...]


async def get(uow: UnitOfWork, id: UUID) -> ImportRun:
    """The run, when it is there and within the actor's regions."""
    run = await uow.session.get(ImportRun, id)
    if run is None:
        raise Missing("import")
    uow.within(run.region_code)
    return run


async def newest(uow: UnitOfWork, page: Paging, *, state: str | None, client_ref: str | None) -> Sequence[ImportRun]:
    """Runs of the actor's regions, newest first, one more than the page shows."""
    given = {
        "after": page.after[1] if page.after else None, "state": state, "ref": client_ref, "client": uow.actor.client,
        "regions": list(uow.actor.regions), "all": uow.actor.is_system, "take": page.take,
    }  # fmt: skip
    ids = list((await uow.execute(LIST, given)).scalars())
    found = (await uow.session.execute(select(ImportRun).where(ImportRun.id.in_(ids)))).scalars()  # type: ignore[attr-defined]
    return sorted(found, key=lambda run: run.id, reverse=True)


async def reasons(uow: UnitOfWork, id: UUID) -> list[Reasons]:
    """Counts of lines by column and reason, rejected ones first."""
    return [Reasons(r.column, r.code, r.rejected, r.lines) for r in await uow.execute(BY_REASON, {"id": id})]


async def sample(uow: UnitOfWork, run: ImportRun) -> list[SampleRow]:
    """Up to 50 staged rows with initials and masked numbers; empty once the run is over."""
    rows = await uow.execute(SAMPLE, {"id": run.id, "source": run.source, "rows": SAMPLE_ROWS})
    return [_sample_row(row) for row in rows]


async def faults_after(uow: UnitOfWork, id: UUID, line: int, *, rejected: bool, take: int) -> list[Fault]:
    """The next faulty lines behind `line`."""
    given = {"id": id, "after": line, "rejected": rejected, "take": take}
    return [Fault(r.line, tuple(r.columns), tuple(r.codes)) for r in await uow.execute(FINDINGS_AFTER, given)]


def _sample_row(row: Any) -> SampleRow:
    nik = "*" * 12 + row.nik_last4 if row.nik_last4 else ""
    return SampleRow(
        row.line, initials(row.name), row.birth_date, row.sex, row.relation, row.region_code, nik, row.nik_structure,
        row.desil, row.is_new,
    )  # fmt: skip
