"""Every statement on import runs and their chunks; the rows of a list are in `staging`, what they become in `applying`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.db.uow import lock as lock_row
from sqlalchemy import text
from sqlmodel import select

from registry.imports.tables import ImportRun

NEWEST = text("""
    SELECT max(as_of) FROM import_run
    WHERE source = :source AND state = 'applied'
        AND (region_code = :region OR starts_with(region_code, :region || '.') OR starts_with(:region, region_code || '.'))
""")
WAITING = text(
    "SELECT id FROM import_run WHERE state IN ('received', 'parsed', 'approved') ORDER BY created_at, id LIMIT 50"
)
PROGRESS = text("""
    UPDATE import_run SET phase = 'reading', staged_line = :line, staged_rows = staged_rows + :rows, bytes_read = :bytes,
        rows_read = rows_read + :read, rows_ok = rows_ok + :ok, rows_rejected = rows_rejected + :rejected, updated_at = now()
    WHERE id = :id
""")
RESTART = text("""
    UPDATE import_run SET phase = 'waiting', staged_line = 0, staged_rows = 0, bytes_read = 0, rows_read = 0, rows_ok = 0,
        rows_rejected = 0 WHERE id = :id
""")
PHASE = text("UPDATE import_run SET phase = :phase, updated_at = now() WHERE id = :id")
NEXT_CHUNK = text(
    "SELECT no, kind, lo, hi FROM import_chunk WHERE run_id = :id AND done_at IS NULL ORDER BY no LIMIT 1"
)
CHUNK_DONE = text(
    "UPDATE import_chunk SET done_at = now() WHERE run_id = :id AND no = :no AND done_at IS NULL RETURNING rows"
)
COUNT_CHUNK = text(
    "UPDATE import_run SET phase = 'applying', chunks_done = chunks_done + 1, updated_at = now() WHERE id = :id"
)
APPLIED = text(
    "SELECT coalesce(sum(rows), 0) FROM import_chunk WHERE run_id = :id AND kind = 'rows' AND done_at IS NOT NULL"
)
SEE_SAMPLE = text("INSERT INTO import_sample_seen (run_id, actor) VALUES (:id, :actor) ON CONFLICT DO NOTHING")
SAMPLE_SEEN = text("SELECT EXISTS (SELECT FROM import_sample_seen WHERE run_id = :id AND actor = :actor)")
NOTE = text("""
    INSERT INTO import_finding (run_id, line, "column", code, rejected) VALUES (:id, :line, :column, :code, false)
""")
OPEN_RUN = text("""
    SELECT id FROM import_run WHERE source = :source AND state IN ('received', 'parsed', 'ready', 'held', 'approved')
        AND (region_code = :region OR starts_with(region_code, :region || '.') OR starts_with(:region, region_code || '.'))
    LIMIT 1
""")
DISTRICTS = text("""
    SELECT code FROM region WHERE authority = 'kemendagri' AND kind IN ('prov', 'kec')
""")
OVER = text("""
    SELECT id FROM import_run WHERE file_kept AND state IN ('applied', 'rejected', 'discarded')
        AND finished_at < now() - make_interval(days => :days) LIMIT 200
""")
FORGOTTEN = text("UPDATE import_run SET file_kept = false, file_key_enc = '' WHERE id = :id")
"""With its key destroyed a file cannot be read from any copy either."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows (`rows`: by family, `gone`: by row name) from `lo` to `hi`, applied in one transaction."""

    no: int
    kind: str
    lo: str
    hi: str


async def lock(uow: UnitOfWork, id: UUID, expected: int | None) -> ImportRun:
    """The run's row, held. Raises Missing, Stale, OutOfRegion."""
    return await lock_row(uow, ImportRun, id, expected)


