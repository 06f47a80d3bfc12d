"""The life of a batch up to its approval: draft, freeze, check, submit, verify, approve, and every way back.

The way to the bank and home stands in `money_out`. Lines change in chunks of 5,000, all inside one transaction: a
freeze is whole or has not happened.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from kit.db.bulk import chunks, plan_guard
from kit.db.uow import UnitOfWork
from kit.errors import Conflict
from kit.failpoints import failpoint
from kit.machine import Refusal
from sqlalchemy.exc import IntegrityError

from disbursement.batches import gates, store
from disbursement.batches.batch import (
    MAX_LINES,
    AddLines,
    Approve,
    Batch,
    Cancel,
    Check,
    Draft,
    Freeze,
    PullLine,
    Return,
    State,
    Submit,
    Verify,
)
from disbursement.batches.content import sample
from disbursement.batches.domain import decide
from disbursement.batches.gates import Asked
from disbursement.batches.steps import FUNDED, ON_THE_LIST, as_system, content, finish, shrink, step
from disbursement.batches.tables import BatchRow
from disbursement.budget import queries as budget
from disbursement.ledger import queries as ledger
from disbursement.ledger.rules import Account, Dims
from disbursement.payments import lines, outgoing
from disbursement.payments import queries as payments
from disbursement.payments.domain import State as LineState
from disbursement.rights import queries as rights_queries

RETURNED = "dikembalikan"


@dataclass(frozen=True, slots=True)
class NewBatch:
    """What a list is to hold: the due rights of one programme, of one budget line, in one region."""

    programme_id: UUID
    region_code: str
    budget_line_id: UUID
    due_on: date
    rail: str = "bank"
    mechanism: str = "ls"
    description: str = ""
    id: UUID | None = None
    client_ref: str | None = None


async def draft(uow: UnitOfWork, new: NewBatch) -> BatchRow:
    """Put a list together. Raises Refused when nothing is due; Missing for an unknown budget line."""
    uow.within(new.region_code)
    line = await budget.get(uow, new.budget_line_id)
    row = BatchRow(
        programme_id=new.programme_id,
        region_code=new.region_code,
        budget_line_id=new.budget_line_id,
        due_on=new.due_on,
        rail=new.rail,
        mechanism=new.mechanism,
        description=new.description,
        client_ref=new.client_ref,
        fiscal_year=line.fiscal_year,
        state=State.DRAFT.value,
    )
    if new.id is not None:
        row.id = new.id
    payables = await _payables(uow, row)
    before, command = Batch(None), Draft(len(payables))
    decision = uow.settle(decide(before, command, uow.context))
    row.count, row.total_idr = len(payables), sum(one.amount_idr for one in payables)
    await finish(uow, row, before, decision, command)
    return row


async def freeze(uow: UnitOfWork, batch_id: UUID, expected: int) -> BatchRow:
    """Take the due rights into lines and fix the list. Raises Conflict when another list took one at this moment."""
    row, batch = await store.load(uow, batch_id, expected)
    payables = await _payables(uow, row)
    new = lines.assemble(payables)
    command = Freeze()
    decision = uow.settle(decide(replace(batch, count=len(new)), command, uow.context))
    await plan_guard(uow)
    try:
        for no, part in enumerate(chunks(new), start=1):
            await lines.create(uow, row.id, row.round, row.mode, part)
            await store.add_chunk(uow, row, no, len(part), sum(line.amount_idr for line in part))
            failpoint("run.mid_create")
    except IntegrityError as taken:
        if "one_live_line_a_right" in str(taken.orig):
            raise Conflict("hak_sedang_dibayar") from taken
        raise
    row.count, row.total_idr = len(new), sum(line.amount_idr for line in new)
    row.list_no += 1
    row.list_sha256 = await content(uow, row)
    sealed = replace(decision.batch, count=row.count, total_idr=row.total_idr, list_sha256=row.list_sha256)
    await finish(uow, row, batch, replace(decision, batch=sealed), command)
    return row


async def check(uow: UnitOfWork, batch_id: UUID, asked: Asked, expected: int) -> BatchRow:
    """Gate F: what fails is taken out with its reason, what passes carries the token of its account."""
    row, batch = await store.load(uow, batch_id, expected)
    frozen = await payments.of_batch(uow, row.id, row.round, [LineState.FROZEN])
    stopped = await _stops(uow, row, sum(line.amount_idr for line in frozen))
    if {line.line_id for line in asked.lines} != {line.id for line in frozen}:
        raise Conflict("daftar_berubah")
    found = gates.failing(asked, at_export=False)
    command = Check(tuple(stopped))
    decision = uow.settle(decide(batch, command, uow.context))
    await plan_guard(uow)
    row.list_no += 1
    await take_out(uow, row, found, funded=False)
    marks = [
        (line.line_id, asked.marks[line.payee].token, asked.marks[line.payee].bank_code)
        for line in asked.lines
        if line.line_id not in found
    ]
    await lines.pass_gate(uow, sorted(marks, key=lambda mark: mark[0]))
    row.list_sha256 = await content(uow, row)
    results = {"reasons": gates.counted(found), "stale": len(asked.stale), "conflicts": len(asked.conflicts)}
    await store.add_run(uow, row, "f", checked=len(frozen), removed=len(found), results=results, stopped=stopped)
    await finish(uow, row, batch, decision, command)
    return row


async def submit(uow: UnitOfWork, batch_id: UUID, *, report_read: bool, expected: int) -> BatchRow:
    """Hand the checked list over."""
    return await step(uow, batch_id, Submit(report_read), expected)


async def verify(uow: UnitOfWork, batch_id: UUID, viewed: frozenset[UUID], expected: int) -> BatchRow:
    """Confirm the list; `viewed` are the lines of the sample that were opened."""
    row, batch = await store.load(uow, batch_id, expected)
    command = Verify(await sample_of(uow, row), viewed)
    await finish(uow, row, batch, uow.settle(decide(batch, command, uow.context)), command)
    return row


async def approve(uow: UnitOfWork, batch_id: UUID, list_sha256: str, total_idr: int, expected: int) -> BatchRow:
    """Agree to exactly this list and this total."""
    return await step(uow, batch_id, Approve(list_sha256, total_idr), expected)


async def return_(uow: UnitOfWork, batch_id: UUID, reason: str, expected: int) -> BatchRow:
    """Give the list back: it is a draft again, its rights are due, approvals are void."""
    return await _unfreeze(uow, batch_id, Return(reason), expected)


async def add_lines(uow: UnitOfWork, batch_id: UUID, count: int, expected: int) -> BatchRow:
    """Take more rights in: the list is a draft again and every approval is void."""
    return await _unfreeze(uow, batch_id, AddLines(count), expected)


async def cancel(uow: UnitOfWork, batch_id: UUID, reason: str, expected: int) -> BatchRow:
    """Drop the list; its rights are due again."""
    return await _unfreeze(uow, batch_id, Cancel(reason), expected)


async def pull_line(uow: UnitOfWork, batch_id: UUID, line_ids: Sequence[UUID], reason: str, expected: int) -> BatchRow:
    """Take lines out of an unsent list by hand; approvals stay."""
    row, batch = await store.load(uow, batch_id, expected)
    command = PullLine(reason)
    decision = uow.settle(decide(batch, command, uow.context))
    await _pull(uow, row, dict.fromkeys(line_ids, reason))
    await finish(uow, row, batch, decision, command)
    return row


async def pull_lines(uow: UnitOfWork, entitlement_ids: Sequence[UUID], reason: str) -> list[UUID]:
    """Take these rights out of whatever unsent list they stand in, as a rule of the system; the rights pulled.

    Approvals stay. A file that was written and not sent is void and written anew. What was sent stays: only a recall
    can bring it back. Batches are held in the order of their ids.
    """
    found = await payments.lines_of_items(uow, entitlement_ids)
    by_batch: dict[UUID, set[UUID]] = {}
    for line in found:
        if line.state in ON_THE_LIST:
            by_batch.setdefault(line.batch_id, set()).add(line.id)
    freed: list[UUID] = []
    for batch_id in sorted(by_batch):
        row, batch = await store.load(uow, batch_id, None)
        command = PullLine(reason)
        decision = decide(batch, command, as_system(uow))
        if isinstance(decision, Refusal):
            continue
        gone = await _pull(uow, row, dict.fromkeys(sorted(by_batch[batch_id]), reason))
        if gone:
            freed += gone
            await finish(uow, row, batch, decision, command)
    return freed


async def take_out(uow: UnitOfWork, row: BatchRow, reasons: dict[UUID, str], *, funded: bool) -> list[UUID]:
    """Remove lines, count them out; the rights that are free (due) again.

    The caller has raised `list_no` and writes the new hash.
    """
    if not reasons:
        return []
    moved, freed = await lines.remove(uow, reasons, row.rail, list_no=row.list_no, funded=funded)
    shrink(row, Counter(line.reason for line in moved), sum(line.amount_idr for line in moved))
    return freed


async def sample_of(uow: UnitOfWork, row: BatchRow) -> frozenset[UUID]:
    """The lines that the verifier must open."""
    listed = await payments.of_batch(uow, row.id, row.round, [LineState.READY])
    return sample(row.list_sha256, [line.id for line in listed])


async def _pull(uow: UnitOfWork, row: BatchRow, reasons: dict[UUID, str]) -> list[UUID]:
    """Take lines out at any unsent state; a written file is written anew without them."""
    reasons = await outgoing.not_on_their_way(uow, reasons)
    row.list_no += 1
    freed = await take_out(uow, row, reasons, funded=row.state in FUNDED)
    if row.state == State.EXPORTED:
        await outgoing.rewrite(uow, row.id, frozenset(reasons))
    row.list_sha256 = await content(uow, row)
    return freed


async def _unfreeze(uow: UnitOfWork, batch_id: UUID, command: Return | AddLines | Cancel, expected: int) -> BatchRow:
    """Back to a draft, or dropped: the lines of this round are removed, the next freeze begins another round."""
    row, batch = await store.load(uow, batch_id, expected)
    decision = uow.settle(decide(batch, command, uow.context))
    standing = await payments.of_batch(uow, row.id, row.round, ON_THE_LIST)
    await plan_guard(uow)
    row.list_no += 1
    await lines.remove(
        uow, dict.fromkeys((line.id for line in standing), RETURNED), row.rail, list_no=row.list_no, funded=False
    )
    payables = await _payables(uow, row) if decision.batch.state is State.DRAFT else []
    row.count, row.total_idr = len(payables), sum(one.amount_idr for one in payables)
    row.removed_count, row.removed_total_idr, row.removed_reasons = 0, 0, {}
    row.list_sha256 = ""
    row.round += 1
    await finish(uow, row, batch, decision, command)
    return row


async def _payables(uow: UnitOfWork, row: BatchRow) -> list[rights_queries.Payable]:
    """What this list could pay now, at most the limit of a batch."""
    assert row.programme_id is not None  # noqa: S101 - lists of rights have a programme
    found = await rights_queries.payable(
        uow,
        programme_id=row.programme_id,
        region_prefix=row.region_code,
        budget_line_id=row.budget_line_id,
        limit=MAX_LINES,
    )
    return await lines.without_taken(uow, found)


async def _stops(uow: UnitOfWork, row: BatchRow, sum_idr: int) -> list[str]:
    """Findings about the whole list: its sum, and whether so much is committed on its budget line."""
    stopped = []
    if sum_idr != row.total_idr:
        stopped.append("jumlah_kendali_beda")
    committed = -(await ledger.balance(uow, Account.COMMITTED, Dims(row.budget_line_id)))
    if committed < sum_idr:
        stopped.append("pagu_tidak_cukup")
    return stopped
