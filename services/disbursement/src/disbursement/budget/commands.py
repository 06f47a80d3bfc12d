"""Promising, freeing and changing budget. Every promise is made under the lock of the line's ceiling."""

from enum import StrEnum
from uuid import UUID

from kit.db.uow import UnitOfWork, lock
from kit.errors import Conflict, Missing, Refused
from kit.machine import Reason, Refusal

from disbursement.budget import store
from disbursement.budget.domain import BudgetLine as Line
from disbursement.budget.domain import Close, Command, Draft, Freeze, NewLine, Open, Revise, State, Thaw, decide, is_low
from disbursement.budget.tables import BudgetLine
from disbursement.events_money import BudgetLineTold
from disbursement.ledger import commands as ledger
from disbursement.ledger import queries as balances
from disbursement.ledger.rules import Account, Dims, Rule

BUDGET_LINE = "budget_line"


class Origin(StrEnum):
    """Where released money is taken from."""

    RESERVED = "reserved"
    COMMITTED = "committed"
    ORDERED = "ordered"


_RELEASE = {
    Origin.RESERVED: Rule.P12_RESERVED,
    Origin.COMMITTED: Rule.P12_COMMITTED,
    Origin.ORDERED: Rule.P12_ORDERED,
}


async def reserve(
    uow: UnitOfWork, line_id: UUID, amount_idr: int, *, source_type: str, source_id: UUID, step: str
) -> bool:
    """Reserve budget (P03) for a decree or a plan. False when this source and step reserved already.

    Raises Refused `pagu_tidak_cukup` under the row lock, or `baris_anggaran_tidak_terbuka`.
    """
    return await _promise(uow, line_id, amount_idr, Rule.P03, source_type=source_type, source_id=source_id, step=step)


async def commit(
    uow: UnitOfWork,
    line_id: UUID,
    amount_idr: int,
    *,
    source_type: str,
    source_id: UUID,
    step: str,
    from_reserve_idr: int = 0,
) -> bool:
    """Commit budget (P04): `from_reserve_idr` of it out of an earlier reservation, the rest from what is available.

    False when this source and step committed already. Raises Refused as `reserve` does.
    """
    key = {"source_type": source_type, "source_id": source_id, "step": step}
    moved = False
    if from_reserve_idr:
        moved = await _post(uow, Rule.P04, line_id, from_reserve_idr, **key)  # type: ignore[arg-type]
    if amount_idr > from_reserve_idr:
        moved |= await _promise(uow, line_id, amount_idr - from_reserve_idr, Rule.P04_DIRECT, **key)  # type: ignore[arg-type]
    return moved


async def release(
    uow: UnitOfWork,
    line_id: UUID,
    amount_idr: int,
    *,
    source_type: str,
    source_id: UUID,
    step: str,
    origin: Origin = Origin.COMMITTED,
) -> bool:
    """Give a promise back to what is available (P12). False when this source and step released already."""
    return await _post(
        uow, _RELEASE[origin], line_id, amount_idr, source_type=source_type, source_id=source_id, step=step
    )


async def record_fee(uow: UnitOfWork, line_id: UUID, amount_idr: int, batch_id: UUID, reference: str) -> bool:
    """Book a transfer fee of a batch on its own budget line (P15), never on the aid. False when it was booked before.

    `reference` is the bank's number of the debit. Raises Refused `pagu_tidak_cukup`.
    """
    if "bendahara" not in uow.context.roles:
        raise Refused(Refusal("role", (Reason("peran_tidak_berwenang"),)))
    if await balances.posted(uow, Rule.P15, "fee", batch_id, reference):
        return False
    available = await ledger.hold_ceiling(uow, line_id, amount_idr)
    if await store.state_of(uow, line_id) is not State.OPEN:
        raise Refused(Refusal.because("baris_anggaran_tidak_terbuka"))
    moved = await ledger.post(
        uow,
        Rule.P15,
        source_type="fee",
        source_id=batch_id,
        step=reference,
        amount_idr=amount_idr,
        dims=Dims(line_id, batch_id),
        booked_on=uow.today,
    )
    await _warn_when_low(uow, line_id, available - amount_idr, await store.pagu_if_unwarned(uow, line_id))
    await uow.append_audit(
        "record_fee", BUDGET_LINE, line_id, None, after={"amount_idr": amount_idr, "batch_id": batch_id}
    )
    return moved


async def draft(uow: UnitOfWork, new: NewLine) -> BudgetLine:
    """Enter a line of the DPA. Raises Conflict when its key exists."""
    decision = uow.settle(decide(Line(None), Draft(new.pagu_idr), uow.context))
    if await store.exists(uow, new):
        raise Conflict("sudah_ada")
    row = BudgetLine(
        fiscal_year=new.fiscal_year,
        unit=new.unit,
        programme_code=new.programme_code,
        activity_code=new.activity_code,
        sub_activity_code=new.sub_activity_code,
        account_code=new.account_code,
        funding_source=new.funding_source,
        pagu_idr=new.pagu_idr,
        client_ref=new.client_ref,
        state=str(decision.line.state),
    )
    if new.id is not None:
        row.id = new.id
    await uow.save(row)
    await uow.audit("draft", BUDGET_LINE, row, after={"state": row.state, "pagu_idr": row.pagu_idr})
    return row


async def open_line(uow: UnitOfWork, line_id: UUID, expected: int) -> BudgetLine:
    """The DPA is in force (P01)."""
    row = await _change(uow, line_id, Open(), expected)
    return row


