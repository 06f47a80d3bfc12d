"""A batch from its approval to its end: SPP, SPM, SP2D, export through gate P, sent, settling, reconciled, closed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from kit.db.bulk import plan_guard
from kit.db.uow import UnitOfWork
from kit.errors import Conflict, Refused, Stale
from kit.machine import Reason, Refusal

from disbursement.batches import gates, store
from disbursement.batches.batch import (
    BENDAHARA,
    EXPORTER,
    RECON_OFFICER,
    Batch,
    Close,
    Command,
    ConfirmSent,
    Export,
    Fund,
    Order,
    Reconcile,
    RefuseOrder,
    RequestPayment,
    StartSettling,
    State,
)
from disbursement.batches.commands import take_out
from disbursement.batches.domain import decide
from disbursement.batches.gates import Asked
from disbursement.batches.steps import as_system, content, content_at, finish
from disbursement.batches.tables import BatchRow
from disbursement.budget import commands as budget
from disbursement.ledger import commands as ledger
from disbursement.ledger.rules import Dims, Rule
from disbursement.payments import lines, outgoing
from disbursement.payments import queries as payments
from disbursement.payments.domain import State as LineState
from disbursement.payments.outgoing import Origin
from disbursement.programmes import queries as programmes
from disbursement.recon import queries as recon
from disbursement.rights import queries as rights
from disbursement.treasury import commands as treasury
from disbursement.treasury.commands import Kind, Paper

LIVING = ("planned", "due", "held", "reserved")


async def request_payment(uow: UnitOfWork, batch_id: UUID, paper: Paper, expected: int) -> BatchRow:
    """Record the SPP: it asks for the current total."""
    row, batch = await store.load(uow, batch_id, expected)
    command = RequestPayment(paper.amount_idr)
    decision = uow.settle(decide(batch, command, uow.context))
    await _record(uow, row, Kind.SPP, paper)
    await finish(uow, row, batch, decision, command)
    return row


async def order(uow: UnitOfWork, batch_id: UUID, paper: Paper, expected: int) -> BatchRow:
    """Record the SPM (P05): what is committed is ordered."""
    row, batch = await store.load(uow, batch_id, expected)
    command = Order(paper.amount_idr)
    decision = uow.settle(decide(batch, command, uow.context))
    spm = await _record(uow, row, Kind.SPM, paper)
    await _post(uow, row, Rule.P05, ("treasury_doc", spm), paper.amount_idr)
    await finish(uow, row, batch, decision, command)
    return row


async def refuse_order(uow: UnitOfWork, batch_id: UUID, reason: str, expected: int) -> BatchRow:
    """The treasury gives the SPM back: P05 is reversed, the batch is approved again."""
    row, batch = await store.load(uow, batch_id, expected)
    command = RefuseOrder(reason)
    decision = uow.settle(decide(batch, command, uow.context))
    spm = await treasury.refuse_open(uow, row.id, reason)
    if spm is not None and batch.spm_idr:
        await _post(uow, row, Rule.P05_BACK, ("treasury_doc", spm), batch.spm_idr)
    await lines.leave_limbo(uow, row.id)  # their money is on paper no longer: committed as before
    await finish(uow, row, batch, decision, command)
    return row


async def fund(uow: UnitOfWork, batch_id: UUID, paper: Paper, expected: int) -> BatchRow:
    """Record the SP2D (P06): the money is on the distribution account and owed to the people."""
    row, batch = await store.load(uow, batch_id, expected)
    command = Fund(paper.amount_idr)
    decision = uow.settle(decide(batch, command, uow.context))
    sp2d = await _record(uow, row, Kind.SP2D, paper)
    await _post(uow, row, Rule.P06, ("treasury_doc", sp2d), paper.amount_idr)
    row.sp2d_idr, row.sp2d_no = paper.amount_idr, paper.number
    await finish(uow, row, batch, decision, command)
    return row


async def export(uow: UnitOfWork, batch_id: UUID, asked: Asked, expected: int) -> BatchRow:
    """Gate P, then the files. What fails is taken out (approvals stay); what is left must be what was approved.

    `asked` was asked just before, outside this transaction; when the list moved meanwhile: Conflict, ask again.
    """
    row, batch = await store.load(uow, batch_id, expected)
    await plan_guard(uow)
    ready = await payments.of_batch(uow, row.id, row.round, [LineState.READY])
    if {line.line_id for line in asked.lines} != {line.id for line in ready}:
        raise Conflict("daftar_berubah")
    found = gates.failing(asked, at_export=True)
    passed = [line for line in ready if line.id not in found]
    stopped = [] if sum(line.amount_idr for line in ready) == row.total_idr else ["jumlah_kendali_beda"]
    command = Export(await approvals_hold(uow, row, batch), tuple(stopped))
    after = replace(batch, count=len(passed))
    decision = uow.settle(decide(after, command, uow.context))
    if found:
        row.list_no += 1
        await take_out(uow, row, found, funded=True)
        row.list_sha256 = await content(uow, row)
    results = {"reasons": gates.counted(found), "stale": len(asked.stale), "conflicts": len(asked.conflicts)}
    await store.add_run(uow, row, "p", checked=len(ready), removed=len(found), results=results, stopped=stopped)
    await outgoing.write(uow, await origin_of(uow, row), passed, asked.accounts)
    await uow.log_reads("export", ["account", "holder_name"], [line.payee_ref for line in passed])
    await finish(uow, row, batch, decision, command)
    return row


async def approvals_hold(uow: UnitOfWork, row: BatchRow, batch: Batch) -> bool:
    """Every approval was given to this very list, or to this list with lines that were taken out since.

    Made again from the lines: the hash of the list as it stood at each approval must be the hash that was signed.
    """
    if not batch.approvals or batch.due_roles:
        return False
    numbers = {row.list_no, *(approval.list_no for approval in batch.approvals)}
    hashes = {no: await content_at(uow, row, no) for no in sorted(numbers)}
    signed = all(hashes[approval.list_no] == approval.list_sha256 for approval in batch.approvals)
    return signed and hashes[row.list_no] == row.list_sha256


async def confirm_sent(uow: UnitOfWork, batch_id: UUID, receipt: str, expected: int) -> BatchRow:
    """The bank has the files: P07, lines in flight."""
    row, batch = await store.load(uow, batch_id, expected)
    command = ConfirmSent(receipt)
    decision = uow.settle(decide(batch, command, uow.context))
    await _send_files(uow, row, receipt)
    await finish(uow, row, batch, decision, command)
    return row


async def transfer_unknown(uow: UnitOfWork, batch_id: UUID, expected: int) -> BatchRow:
    """The upload timed out: the batch stays exported, its attempts are unknown until the bank is asked."""
    row, batch = await store.load(uow, batch_id, expected)
    if batch.state is not State.EXPORTED:
        raise Refused(
            Refusal("state", (Reason.of("langkah_tidak_berlaku", state=row.state, command="transfer_unknown"),))
        )
    for file in await outgoing.unsent(uow, row.id):
        if file.kind == "batch":
            await outgoing.lose(uow, file)
    await uow.save(row)
    await uow.audit("transfer_unknown", "batch", row, after={"state": row.state})
    return row


async def not_received(uow: UnitOfWork, file_id: UUID, document_id: UUID, expected: int) -> None:
    """The bank was asked and says on paper that it never had the file; then, and only then, it may be sent.

    Raises Refused for another role than the reconciliation officer, or for a file that was confirmed as sent.
    """
    file = await payments.file(uow, file_id)
    await store.load(uow, file.batch_id, None)
    if RECON_OFFICER not in uow.context.roles:
        raise Refused(Refusal("role", (Reason("peran_tidak_berwenang"),)))
    if file.version != expected:
        raise Stale(file.version)
    if file.state != "written":
        raise Refused(Refusal.because("sudah_dikirim"))
    await outgoing.regain(uow, file, document_id)
    await uow.save(file)


@dataclass(frozen=True, slots=True)
class Held:
    """A batch held while results are applied to its lines."""

    budget_line_id: UUID
    rail: str


async def answered(uow: UnitOfWork, files: Mapping[UUID, set[UUID]], evidence: str) -> dict[UUID, Held]:
    """The bank speaks of these files (by batch): it has them, whatever we knew, and their batches settle (again).

    Holds the batches in the order of their ids, before anything of theirs is touched.
    """
    held: dict[UUID, Held] = {}
    for batch_id in sorted(files):
        row, batch = await store.load(uow, batch_id, None)
        held[batch_id] = Held(row.budget_line_id, row.rail)
        await _send_files(uow, row, evidence, only=files[batch_id])
        first: tuple[Command, ...] = (ConfirmSent(evidence),) if batch.state is State.EXPORTED else ()
        for command in (*first, StartSettling()):
            before = await store.hydrate(uow, row)
            decision = decide(before, command, as_system(uow))
            if not isinstance(decision, Refusal):
                await finish(uow, row, before, decision, command)
    return held


async def confirm_file(uow: UnitOfWork, file_id: UUID, receipt: str, expected: int) -> None:
    """The bank has this one file: a re-issue, or a part of a batch that was sent in parts. Needs the exporter."""
    file = await payments.file(uow, file_id)
    row, _ = await store.load(uow, file.batch_id, None)
    if not {EXPORTER} & uow.context.roles:
        raise Refused(Refusal("role", (Reason("peran_tidak_berwenang"),)))
    if file.version != expected:
        raise Stale(file.version)
    if not receipt:
        raise Refused(Refusal.because("bukti_kirim_wajib"))
    if file.kind == "batch" and row.state == State.EXPORTED:
        raise Refused(Refusal("state", (Reason.of("langkah_tidak_berlaku", state=row.state, command="confirm_file"),)))
    await _send_files(uow, row, receipt, only={file_id})


async def reconcile(uow: UnitOfWork, batch_id: UUID, expected: int) -> BatchRow:
    """Both levels come to nought and no difference is open."""
    row, batch = await store.load(uow, batch_id, expected)
    levels = await recon.levels(uow, row.id, row.round, row.sp2d_idr or 0)
    seen = replace(batch, open_items=await recon.open_items(uow, row.id), levels_agree=not any(levels.values()))
    command = Reconcile()
    decision = uow.settle(decide(seen, command, uow.context))
    await finish(uow, row, batch, decision, command)
    return row


async def close(uow: UnitOfWork, batch_id: UUID, expected: int) -> BatchRow:
    """Every line is final and pulled money is put back."""
    row, batch = await store.load(uow, batch_id, expected)
    counts = await payments.counts(uow, row.id, row.round)
    command = Close()
    seen = replace(batch, open_lines=counts.open + counts.limbo)
    decision = uow.settle(decide(seen, command, uow.context))
    await finish(uow, row, batch, decision, command)
    return row


async def redeposit(uow: UnitOfWork, batch_id: UUID, paper: Paper, expected: int) -> BatchRow:
    """Put the money of lines pulled after the SPM back by STS (P11, P13); rights that live are committed again.

    Raises Refused `jumlah_sts_beda` unless the STS is exactly what was pulled and not put back yet.
    """
    row, _ = await store.load(uow, batch_id, expected)
    if BENDAHARA not in uow.context.roles:
        raise Refused(Refusal("role", (Reason("peran_tidak_berwenang"),)))
    pulled = await lines.in_limbo(uow, row.id)
    due = sum(line.amount_idr for line in pulled)
    if row.sp2d_idr is None or not due or paper.amount_idr != due:
        raise Refused(Refusal("guard", (Reason.of("jumlah_sts_beda", due_idr=due),)))
    sts = await _record(uow, row, Kind.STS, paper)
    await put_back(uow, row, "treasury_doc", sts, due)
    await lines.put_back(uow, [line.id for line in pulled], sts)
    await commit_again(uow, row, await lines.rights_of(uow, [line.id for line in pulled]), sts)
    await uow.save(row)
    await uow.audit("redeposit", "batch", row, after={"amount_idr": due, "lines": len(pulled)})
    return row


async def put_back(uow: UnitOfWork, row: BatchRow, source_type: str, source_id: UUID, amount_idr: int) -> None:
    """P11 and P13: cash to the treasury, the obligation of this batch gone; in the same year the ceiling is free again."""
    same_year = uow.today.year == row.fiscal_year
    await _post(uow, row, Rule.P11 if same_year else Rule.P11_LATER, (source_type, source_id), amount_idr)
    await _post(uow, row, Rule.P13 if same_year else Rule.P13_LATER, (source_type, source_id), amount_idr)


async def commit_again(uow: UnitOfWork, row: BatchRow, entitlement_ids: list[UUID], source_id: UUID) -> None:
    """Rights that live on are promised again out of what came back (P04); in a later year they need a new line (P23)."""
    if uow.today.year != row.fiscal_year:
        return
    states = await rights.states(uow, entitlement_ids)
    for entitlement_id in sorted(states):
        if states[entitlement_id] in LIVING:
            right = await rights.right(uow, entitlement_id)
            await budget.commit(
                uow, row.budget_line_id, right.value_idr or 0, source_type="entitlement", source_id=entitlement_id,
                step=f"again:{source_id}",
            )  # fmt: skip


async def put_back_line(uow: UnitOfWork, batch_id: UUID, line_id: UUID, paper: Paper) -> BatchRow:
    """Record the STS of one line that was given up and post P11 and P13; the batch, for what follows."""
    row, _ = await store.load(uow, batch_id, None)
    await _record(uow, row, Kind.STS, paper)
    await put_back(uow, row, "line", line_id, paper.amount_idr)
    return row


async def for_reissue(uow: UnitOfWork, batch_id: UUID) -> tuple[Batch, Origin]:
    """The batch behind a re-issue, held, and what its file says."""
    row, batch = await store.load(uow, batch_id, None)
    return batch, await origin_of(uow, row, "reissue")


async def rail_of(uow: UnitOfWork, batch_id: UUID) -> str:
    """How the money of the batch goes."""
    return (await store.get(uow, batch_id)).rail


async def origin_of(uow: UnitOfWork, row: BatchRow, kind: str = "batch") -> Origin:
    """What the files of this batch share; the text to the payee names programme and month, nothing about the person."""
    text = row.description
    if not text and row.programme_id is not None:
        text = f"{(await programmes.programme(uow, row.programme_id)).code} {row.due_on:%Y-%m}"
    return Origin(row.id, row.budget_line_id, row.rail, row.due_on, text, kind)


async def _send_files(uow: UnitOfWork, row: BatchRow, receipt: str, *, only: set[UUID] | None = None) -> None:
    """Unsent files of the batch are sent now: all of its export, or the named ones of whatever kind."""
    origin = await origin_of(uow, row)
    await plan_guard(uow)
    for file in await outgoing.unsent(uow, row.id):
        if file.id in only if only is not None else file.kind == "batch":
            await outgoing.send(uow, file, receipt, origin)


async def _record(uow: UnitOfWork, row: BatchRow, kind: Kind, paper: Paper) -> UUID:
    doc = await treasury.record(
        uow, kind, paper, budget_line_id=row.budget_line_id, batch_id=row.id, mechanism=row.mechanism
    )
    return doc.id


async def _post(uow: UnitOfWork, row: BatchRow, rule: Rule, source: tuple[str, UUID], amount_idr: int) -> None:
    await ledger.post(
        uow,
        rule,
        source_type=source[0],
        source_id=source[1],
        step=rule.value,
        amount_idr=amount_idr,
        dims=Dims(row.budget_line_id, row.id),
        booked_on=uow.today,
    )
