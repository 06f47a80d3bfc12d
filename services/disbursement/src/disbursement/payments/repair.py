"""What came back: the account mended by two people, paid again under a new reference, recalled, or given up.

The right stays one all the time. A re-issue passes gate P again and leaves only when the bank has its file.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from kit.db.uow import UnitOfWork, lock
from kit.errors import Conflict, Refused
from kit.machine import Reason, Refusal

from disbursement.batches import gates, guards, money_out
from disbursement.batches.batch import Export
from disbursement.batches.gates import Asked
from disbursement.events_money import PaymentTold
from disbursement.ledger import queries as ledger
from disbursement.ledger.rules import Account, Dims
from disbursement.payee_client import Fingerprint
from disbursement.payments import attempt_store, lines, outgoing, store
from disbursement.payments.domain import (
    AgreeReissue,
    AskReissue,
    Command,
    ConfirmFix,
    Decision,
    FixPayee,
    GiveUp,
    Line,
    Recall,
    Reissue,
    State,
    decide,
)
from disbursement.payments.store import Told
from disbursement.payments.tables import LineRow, PaymentFileRow
from disbursement.rights import commands as rights
from disbursement.treasury.commands import Paper

PAYMENT = "payment"


async def fix_payee(uow: UnitOfWork, line_id: UUID, documents: tuple[UUID, ...], expected: int) -> LineRow:
    """The village office mended the account in the registry; these are the papers."""
    row = await lock(uow, LineRow, line_id, expected)
    decision = uow.settle(decide(await _line(uow, row), FixPayee(documents), uow.context))
    row.fix_documents = list(documents)
    await _save(uow, row, decision, "fix_payee")
    return row


async def confirm_fix(uow: UnitOfWork, line_id: UUID, mark: Fingerprint | None, expected: int) -> LineRow:
    """A second person agrees; `mark` is the account as the registry has it now, asked just before."""
    row = await lock(uow, LineRow, line_id, expected)
    state, match = (mark.state, mark.name_match) if mark is not None and mark.token is not None else ("", "")
    decision = uow.settle(decide(await _line(uow, row), ConfirmFix(state, match), uow.context))
    if mark is not None:
        row.payee_token, row.bank_code = mark.token, mark.bank_code
    await _save(uow, row, decision, "confirm_fix")
    return row


async def ask_reissue(uow: UnitOfWork, line_id: UUID, expected: int) -> LineRow:
    """The reconciliation officer asks for a new payment."""
    return await _step(uow, line_id, AskReissue(), "ask_reissue", expected)


async def agree_reissue(uow: UnitOfWork, line_id: UUID, expected: int) -> LineRow:
    """The head of division agrees."""
    return await _step(uow, line_id, AgreeReissue(), "agree_reissue", expected)


async def recall(uow: UnitOfWork, line_id: UUID, expected: int) -> LineRow:
    """Ask the bank by letter to fetch the money back; its return is the success."""
    row = await _step(uow, line_id, Recall(), "recall", expected)
    await attempt_store.ask_recall(uow, line_id)
    return row


async def reissue(uow: UnitOfWork, batch_id: UUID, line_ids: Sequence[UUID], asked: Asked) -> Sequence[PaymentFileRow]:
    """Write a file with a new attempt for each line; the lines leave when the bank has it (`confirm_file`).

    Raises Refused with the reasons of the first line that may not go; then nothing is written.
    """
    batch, origin = await money_out.for_reissue(uow, batch_id)
    if (other := guards.no_other_duty_in_this_file(batch, Export(approvals_hold=True), uow.context)) is not None:
        raise Refused(Refusal("guard", (other,)))
    rows = [await lock(uow, LineRow, line_id, None) for line_id in sorted(set(line_ids))]
    if {line.line_id for line in asked.lines} != {row.id for row in rows} or any(r.batch_id != batch_id for r in rows):
        raise Conflict("daftar_berubah")
    failing = gates.failing(asked, at_export=True)
    funds = await ledger.balance(uow, Account.DISTRIBUTION, Dims(origin.budget_line_id, batch_id))
    present = funds >= sum(row.amount_idr for row in rows)
    for row in rows:
        line = await _line(uow, row)
        reasons = (failing[row.id],) if row.id in failing else ()
        uow.settle(decide(replace(line, funds_present=present, gate_reasons=reasons), Reissue(), uow.context))
    written = await outgoing.write(uow, origin, rows, asked.accounts)
    await uow.log_reads("reissue", ["account", "holder_name"], [row.payee_ref for row in rows])
    await uow.append_audit("reissue", "batch", batch_id, None, after={"lines": len(rows)})
    return written


async def give_up(uow: UnitOfWork, line_id: UUID, paper: Paper, command: GiveUp, expected: int) -> LineRow:
    """The money goes back to the treasury by STS (P11, P13); the right is due again, committed as arrears."""
    row = await lock(uow, LineRow, line_id, expected)
    uow.settle(decide(await _line(uow, row), command, uow.context))
    if paper.amount_idr != row.amount_idr:
        raise Refused(Refusal("guard", (Reason.of("jumlah_sts_beda", due_idr=row.amount_idr),)))
    owner = await money_out.put_back_line(uow, row.batch_id, row.id, paper)
    items = await lines.move(uow, GiveUp, [Told(row.id, command.reason)], owner.rail)
    await lines.drop_live(uow, [row.id])
    await rights.free(uow, items)
    await money_out.commit_again(uow, owner, items, row.id)
    await uow.session.refresh(row)
    await uow.audit("give_up", PAYMENT, row, after={"state": row.state, "amount_idr": row.amount_idr})
    return row


async def _step(uow: UnitOfWork, line_id: UUID, command: Command, name: str, expected: int) -> LineRow:
    row = await lock(uow, LineRow, line_id, expected)
    await _save(uow, row, uow.settle(decide(await _line(uow, row), command, uow.context)), name)
    return row


async def _line(uow: UnitOfWork, row: LineRow) -> Line:
    return Line(
        state=State(row.state),
        repair_since=row.repair_since,
        fixed_by=row.fixed_by,
        fixed_person_id=row.fixed_person_id,
        confirmed_by=row.confirmed_by,
        confirmed_at=row.confirmed_at,
        reissue_asked_by=row.reissue_asked_by,
        reissue_agreed_by=row.reissue_agreed_by,
        recalled=row.recalled,
        has_open_attempt=await attempt_store.has_open(uow, row.id),
    )


async def _save(uow: UnitOfWork, row: LineRow, decision: Decision, name: str) -> None:
    """Write the line as decided, tell, audit."""
    line, before = decision.line, row.state
    row.state = str(line.state)
    row.fixed_by, row.fixed_person_id = line.fixed_by, line.fixed_person_id
    row.confirmed_by, row.confirmed_at = line.confirmed_by, line.confirmed_at
    row.reissue_asked_by, row.reissue_agreed_by = line.reissue_asked_by, line.reissue_agreed_by
    row.recalled = line.recalled
    await uow.save(row)
    if decision.event:
        await uow.announce(row, decision.event, await _told(uow, row))
    await uow.audit(name, PAYMENT, row, before={"state": before}, after={"state": row.state})


async def _told(uow: UnitOfWork, row: LineRow) -> PaymentTold:
    items = (await store.items_of(uow, [row.id]))[row.id]
    return lines.payload(row, items, await money_out.rail_of(uow, row.batch_id))
