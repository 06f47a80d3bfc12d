"""Every statement on the staging table of a run: filling, checking as one set, comparing, cutting into chunks.

Nested loops are off for these statements (`plan_guard`): they touch the whole list, and a wrong estimate once took minutes.
"""

from collections.abc import Sequence
from uuid import UUID

from kit.db import bulk
from kit.db.uow import UnitOfWork
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text

from registry.imports.domain import Difference
from registry.imports.lines import Finding
from registry.imports.sealing import Staged

CHECK_SECONDS = 900
"""The statements of one check or comparison; two million rows stay far below."""
MOST_MEMBERS = 40
"""Rows of one family; a card with more is no family card (and an event names no more persons)."""

OPEN = text("SELECT import_open_staging(:run)")
INDEX = text("SELECT import_index_staging(:run)")
DROP = text("SELECT import_drop_staging(:run)")
FORGET_FINDINGS = text("DELETE FROM import_finding WHERE run_id = :run")

KNOWN = text("""
    SELECT ref, digest FROM import_subject WHERE source = :source AND gone_as_of IS NULL AND ref = ANY(:refs)
""").bindparams(bindparam("refs", type_=ARRAY(Text)))

UNKNOWN_REGIONS = text("""
    INSERT INTO import_finding (run_id, line, "column", code, rejected)
    SELECT s.run_id, s.line, 'kode_wilayah', 'wilayah_tidak_dikenal', true FROM import_staging AS s
    WHERE s.run_id = :run AND s.region_code IS NOT NULL
        AND NOT EXISTS (SELECT FROM region AS r WHERE r.authority = 'kemendagri' AND r.code = s.region_code)
""")
# Which of two rows with one name is right cannot be known, so neither is taken: the last one once overwrote people.
DOUBLED_ROWS = text("""
    INSERT INTO import_finding (run_id, line, "column", code, rejected)
    SELECT s.run_id, s.line, 'id_baris', 'id_baris_ganda', true FROM import_staging AS s
    WHERE s.run_id = :run AND s.ref IN (
        SELECT ref FROM import_staging WHERE run_id = :run GROUP BY ref HAVING count(*) > 1)
""")
TAKE_OUT = text("""
    DELETE FROM import_staging AS s USING import_finding AS f
    WHERE s.run_id = :run AND f.run_id = :run AND f.rejected AND f.line = s.line
""")
NO_FAMILIES = text("""
    WITH crowd AS (
        SELECT family_ref FROM import_staging WHERE run_id = :run AND family_ref IS NOT NULL
        GROUP BY family_ref HAVING count(*) > :most
    ), loose AS (
        UPDATE import_staging AS s SET family_ref = NULL FROM crowd AS c
        WHERE s.run_id = :run AND s.family_ref = c.family_ref RETURNING s.line
    )
    INSERT INTO import_finding (run_id, line, "column", code, rejected)
    SELECT :run, line, 'no_kk', 'keluarga_terlalu_besar', false FROM loose
""")
SECOND_HEADS = text("""
    WITH head AS (
        SELECT line, row_number() OVER (PARTITION BY family_ref ORDER BY line) AS place FROM import_staging
        WHERE run_id = :run AND family_ref IS NOT NULL AND relation = 1
    ), other AS (
        UPDATE import_staging AS s SET relation = 11 FROM head AS h
        WHERE s.run_id = :run AND s.line = h.line AND h.place > 1 RETURNING s.line
    )
    INSERT INTO import_finding (run_id, line, "column", code, rejected)
    SELECT :run, line, 'hubungan', 'kepala_sudah_ada', false FROM other
""")
DOUBLED_NIKS = text("""
    WITH here AS (
        SELECT nik_bidx FROM import_staging WHERE run_id = :run AND nik_structure <> 'bad'
        GROUP BY nik_bidx HAVING count(*) > 1
    ), held AS (
        SELECT c.value_bidx, known.ref FROM identity_claim AS c
        LEFT JOIN import_subject AS known ON known.person_id = c.person_id AND known.source = :source
        WHERE c.scheme = 'nik' AND c.state NOT IN ('superseded', 'rejected', 'quarantined')
    )
    INSERT INTO import_finding (run_id, line, "column", code, rejected)
    SELECT :run, line, 'nik', 'nik_ganda', false FROM (
        SELECT s.line FROM import_staging AS s JOIN here ON here.nik_bidx = s.nik_bidx
        WHERE s.run_id = :run AND s.nik_structure <> 'bad'
        UNION
        SELECT s.line FROM import_staging AS s JOIN held ON held.value_bidx = s.nik_bidx
        WHERE s.run_id = :run AND s.nik_structure <> 'bad' AND held.ref IS DISTINCT FROM s.ref
    ) AS doubled
""")
COUNT = text("""
    SELECT (SELECT count(*) FROM import_staging WHERE run_id = :run) AS ok,
        count(DISTINCT line) FILTER (WHERE rejected) AS rejected,
        count(DISTINCT line) FILTER (WHERE NOT rejected) AS warned
    FROM import_finding WHERE run_id = :run
""")
COMPARE = text("""
    SELECT count(*) FILTER (WHERE known.ref IS NULL) AS new,
        count(*) FILTER (WHERE known.digest = s.digest AND known.gone_as_of IS NULL) AS unchanged,
        count(*) FILTER (WHERE known.ref IS NOT NULL AND (known.digest <> s.digest OR known.gone_as_of IS NOT NULL)) AS changed
    FROM import_staging AS s LEFT JOIN import_subject AS known ON known.source = :source AND known.ref = s.ref
    WHERE s.run_id = :run
""")
CURRENT = text("""
    SELECT count(*) AS current, count(*) FILTER (WHERE :full AND s.ref IS NULL) AS gone
    FROM import_subject AS known LEFT JOIN import_staging AS s ON s.run_id = :run AND s.ref = known.ref
    WHERE known.source = :source AND known.gone_as_of IS NULL
        AND (known.region_code = :region OR starts_with(known.region_code, :region || '.'))
""")
CUT = text("""
    INSERT INTO import_chunk (run_id, no, kind, lo, hi, rows)
    SELECT :run, row_number() OVER (ORDER BY chunk), 'rows', min(key), max(key), sum(rows)
    FROM (
        SELECT key, rows, div(sum(rows) OVER (ORDER BY key) - rows, :size) AS chunk
        FROM (SELECT coalesce(family_ref, ref) AS key, count(*) AS rows FROM import_staging WHERE run_id = :run GROUP BY 1) AS f
    ) AS placed
    GROUP BY chunk
""")
CUT_GONE = text("""
    INSERT INTO import_chunk (run_id, no, kind, lo, hi, rows)
    SELECT :run, :after + row_number() OVER (ORDER BY chunk), 'gone', min(ref), max(ref), count(*)
    FROM (
        SELECT known.ref, (row_number() OVER (ORDER BY known.ref) - 1) / :size AS chunk
        FROM import_subject AS known
        WHERE known.source = :source AND known.gone_as_of IS NULL
            AND (known.region_code = :region OR starts_with(known.region_code, :region || '.'))
            AND NOT EXISTS (SELECT FROM import_staging AS s WHERE s.run_id = :run AND s.ref = known.ref)
    ) AS placed
    GROUP BY chunk
""")
CHUNKS = text("SELECT count(*) FROM import_chunk WHERE run_id = :run")


