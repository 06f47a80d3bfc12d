"""Files from the bank: uploaded by one person, applied by another.

Each row ends in one of five outcomes; only what matches is applied, the rest becomes differences with an owner, and no
row stops the file.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from uuid import UUID

from kit.db.bulk import CHUNK, chunks, plan_guard
from kit.db.uow import UnitOfWork, lock
from kit.errors import Conflict, Refused
from kit.failpoints import failpoint
from kit.ids import new_id
from kit.machine import Reason, Refusal

from disbursement.batches import money_out as batches
from disbursement.batches.money_out import Held
from disbursement.ledger import commands as ledger
from disbursement.ledger.rules import Dims, Entry, Rule
from disbursement.payments import attempt_store, domain, lines, reference, result_store
from disbursement.payments.attempt_store import Changed, Stored
from disbursement.payments.attempts import MEANING, RANK, Outcome, Report, Status, apply_report
from disbursement.payments.files import camt, pain002, result_csv
from disbursement.payments.files.rows import FileRefused, ResultRow, Results
from disbursement.payments.result_store import Ended
from disbursement.payments.store import Told
from disbursement.payments.tables import ResultFileRow
from disbursement.recon import commands as recon
from disbursement.recon.domain import Found
from disbursement.rights import commands as rights


class Format(StrEnum):
    """What a file is said to be."""

    CAMT054 = "camt054"
    CAMT053 = "camt053"
    PAIN002 = "pain002"
    CSV = "csv"


READERS: dict[Format, Callable[[bytes], Results]] = {
    Format.CAMT054: camt.parse,
    Format.CAMT053: camt.parse,
    Format.PAIN002: pain002.parse,
    Format.CSV: result_csv.parse,
}
"""Note that a CSV says `settled` and `returned` in words; banks of that profile sign it as booking evidence."""

MOVES = {
    Status.SETTLED: domain.Settle,
    Status.REJECTED: domain.Reject,
    Status.RETURNED: domain.ReturnMoney,
    Status.BLOCKED: domain.Block,
}
OFFICER = "recon_officer"


@dataclass(slots=True)
class Work:
    """What one chunk of rows leads to. `reason` turns a bank's reason into ours; `today` dates rows without a date."""

    file: ResultFileRow
    reason: Callable[[str | None], str]
    today: date
    ended: list[Ended] = field(default_factory=list)
    changed: dict[UUID, Changed] = field(default_factory=dict)
    entries: dict[tuple[UUID, Rule], list[Entry]] = field(default_factory=lambda: defaultdict(list))
    moves: dict[tuple[UUID, Status], dict[UUID, Told]] = field(default_factory=lambda: defaultdict(dict))
    found: list[Found] = field(default_factory=list)