async def same_file(uow: UnitOfWork, source: str, region: str, as_of: date, sha256: str) -> ImportRun | None:
    """The run that took in this very file for this very day before, unless it was discarded."""
    statement = select(ImportRun).where(
        ImportRun.source == source,
        ImportRun.region_code == region,
        ImportRun.as_of == as_of,
        ImportRun.file_sha256 == sha256,
        ImportRun.state != "discarded",
    )
    run: ImportRun | None = (await uow.session.execute(statement)).scalar_one_or_none()
    return run


async def newest_applied(uow: UnitOfWork, source: str, region: str) -> date | None:
    """The day of the newest applied list of a source that speaks of this region."""
    found: date | None = (await uow.execute(NEWEST, {"source": source, "region": region})).scalar_one()
    return found


async def waiting(uow: UnitOfWork) -> Sequence[UUID]:
    """Runs on which there is something to do, oldest first."""
    return list((await uow.execute(WAITING)).scalars())


async def progress(
    uow: UnitOfWork, id: UUID, *, line: int, rows: int, read: int, rejected: int, bytes_read: int
) -> None:
    """Note how far reading came; in the transaction that stages the rows."""
    given = {"id": id, "line": line, "rows": rows, "read": read, "ok": read - rejected, "rejected": rejected}
    await uow.execute(PROGRESS, {**given, "bytes": bytes_read})


async def restart(uow: UnitOfWork, id: UUID) -> None:
    """Begin reading again: what was staged is gone."""
    await uow.execute(RESTART, {"id": id})


async def phase(uow: UnitOfWork, id: UUID, name: str) -> None:
    """Tell what the worker does with the run now."""
    await uow.execute(PHASE, {"id": id, "phase": name})


async def next_chunk(uow: UnitOfWork, id: UUID) -> Chunk | None:
    """The first chunk that is not done."""
    row = (await uow.execute(NEXT_CHUNK, {"id": id})).first()
    return None if row is None else Chunk(row.no, row.kind, row.lo, row.hi)


async def claim_chunk(uow: UnitOfWork, id: UUID, no: int) -> bool:
    """Mark a chunk done in this transaction; False when it was done before (a repeated chunk is a no-op)."""
    if (await uow.execute(CHUNK_DONE, {"id": id, "no": no})).first() is None:
        return False
    await uow.execute(COUNT_CHUNK, {"id": id})
    return True


async def applied(uow: UnitOfWork, id: UUID) -> int:
    """Rows of the chunks that are done."""
    return int((await uow.execute(APPLIED, {"id": id})).scalar_one())


async def see_sample(uow: UnitOfWork, id: UUID) -> None:
    """Remember that the actor looked at the sample."""
    await uow.execute(SEE_SAMPLE, {"id": id, "actor": uow.actor.sub})


async def sample_seen(uow: UnitOfWork, id: UUID) -> bool:
    """Whether the actor looked at the sample."""
    return bool((await uow.execute(SAMPLE_SEEN, {"id": id, "actor": uow.actor.sub})).scalar_one())


async def note(uow: UnitOfWork, id: UUID, line: int, column: str, code: str) -> None:
    """Add a warning about a line that was found while it was applied."""
    await uow.execute(NOTE, {"id": id, "line": line, "column": column, "code": code})


async def open_run(uow: UnitOfWork, source: str, region: str) -> UUID | None:
    """A run of the same source and an overlapping region that is not finished."""
    found: UUID | None = (await uow.execute(OPEN_RUN, {"source": source, "region": region})).scalar_one_or_none()
    return found


async def districts(uow: UnitOfWork) -> frozenset[str]:
    """Provinces and districts, today's and earlier ones, that a NIK may begin with."""
    return frozenset((await uow.execute(DISTRICTS)).scalars())


async def over_for(uow: UnitOfWork, days: int) -> Sequence[UUID]:
    """Runs that ended so long ago that their files are no longer needed."""
    return list((await uow.execute(OVER, {"days": days})).scalars())


async def forgotten(uow: UnitOfWork, id: UUID) -> None:
    """Note that the file is gone."""
    await uow.execute(FORGOTTEN, {"id": id})