async def open_staging(uow: UnitOfWork, run_id: UUID) -> int:
    """Make the staging table of a run unless it is there; how many rows it holds (fewer after a crash of the database)."""
    return int((await uow.execute(OPEN, {"run": run_id})).scalar_one())


async def start_over(uow: UnitOfWork, run_id: UUID) -> None:
    """Forget what was staged and found."""
    await uow.execute(DROP, {"run": run_id})
    await uow.execute(OPEN, {"run": run_id})
    await uow.execute(FORGET_FINDINGS, {"run": run_id})


async def drop(uow: UnitOfWork, run_id: UUID) -> None:
    """Remove the staging table; findings and counts stay."""
    await uow.execute(DROP, {"run": run_id})


async def known(uow: UnitOfWork, source: str, refs: Sequence[str]) -> dict[str, bytes]:
    """What the source said last of these rows, as digests."""
    rows = await uow.execute(KNOWN, {"source": source, "refs": list(refs)})
    return {row.ref: bytes(row.digest) for row in rows}


async def fill(uow: UnitOfWork, run_id: UUID, rows: Sequence[Staged], findings: Sequence[Finding]) -> None:
    """COPY a batch of rows and of what was found wrong."""
    await bulk.copy_in(uow, "import_staging", Staged._fields, rows)
    columns = ("run_id", "line", "column", "code", "rejected")
    await bulk.copy_in(uow, "import_finding", columns, [(run_id, *finding) for finding in findings])


async def check(uow: UnitOfWork, run_id: UUID, source: str) -> tuple[int, int, int]:
    """Judge the list as a whole and take out what cannot stay; lines that are ok, rejected, and warned about."""
    await bulk.long_statements(uow, CHECK_SECONDS)
    await uow.execute(INDEX, {"run": run_id})
    await bulk.plan_guard(uow)
    await uow.execute(UNKNOWN_REGIONS, {"run": run_id})
    await uow.execute(DOUBLED_ROWS, {"run": run_id})
    await uow.execute(TAKE_OUT, {"run": run_id})
    await uow.execute(NO_FAMILIES, {"run": run_id, "most": MOST_MEMBERS})
    await uow.execute(SECOND_HEADS, {"run": run_id})
    await uow.execute(DOUBLED_NIKS, {"run": run_id, "source": source})
    row = (await uow.execute(COUNT, {"run": run_id})).one()
    return row.ok, row.rejected, row.warned


async def compare(uow: UnitOfWork, run_id: UUID, source: str, region: str, *, full: bool) -> Difference:
    """What the list would do to the rows of its source in its region; only a full list can miss some."""
    await bulk.long_statements(uow, CHECK_SECONDS)
    await bulk.plan_guard(uow)
    row = (await uow.execute(COMPARE, {"run": run_id, "source": source})).one()
    there = {"run": run_id, "source": source, "region": region, "full": full}
    current = (await uow.execute(CURRENT, there)).one()
    return Difference(current.current, row.new, row.changed, row.unchanged, current.gone)


async def cut(uow: UnitOfWork, run_id: UUID, source: str, region: str, *, gone: bool) -> int:
    """Plan the chunks: whole families in the order of their names, then the rows that are gone. How many there are."""
    await uow.execute(CUT, {"run": run_id, "size": bulk.CHUNK})
    count = int((await uow.execute(CHUNKS, {"run": run_id})).scalar_one())
    if gone:
        there = {"run": run_id, "source": source, "region": region, "size": bulk.CHUNK, "after": count}
        await uow.execute(CUT_GONE, there)
        count = int((await uow.execute(CHUNKS, {"run": run_id})).scalar_one())
    return count