async def upload(
    uow: UnitOfWork, content: bytes, form: Format, *, covers_file_id: UUID | None = None
) -> tuple[ResultFileRow, bool]:
    """Keep a file and read it; True when it is new. The same bytes again answer with the first upload.

    A file that cannot be trusted is kept as `rejected` with its reason: nothing of it can be applied.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    if (known := await result_store.by_hash(uow, sha256)) is not None:
        return await lock(uow, ResultFileRow, known, None), False
    file_id = new_id()
    row = ResultFileRow(
        id=file_id,
        sha256=sha256,
        format=form.value,
        size_bytes=len(content),
        content=uow.runtime.fields.seal_bytes(content, at=f"result_file:content:{file_id}"),
        uploaded_by=uow.actor.sub,
        uploader_person_id=uow.actor.person_id,
        covers_file_id=covers_file_id,
        state="parsed",
    )
    try:
        results = READERS[form](content)
    except FileRefused as refused:
        row.state, row.refusal, row.refusal_params = "rejected", refused.code, dict(refused.params)
        results = Results("", None, ())
    everything = [*results.rows, *await _spread(uow, results)]
    numbered = [_numbered(row_, no, results.created_on) for no, row_ in enumerate(everything, start=1)]
    row.message_id, row.rows = results.message_id[:80] or None, len(numbered)
    await uow.save(row)
    for part in chunks(numbered):
        await result_store.insert_rows(uow, row.id, part)
        failpoint("run.result_staged")
    if results.debits:
        await result_store.insert_debits(uow, row.id, results.debits)
    await uow.audit("upload", "result_file", row, after={"state": row.state, "rows": row.rows, "sha256": sha256})
    return row, True


async def apply(uow: UnitOfWork, file_id: UUID, expected: int) -> ResultFileRow:
    """Apply a parsed file. Raises Refused for the uploader (by account or person), Conflict when it was applied."""
    uow.origin = "run"  # its commit is a crash point of its own
    row = await lock(uow, ResultFileRow, file_id, expected)
    _may_apply(uow, row)
    await plan_guard(uow)
    held = await _hold_batches(uow, row)
    outcomes: Counter[str] = Counter()
    after = 0
    while part := await result_store.rows(uow, row.id, after=after, take=CHUNK):
        outcomes += Counter(one.outcome.value for one in await _apply_chunk(uow, row, part, held))
        failpoint("run.mid_reconcile")
        after = part[-1].row_no
    outcomes += Counter({Outcome.MISSING.value: n} if (n := await _missing(uow, row)) else {})
    row.outcomes = dict(outcomes)
    row.applied_by, row.applied_at = uow.actor.sub, uow.now
    clean = set(outcomes) <= {Outcome.MATCHED.value, Outcome.DUPLICATE.value}
    row.state = "applied" if clean else "partly_applied"
    await uow.save(row)
    await uow.audit("apply", "result_file", row, before={"state": "parsed"}, after={"state": row.state, **outcomes})
    return row


def evaluate(row: ResultRow, stored: Stored | None, work: Work) -> Ended:
    """Decide one row: its outcome, and what follows for the attempt, the ledger, the line, the differences. Pure."""
    status = _status(row)
    if stored is None or status is None:
        work.found.append(_difference("unknown", row, work.file, stored, row.amount_idr or 0))
        return Ended(row.row_no, Outcome.UNKNOWN, stored.id if stored else None, applied=False)
    known = work.changed.get(stored.id)
    attempt = known.attempt if known else stored.attempt
    amount = -1 if row.unreadable else attempt.amount_idr if row.amount_idr is None else row.amount_idr
    if row.amount_idr is None and status in (Status.SETTLED, Status.RETURNED):
        amount = -1
    report = Report(status, amount, row.value_date or work.today, row.bank_ref, row.reason)
    applied = apply_report(attempt, report)
    for alarm in applied.alarms:
        gap = attempt.amount_idr - (row.amount_idr or 0) if alarm == "amount_differs" else attempt.amount_idr
        work.found.append(_difference(alarm, row, work.file, stored, gap))
    ours = work.reason(row.reason) if status in (Status.REJECTED, Status.RETURNED, Status.BLOCKED) else None
    if applied.attempt != attempt:
        work.changed[stored.id] = Changed(stored.id, applied.attempt, ours, row.reason)
    for rule in applied.postings:
        work.entries[stored.batch_id, rule].append(Entry(stored.id, attempt.amount_idr))
    if applied.line_moves is not None:
        work.moves[stored.batch_id, applied.line_moves][stored.line_id] = Told(stored.line_id, ours, report.on)
    return Ended(row.row_no, applied.outcome, stored.id, applied=applied.outcome is Outcome.MATCHED)


async def mark_overdue(uow: UnitOfWork) -> int:
    """Attempts without an answer in three working days become unknown, each with a difference; how many."""
    late = await attempt_store.overdue(uow)
    await recon.open_items(
        uow,
        [Found("missing", one.reference, 2, one.amount_idr, one.batch_id, one.line_id, one.id) for one in late],
    )
    return len(late)


async def _apply_chunk(
    uow: UnitOfWork, file: ResultFileRow, part: Sequence[ResultRow], held: dict[UUID, Held]
) -> list[Ended]:
    """Hold the attempts, decide every row, write everything set-based.

    Of several rows about one attempt the strongest is applied first, so that a file which books and returns tells the
    citizen once.
    """
    lost = await attempt_store.by_bank_ref(uow, [r.bank_ref for r in part if r.bank_ref and not r.reference])
    stored = await attempt_store.lock(uow, sorted({_reference(row, lost) for row in part}))
    reasons = reference.load(uow.runtime.contracts.folder)
    work = Work(file, reasons.reason, uow.today)
    for row in sorted(part, key=_strongest_first):
        work.ended.append(evaluate(row, stored.get(_reference(row, lost)), work))
    if work.changed:
        await attempt_store.write(uow, list(work.changed.values()))
    await _post(uow, work, held)
    await _move(uow, work, held, reasons.holidays)
    await recon.open_items(uow, work.found)
    await result_store.write_outcomes(uow, file.id, work.ended)
    return work.ended


_ORDER = (Rule.P09_BACK, Rule.P08, Rule.P09, Rule.P10)


async def _post(uow: UnitOfWork, work: Work, held: dict[UUID, Held]) -> None:
    """Journals by batch and rule; the order keeps every balance on its side."""
    for batch_id, rule in sorted(work.entries, key=lambda key: (key[0], _ORDER.index(key[1]))):
        await ledger.post_many(
            uow,
            rule,
            work.entries[batch_id, rule],
            source_type="attempt",
            step=rule.value,
            dims=Dims(held[batch_id].budget_line_id, batch_id),
            booked_on=uow.today,
        )


async def _move(uow: UnitOfWork, work: Work, held: dict[UUID, Held], holidays: frozenset[date]) -> None:
    """Lines follow their newest attempt, rights follow their lines: settled is paid, returned waits in repair."""
    due = domain.working_days_after(uow.today, domain.REPAIR_WORKING_DAYS, holidays)
    for (batch_id, status), told in sorted(work.moves.items(), key=lambda item: (item[0][0], RANK[item[0][1]])):
        due_told = [Told(t.line_id, t.reason, t.value_date, due) for t in told.values()]
        items = await lines.move(uow, MOVES[status], due_told, held[batch_id].rail)
        if status is Status.SETTLED:
            await rights.settle(uow, items)
        elif status is Status.RETURNED:
            await rights.reserve(uow, await rights.reopen(uow, items))


async def _hold_batches(uow: UnitOfWork, row: ResultFileRow) -> dict[UUID, Held]:
    """Hold every batch that the file speaks of, before its attempts; the bank's word proves that it has the files."""
    lost = await attempt_store.by_bank_ref(uow, await result_store.lost(uow, row.id))
    files = await attempt_store.files_spoken_of(uow, row.id, sorted(lost.values()))
    return await batches.answered(uow, files, f"result:{row.sha256[:16]}")