async def revise(uow: UnitOfWork, line_id: UUID, difference_idr: int, expected: int) -> BudgetLine:
    """Raise or lower the ceiling (P02). Raises Refused `pagu_tidak_cukup` when promises stand against a cut."""
    return await _change(uow, line_id, Revise(difference_idr), expected)


async def freeze(uow: UnitOfWork, line_id: UUID, expected: int) -> BudgetLine:
    """Let nothing new be promised."""
    return await _change(uow, line_id, Freeze(), expected)


async def thaw(uow: UnitOfWork, line_id: UUID, expected: int) -> BudgetLine:
    """Open the line again."""
    return await _change(uow, line_id, Thaw(), expected)


async def close(uow: UnitOfWork, line_id: UUID, expected: int) -> BudgetLine:
    """End the year: reservations fall back, the rest lapses (P20). Raises Refused while commitments are open."""
    return await _change(uow, line_id, Close(), expected)


async def _change(uow: UnitOfWork, line_id: UUID, command: Command, expected: int) -> BudgetLine:
    """Hold the ceiling and then the line (every path in this order), decide, post, save, tell, audit."""
    await ledger.hold_ceiling(uow, line_id, 0)
    row = await lock(uow, BudgetLine, line_id, expected)
    found = await balances.of_line(uow, line_id)
    before = row.state
    line = Line(State(row.state), row.pagu_idr, -found.get(Account.AVAILABLE, 0), _promised(found))
    decision = uow.settle(decide(line, command, uow.context))
    await _post_change(uow, row, command, found)
    row.state, row.pagu_idr = str(decision.line.state), decision.line.pagu_idr
    if isinstance(command, Revise):
        row.warned_low = False
    await uow.save(row)
    if decision.event:
        await _tell(uow, row, decision.event)
    name = type(command).__name__.lower()
    await uow.audit(
        name, BUDGET_LINE, row, before={"state": before}, after={"state": row.state, "pagu_idr": row.pagu_idr}
    )
    return row


async def _post_change(uow: UnitOfWork, row: BudgetLine, command: Command, found: dict[Account, int]) -> None:
    """The journals of a change of the line itself; the version tells one revision from the next."""
    steps: list[tuple[Rule, int]] = []
    match command:
        case Open():
            steps = [(Rule.P01, row.pagu_idr)]
        case Revise(difference_idr=difference):
            steps = [(Rule.P02 if difference > 0 else Rule.P02_DOWN, abs(difference))]
        case Close():
            reserved, available = -found.get(Account.RESERVED, 0), -found.get(Account.AVAILABLE, 0)
            steps = [(Rule.P20_FREE, reserved), (Rule.P20, reserved + available)]
        case _:
            pass
    for rule, amount in steps:
        await _post(uow, rule, row.id, amount, source_type=BUDGET_LINE, source_id=row.id, step=f"v{row.version}")


async def _promise(
    uow: UnitOfWork, line_id: UUID, amount_idr: int, rule: Rule, *, source_type: str, source_id: UUID, step: str
) -> bool:
    """Take from what is available, unless this journal exists. The ceiling's row is held from then on."""
    if not amount_idr:
        return False
    made = await ledger.promise(
        uow, rule, source_type=source_type, source_id=source_id, step=step, amount_idr=amount_idr, dims=Dims(line_id),
        booked_on=uow.today, state=State.OPEN.value,
    )  # fmt: skip
    if made is None:
        raise Missing(BUDGET_LINE)
    if made.written:
        await _warn_when_low(uow, line_id, made.available_idr - amount_idr, None if made.warned_low else made.pagu_idr)
        return True
    if await balances.posted(uow, rule, source_type, source_id, step):
        return False
    if made.state != State.OPEN:
        raise Refused(Refusal.because("baris_anggaran_tidak_terbuka"))
    raise Refused(Refusal("guard", (Reason.of("pagu_tidak_cukup", short_idr=amount_idr - made.available_idr),)))


async def _post(
    uow: UnitOfWork, rule: Rule, line_id: UUID, amount_idr: int, *, source_type: str, source_id: UUID, step: str
) -> bool:
    return await ledger.post(
        uow,
        rule,
        source_type=source_type,
        source_id=source_id,
        step=step,
        amount_idr=amount_idr,
        dims=Dims(line_id),
        booked_on=uow.today,
    )


async def _warn_when_low(uow: UnitOfWork, line_id: UUID, available_idr: int, pagu: int | None) -> None:
    """Tell once that less than a tenth is left; the row itself is locked only then. `pagu`: None when it was told."""
    if pagu is None or not is_low(pagu, available_idr):
        return
    row = await lock(uow, BudgetLine, line_id, None)
    if not row.warned_low:
        row.warned_low = True
        await uow.save(row)
        await _tell(uow, row, "budget_line.low")


async def _tell(uow: UnitOfWork, row: BudgetLine, event: str) -> None:
    available = -(await balances.balance(uow, Account.AVAILABLE, Dims(row.id)))
    told = BudgetLineTold(
        line_id=row.id,
        fiscal_year=row.fiscal_year,
        account_code=row.account_code,
        pagu_idr=row.pagu_idr,
        available_idr=available,
        state=row.state,
    )
    await uow.announce(row, event, told)


def _promised(found: dict[Account, int]) -> int:
    return -(found.get(Account.COMMITTED, 0) + found.get(Account.ORDERED, 0))
