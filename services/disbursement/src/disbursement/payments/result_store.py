"""Statements on result files, their rows, and the bank's bookings of whole files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from sqlalchemy import text

from disbursement.payments.attempts import Outcome
from disbursement.payments.files.rows import DebitEntry, ResultRow

_BY_HASH = text("SELECT id FROM result_file WHERE sha256 = :sha256")
_INSERT_ROWS = text("""
INSERT INTO result_row (file_id, row_no, reference, bank_ref, status, reason, amount_idr, unreadable, value_date)
SELECT :file_id, row.* FROM unnest(CAST(:nos AS int[]), CAST(:refs AS text[]), CAST(:bank_refs AS text[]),
    CAST(:statuses AS text[]), CAST(:reasons AS text[]), CAST(:amounts AS bigint[]), CAST(:unreadable AS bool[]),
    CAST(:dates AS date[])) AS row(row_no, reference, bank_ref, status, reason, amount_idr, unreadable, value_date)
""")
_ROWS = text("""
SELECT row_no, reference, status, amount_idr, unreadable, bank_ref, reason, value_date FROM result_row
WHERE file_id = :file_id AND row_no > :after ORDER BY row_no LIMIT :take
""")
_LOST = text("""
SELECT DISTINCT bank_ref FROM result_row WHERE file_id = :file_id AND reference = '' AND bank_ref IS NOT NULL
""")
_OUTCOMES = text("""
UPDATE result_row SET outcome = new.outcome, applied = new.applied, attempt_id = new.attempt_id
FROM unnest(CAST(:nos AS int[]), CAST(:outcomes AS text[]), CAST(:applied AS bool[]), CAST(:attempts AS uuid[]))
    AS new(row_no, outcome, applied, attempt_id)
WHERE result_row.file_id = :file_id AND result_row.row_no = new.row_no
""")
_DEBITS = text("""
INSERT INTO statement_entry (entry_ref, file_reference, payment_file_id, result_file_id, amount_idr, count, value_date)
SELECT new.entry_ref, new.file_reference, file.id, :file_id, new.amount_idr, new.count, new.value_date
FROM unnest(CAST(:entry_refs AS text[]), CAST(:file_refs AS text[]), CAST(:amounts AS bigint[]), CAST(:counts AS int[]),
    CAST(:dates AS date[])) AS new(entry_ref, file_reference, amount_idr, count, value_date)
LEFT JOIN payment_file AS file ON file.reference = new.file_reference
ON CONFLICT (entry_ref) DO NOTHING
RETURNING entry_ref, payment_file_id, amount_idr
""")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a row ended."""

    row_no: int
    outcome: Outcome
    attempt_id: UUID | None
    applied: bool


async def by_hash(uow: UnitOfWork, sha256: str) -> UUID | None:
    """The file with these bytes, if it was uploaded before."""
    return (await uow.execute(_BY_HASH, {"sha256": sha256})).scalar_one_or_none()


async def insert_rows(uow: UnitOfWork, file_id: UUID, rows: Sequence[ResultRow]) -> None:
    """Store one chunk of rows as the bank wrote them."""
    await uow.execute(
        _INSERT_ROWS,
        {
            "file_id": file_id,
            "nos": [row.row_no for row in rows],
            "refs": [row.reference[:80] for row in rows],
            "bank_refs": [row.bank_ref for row in rows],
            "statuses": [row.status[:40] for row in rows],
            "reasons": [row.reason for row in rows],
            "amounts": [row.amount_idr for row in rows],
            "unreadable": [row.unreadable for row in rows],
            "dates": [row.value_date for row in rows],
        },
    )


async def rows(uow: UnitOfWork, file_id: UUID, *, after: int, take: int) -> list[ResultRow]:
    """Stored rows in their order."""
    found: Sequence[Any] = (await uow.execute(_ROWS, {"file_id": file_id, "after": after, "take": take})).all()
    return [ResultRow(*row) for row in found]


async def lost(uow: UnitOfWork, file_id: UUID) -> list[str]:
    """The bank's numbers of rows that lost our reference."""
    return list((await uow.execute(_LOST, {"file_id": file_id})).scalars())


async def write_outcomes(uow: UnitOfWork, file_id: UUID, ended: Sequence[Ended]) -> None:
    """Note how rows ended."""
    await uow.execute(
        _OUTCOMES,
        {
            "file_id": file_id,
            "nos": [one.row_no for one in ended],
            "outcomes": [one.outcome.value for one in ended],
            "applied": [one.applied for one in ended],
            "attempts": [one.attempt_id for one in ended],
        },
    )


async def insert_debits(uow: UnitOfWork, file_id: UUID, debits: Sequence[DebitEntry]) -> Sequence[Any]:
    """Store bookings of whole files; one that is known under its number is left alone."""
    params: Mapping[str, Any] = {
        "file_id": file_id,
        "entry_refs": [debit.entry_ref for debit in debits],
        "file_refs": [debit.file_reference for debit in debits],
        "amounts": [debit.amount_idr for debit in debits],
        "counts": [debit.count for debit in debits],
        "dates": [debit.value_date for debit in debits],
    }
    return (await uow.execute(_DEBITS, params)).all()
