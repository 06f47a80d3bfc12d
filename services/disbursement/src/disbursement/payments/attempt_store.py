"""Statements on attempts: made for a file, sent with it, moved by what the bank says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from disbursement.payments.attempts import AT_BANK, OPEN, Attempt, State

IDS = bindparam("ids", type_=ARRAY(PG_UUID))
REFERENCE_LENGTH = 26

_INSERT = text("""
WITH new AS (
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:lines AS uuid[]), CAST(:refs AS text[])) AS row(id, line_id, reference)
), counted AS (
    UPDATE line SET attempt_no = attempt_no + 1, version = version + 1, updated_at = :now FROM new
    WHERE line.id = new.line_id AND line.id = ANY(CAST(:lines AS uuid[]))
    RETURNING line.id, line.attempt_no, line.amount_idr
)
INSERT INTO attempt (id, line_id, batch_id, no, reference, rail, amount_idr, state, file_id)
SELECT new.id, new.line_id, :batch_id, counted.attempt_no, new.reference, :rail, counted.amount_idr, 'exported', :file_id
FROM new JOIN counted ON counted.id = new.line_id ORDER BY new.id
""")
_AT_BANK = text(
    "SELECT line_id FROM attempt WHERE line_id = ANY(:ids) AND state = ANY(CAST(:states AS text[]))"
).bindparams(IDS)
_OPEN = text("SELECT EXISTS (SELECT FROM attempt WHERE line_id = :line_id AND state = ANY(CAST(:states AS text[])))")
_VOID = text("""
UPDATE attempt SET state = 'voided' WHERE line_id = ANY(:ids) AND state = 'exported' RETURNING file_id, reference
""").bindparams(IDS)
_REFILE = text("UPDATE attempt SET file_id = :new WHERE file_id = :old AND state = 'exported'")
_SEND = text("""
UPDATE attempt SET state = 'sent', sent_at = :now, answer_due = :due WHERE file_id = :file_id
    AND state IN ('exported', 'unknown') RETURNING line_id
""")
_LOSE = text("UPDATE attempt SET state = 'unknown' WHERE file_id = :file_id AND state = 'exported' RETURNING id")
_REGAIN = text("UPDATE attempt SET state = 'exported' WHERE file_id = :file_id AND state = 'unknown' RETURNING id")
_OVERDUE = text("""
UPDATE attempt SET state = 'unknown' WHERE id IN (
    SELECT id FROM attempt WHERE answer_due < :today AND state IN ('sent', 'accepted', 'pending') ORDER BY id
    LIMIT 5000 FOR UPDATE SKIP LOCKED
) RETURNING id, reference, batch_id, line_id, amount_idr
""")
# References are compared as they are stored: as text no index would find them.
_FILES_OF = text("""
SELECT DISTINCT batch_id, file_id FROM attempt WHERE reference = ANY(CAST(:references AS char(26)[]))
""")
_FILES_SPOKEN_OF = text("""
SELECT DISTINCT batch_id, file_id FROM attempt WHERE reference = ANY(ARRAY(
    SELECT CAST(reference AS char(26)) FROM result_row WHERE file_id = :file_id AND length(reference) = 26
))
""")
_BY_BANK_REF = text("""
SELECT id, reference, settled_bank_ref AS bank_ref FROM attempt WHERE settled_bank_ref = ANY(CAST(:refs AS text[]))
""")
_REFERENCES_OF_FILE = text("""
SELECT attempt.reference, attempt.amount_idr FROM attempt JOIN payment_file AS file ON file.id = attempt.file_id
WHERE file.reference = :reference AND attempt.state <> 'voided' ORDER BY attempt.id
""")
_SILENT = text("""
SELECT id, reference, batch_id, line_id, amount_idr FROM attempt WHERE file_id = :file_id
    AND state IN ('sent', 'unknown') ORDER BY id