async def _missing(uow: UnitOfWork, row: ResultFileRow) -> int:
    """What a file that claims to cover one of ours says nothing about."""
    if row.covers_file_id is None:
        return 0
    silent = await attempt_store.silent(uow, row.covers_file_id)
    found = [
        Found("missing", one.reference, 2, one.amount_idr, one.batch_id, one.line_id, one.id, row.id) for one in silent
    ]
    await recon.open_items(uow, found)
    return len(found)


async def _spread(uow: UnitOfWork, results: Results) -> list[ResultRow]:
    """A refusal of a whole file, as a row for each of its transfers that has none of its own."""
    own = {row.reference for row in results.rows}
    return [
        ResultRow(0, one.reference, group.status, one.amount_idr, reason=group.reason)
        for group in results.groups
        if MEANING.get(group.status) is Status.REJECTED
        for one in await attempt_store.references_of_file(uow, group.file_reference)
        if one.reference not in own
    ]


def _may_apply(uow: UnitOfWork, row: ResultFileRow) -> None:
    """Another person than the uploader, with the office for it, and once."""
    reasons = []
    if OFFICER not in uow.context.roles:
        raise Refused(Refusal("role", (Reason("peran_tidak_berwenang"),)))
    same = uow.actor.person_id is not None and uow.actor.person_id == row.uploader_person_id
    if same or uow.actor.sub == row.uploaded_by:
        reasons.append(Reason("pengunggah_menyetujui"))
    if row.state == "rejected":
        reasons.append(Reason(row.refusal or "berkas_rusak"))
    if reasons:
        raise Refused(Refusal("guard", tuple(reasons)))
    if row.state != "parsed":
        raise Conflict("sudah_diterapkan")


def _status(row: ResultRow) -> Status | None:
    if row.status in (Status.SETTLED, Status.RETURNED):
        return Status(row.status)
    return MEANING.get(row.status)


def _reference(row: ResultRow, lost: dict[str, str]) -> str:
    return row.reference or lost.get(row.bank_ref or "", "")


def _strongest_first(row: ResultRow) -> tuple[str, int, int]:
    status = _status(row)
    return row.reference, -(RANK[status] if status else 0), row.row_no


def _numbered(row: ResultRow, no: int, created_on: date | None) -> ResultRow:
    return ResultRow(
        no,
        row.reference,
        row.status,
        row.amount_idr,
        row.unreadable,
        row.bank_ref,
        row.reason,
        row.value_date or created_on,
    )


def _difference(kind: str, row: ResultRow, file: ResultFileRow, stored: Stored | None, gap: int) -> Found:
    ref = row.reference or row.bank_ref or f"{file.sha256[:16]}:{row.row_no}"
    return Found(
        kind,
        ref[:80],
        2,
        gap,
        stored.batch_id if stored else None,
        stored.line_id if stored else None,
        stored.id if stored else None,
        file.id,
        row.row_no,
    )
