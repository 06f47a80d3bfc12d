"""Files to the bank: written, written anew, sent. Payee data live here in memory and in the sealed file, nowhere else."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from kit.db.bulk import chunks
from kit.db.uow import UnitOfWork, lock
from kit.failpoints import failpoint
from kit.ids import crockford26, new_id
from sqlmodel import col, select

from disbursement.ledger import commands as ledger
from disbursement.ledger.rules import Dims, Rule
from disbursement.payee_client import Account
from disbursement.payments import attempt_store, domain, lines, reference
from disbursement.payments.files import bank_csv, pain001, xml
from disbursement.payments.files.rows import MAX_FILE_LINES, Instruction, PaymentFile
from disbursement.payments.store import Told
from disbursement.payments.tables import PaymentFileRow

ANSWER_WORKING_DAYS = 3


@dataclass(frozen=True, slots=True)
class Origin:
    """What all files of one export share."""

    batch_id: UUID
    budget_line_id: UUID
    rail: str
    due_on: date
    description: str
    kind: str = "batch"


async def write(
    uow: UnitOfWork, origin: Origin, payable: Sequence[Any], accounts: Mapping[UUID, Account]
) -> list[PaymentFileRow]:
    """Write files of at most 10,000 lines with one new attempt each. Lines must be those that passed gate P.

    Raises FileRefused when what we wrote is not valid under the official schema: a defect, nothing leaves.
    """
    written = []
    first = await _next_no(uow, origin.batch_id)
    for no, part in enumerate(chunks(payable, MAX_FILE_LINES), start=first):
        made = [(id := new_id(), line.id, crockford26(id)) for line in part]
        instructions = tuple(
            Instruction(
                reference=ref,
                amount_idr=line.amount_idr,
                bank_code=accounts[line.payee_ref].bank_code,
                account=accounts[line.payee_ref].number,
                holder_name=accounts[line.payee_ref].holder_name,
                description=origin.description,
            )
            for line, (_, _, ref) in zip(part, made, strict=True)
        )
        row = await _store(uow, origin, no, instructions, replaces=None)
        failpoint("run.after_file")
        for piece in chunks(made):
            await attempt_store.insert(uow, row.id, origin.batch_id, origin.rail, piece)
        written.append(row)
    return written


async def rewrite(uow: UnitOfWork, batch_id: UUID, gone: frozenset[UUID]) -> None:
    """Void every unsent file that holds one of these lines and write it anew without them, under a new reference."""
    voided = await attempt_store.void(uow, sorted(gone))
    for file_id in sorted(voided):
        old = await lock(uow, PaymentFileRow, file_id, None)
        file = pain001.parse(opened(uow, old, "pain001"))
        left = tuple(line for line in file.instructions if line.reference not in voided[file_id])
        old.state = "voided"
        await uow.save(old)
        if left:
            origin = Origin(batch_id, UUID(int=0), "", file.due_on, "", old.kind)
            new = await _store(uow, origin, await _next_no(uow, batch_id), left, replaces=old.id)
            await attempt_store.refile(uow, old.id, new.id)
        await uow.audit("rewrite", "payment_file", old, after={"state": "voided", "left": len(left)})


async def not_on_their_way(uow: UnitOfWork, reasons: dict[UUID, str]) -> dict[UUID, str]:
    """Without the lines whose file the bank has or may have."""
    busy = await attempt_store.at_bank(uow, list(reasons)) if reasons else set()
    return {line_id: reason for line_id, reason in reasons.items() if line_id not in busy}


async def send(uow: UnitOfWork, row: PaymentFileRow, receipt: str, origin: Origin) -> int:
    """The bank has the file (P07, or P19 for a re-issue): its lines are in flight. How many lines moved."""
    failpoint("run.before_sent")
    row.state, row.receipt, row.sent_at = "sent", receipt, uow.now
    await uow.save(row)
    rule, command = (Rule.P07, domain.Send) if row.kind == "batch" else (Rule.P19, domain.Reissue)
    await ledger.post(
        uow,
        rule,
        source_type="payment_file",
        source_id=row.id,
        step="sent",
        amount_idr=row.total_idr,
        dims=Dims(origin.budget_line_id, origin.batch_id),
        booked_on=uow.today,
    )
    due = domain.working_days_after(
        uow.today, ANSWER_WORKING_DAYS, reference.load(uow.runtime.contracts.folder).holidays
    )
    moved = await attempt_store.send(uow, row.id, due)
    await lines.move(uow, command, [Told(line_id) for line_id in moved], origin.rail)
    await uow.audit("send", "payment_file", row, after={"count": row.count, "total_idr": row.total_idr})
    return len(moved)


async def lose(uow: UnitOfWork, row: PaymentFileRow) -> int:
    """The transfer timed out: nobody knows whether the bank has the file. Ask; never send again."""
    lost = await attempt_store.lose(uow, row.id)
    await uow.audit("lose", "payment_file", row, after={"attempts": lost})
    return lost


async def regain(uow: UnitOfWork, row: PaymentFileRow, document_id: UUID) -> int:
    """The bank has answered, on paper, that it never had this file: it may be sent."""
    back = await attempt_store.regain(uow, row.id)
    await uow.audit("regain", "payment_file", row, after={"attempts": back, "document_id": document_id})
    return back


async def unsent(uow: UnitOfWork, batch_id: UUID) -> Sequence[PaymentFileRow]:
    """The files of a batch that are written and neither sent nor void, held."""
    statement = (
        select(PaymentFileRow)
        .where(PaymentFileRow.batch_id == batch_id, PaymentFileRow.state == "written")
        .order_by(col(PaymentFileRow.no))
        .with_for_update()
    )
    return (await uow.session.execute(statement)).scalars().all()


def opened(uow: UnitOfWork, row: PaymentFileRow, form: str) -> bytes:
    """The plain bytes of a sealed file: `pain001` or `csv`."""
    sealed = row.pain001 if form == "pain001" else row.csv
    return uow.runtime.fields.open_bytes(bytes(sealed), at=_place(form, row.id))


async def _store(
    uow: UnitOfWork, origin: Origin, no: int, instructions: tuple[Instruction, ...], *, replaces: UUID | None
) -> PaymentFileRow:
    """Build both forms, validate, seal, insert."""
    settings: Any = uow.runtime.settings
    file_id = new_id()
    file = PaymentFile(
        reference=crockford26(file_id),
        block=f"{no}-1",
        created_at=uow.now.replace(microsecond=0),
        due_on=origin.due_on,
        initiator=settings.office_name,
        debtor_name=settings.office_name,
        debtor_account=settings.distribution_account,
        debtor_bank=settings.distribution_bank,
        purpose="SSBE",
        instructions=instructions,
    )
    forms = {"pain001": pain001.build(file), "csv": bank_csv.build(instructions)}
    schema = reference.load(uow.runtime.contracts.folder).schema("pain.001.001.09")
    xml.validate(xml.read(forms["pain001"]), schema)
    row = PaymentFileRow(
        id=file_id,
        batch_id=origin.batch_id,
        no=no,
        kind=origin.kind,
        reference=file.reference,
        count=len(instructions),
        total_idr=file.total_idr,
        pain001_sha256=hashlib.sha256(forms["pain001"]).hexdigest(),
        csv_sha256=hashlib.sha256(forms["csv"]).hexdigest(),
        pain001=uow.runtime.fields.seal_bytes(forms["pain001"], at=_place("pain001", file_id)),
        csv=uow.runtime.fields.seal_bytes(forms["csv"], at=_place("csv", file_id)),
        replaces_id=replaces,
        state="written",
    )
    await uow.save(row)
    return row


async def _next_no(uow: UnitOfWork, batch_id: UUID) -> int:
    statement = (
        select(PaymentFileRow.no).where(PaymentFileRow.batch_id == batch_id).order_by(col(PaymentFileRow.no).desc())
    )
    return ((await uow.session.execute(statement.limit(1))).scalar_one_or_none() or 0) + 1


def _place(form: str, file_id: UUID) -> str:
    return f"payment_file:{form}:{file_id}"