""")
_LOCK = text("""
SELECT attempt.id, attempt.line_id, attempt.batch_id, attempt.file_id, attempt.reference, attempt.state,
    attempt.amount_idr, attempt.no = line.attempt_no AND line.state <> 'redeposited' AS newest, attempt.settled_on,
    attempt.settled_bank_ref, attempt.rejected_on, attempt.returned_on, attempt.recall_asked
FROM attempt JOIN line ON line.id = attempt.line_id
WHERE attempt.reference = ANY(CAST(:references AS char(26)[])) AND line.id = ANY(ARRAY(
    SELECT line_id FROM attempt WHERE reference = ANY(CAST(:references AS char(26)[]))
)) ORDER BY attempt.id FOR UPDATE OF attempt
""")
_WRITE = text("""
UPDATE attempt SET state = new.state, settled_on = new.settled_on, settled_bank_ref = new.settled_bank_ref,
    rejected_on = new.rejected_on, returned_on = new.returned_on,
    reason_code = coalesce(new.reason_code, attempt.reason_code), bank_reason = coalesce(new.bank_reason, attempt.bank_reason)
FROM unnest(CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:settled AS date[]), CAST(:refs AS text[]),
    CAST(:rejected AS date[]), CAST(:returned AS date[]), CAST(:reasons AS text[]), CAST(:bank_reasons AS text[]))
    AS new(id, state, settled_on, settled_bank_ref, rejected_on, returned_on, reason_code, bank_reason)
WHERE attempt.id = new.id AND attempt.id = ANY(CAST(:ids AS uuid[]))
""")
_RECALL = text("""
UPDATE attempt SET recall_asked = true WHERE line_id = :line_id AND no = (SELECT max(no) FROM attempt WHERE line_id = :line_id)
""")


@dataclass(frozen=True, slots=True)
class Stored:
    """An attempt with what its reports may touch."""

    id: UUID
    line_id: UUID
    batch_id: UUID
    file_id: UUID
    reference: str
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Changed:
    """An attempt after the reports of one file."""

    id: UUID
    attempt: Attempt
    reason_code: str | None
    bank_reason: str | None


async def insert(
    uow: UnitOfWork, file_id: UUID, batch_id: UUID, rail: str, made: Sequence[tuple[UUID, UUID, str]]
) -> None:
    """Insert exported attempts: (id, line, reference). A second open attempt of a line is an IntegrityError."""
    params = {
        "ids": [id for id, _, _ in made],
        "lines": [line for _, line, _ in made],
        "refs": [reference for _, _, reference in made],
        "file_id": file_id,
        "batch_id": batch_id,
        "rail": rail,
        "now": uow.now,
    }
    await uow.execute(_INSERT, params)


async def at_bank(uow: UnitOfWork, line_ids: Sequence[UUID]) -> set[UUID]:
    """Lines with an attempt that the bank has, or may have."""
    params = {"ids": list(line_ids), "states": [state.value for state in AT_BANK]}
    return set((await uow.execute(_AT_BANK, params)).scalars())


async def has_open(uow: UnitOfWork, line_id: UUID) -> bool:
    """Whether the fate of some attempt of the line is not known."""
    params = {"line_id": line_id, "states": [state.value for state in OPEN]}
    return bool((await uow.execute(_OPEN, params)).scalar_one())


async def void(uow: UnitOfWork, line_ids: Sequence[UUID]) -> dict[UUID, set[str]]:
    """Void the unsent attempts of lines; references by file."""
    found: dict[UUID, set[str]] = {}
    for row in await uow.execute(_VOID, {"ids": list(line_ids)}):
        found.setdefault(row.file_id, set()).add(row.reference)
    return found


async def refile(uow: UnitOfWork, old: UUID, new: UUID) -> None:
    """The unsent attempts of a file stand in another file now, under the same references."""
    await uow.execute(_REFILE, {"old": old, "new": new})


async def send(uow: UnitOfWork, file_id: UUID, due: date) -> list[UUID]:
    """The bank has the file; the lines of its attempts."""
    return list((await uow.execute(_SEND, {"file_id": file_id, "now": uow.now, "due": due})).scalars())


async def lose(uow: UnitOfWork, file_id: UUID) -> int:
    """Nobody knows whether the bank has the file; how many attempts that concerns."""
    return len((await uow.execute(_LOSE, {"file_id": file_id})).all())


async def regain(uow: UnitOfWork, file_id: UUID) -> int:
    """The bank never had the file: its attempts wait for it again; how many."""
    return len((await uow.execute(_REGAIN, {"file_id": file_id})).all())


async def overdue(uow: UnitOfWork) -> Sequence[Any]:
    """Attempts without an answer in time become unknown, at most a chunk."""
    return (await uow.execute(_OVERDUE, {"today": uow.today})).all()


async def files_spoken_of(uow: UnitOfWork, result_file_id: UUID, lost: Sequence[str]) -> dict[UUID, set[UUID]]:
    """Our files behind the rows of a result file, by batch; `lost` are references that only the bank's number told."""
    found: dict[UUID, set[UUID]] = {}
    rows = list(await uow.execute(_FILES_SPOKEN_OF, {"file_id": result_file_id}))
    rows += await uow.execute(_FILES_OF, {"references": _whole(lost)}) if lost else ()
    for row in rows:
        found.setdefault(row.batch_id, set()).add(row.file_id)
    return found


async def by_bank_ref(uow: UnitOfWork, refs: Sequence[str]) -> dict[str, str]:
    """Our reference by the bank's booking number, for rows that lost ours."""
    if not refs:
        return {}
    return {row.bank_ref: row.reference for row in await uow.execute(_BY_BANK_REF, {"refs": list(refs)})}


async def references_of_file(uow: UnitOfWork, reference: str) -> Sequence[Any]:
    """References and amounts of a file that the bank speaks of as a whole."""
    return (await uow.execute(_REFERENCES_OF_FILE, {"reference": reference})).all()


async def silent(uow: UnitOfWork, file_id: UUID) -> Sequence[Any]:
    """Attempts of a file about which the bank has said nothing."""
    return (await uow.execute(_SILENT, {"file_id": file_id})).all()


async def lock(uow: UnitOfWork, references: Sequence[str]) -> dict[str, Stored]:
    """Attempts by reference, held in the order of their ids."""
    rows: Sequence[Any] = (await uow.execute(_LOCK, {"references": _whole(references)})).all()
    return {
        reference: Stored(id, line_id, batch_id, file_id, reference, Attempt(State(state), *rest))
        for id, line_id, batch_id, file_id, reference, state, *rest in rows
    }


def _whole(references: Sequence[str]) -> list[str]:
    """Without what is no reference of ours: the cast to the stored type would cut a longer one to the length of ours."""
    return [one for one in references if len(one) == REFERENCE_LENGTH]


async def write(uow: UnitOfWork, changed: Sequence[Changed]) -> None:
    """Write attempts as their reports left them."""
    ordered = sorted(changed, key=lambda one: one.id)
    await uow.execute(
        _WRITE,
        {
            "ids": [one.id for one in ordered],
            "states": [one.attempt.state.value for one in ordered],
            "settled": [one.attempt.settled_on for one in ordered],
            "refs": [one.attempt.settled_bank_ref for one in ordered],
            "rejected": [one.attempt.rejected_on for one in ordered],
            "returned": [one.attempt.returned_on for one in ordered],
            "reasons": [one.reason_code for one in ordered],
            "bank_reasons": [one.bank_reason for one in ordered],
        },
    )


async def ask_recall(uow: UnitOfWork, line_id: UUID) -> None:
    """The newest attempt is asked back from the bank."""
    await uow.execute(_RECALL, {"line_id": line_id})
