"""Posting to the ledger: one journal per (rule, source, step), however often it is asked for."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Refused
from kit.machine import Reason, Refusal

from disbursement.ledger import store
from disbursement.ledger.rules import Account, Dims, Entry, Rule
from disbursement.ledger.store import Promised


async def post(
    uow: UnitOfWork,
    rule: Rule,
    *,
    source_type: str,
    source_id: UUID,
    step: str,
    amount_idr: int,
    dims: Dims,
    booked_on: date,
) -> bool:
    """Post one journal; False when this very journal exists already. Zero rupiah posts nothing.

    Holds the balance rows it touches until the transaction ends. A wrong sign is an IntegrityError: a defect of ours,
    except for the ceiling, which `spend` asks about first.
    """
    entry = Entry(source_id, amount_idr)
    return bool(await post_many(uow, rule, [entry], source_type=source_type, step=step, dims=dims, booked_on=booked_on))


async def post_many(
    uow: UnitOfWork,
    rule: Rule,
    entries: Sequence[Entry],
    *,
    source_type: str,
    step: str,
    dims: Dims,
    booked_on: date,
) -> list[UUID]:
    """Post journals of one rule with equal dimensions in one statement; returns the sources posted now."""
    wanted = [entry for entry in entries if entry.amount_idr]
    if not wanted:
        return []
    return await store.write(uow, rule, wanted, source_type=source_type, step=step, dims=dims, booked_on=booked_on)


async def promise(
    uow: UnitOfWork,
    rule: Rule,
    *,
    source_type: str,
    source_id: UUID,
    step: str,
    amount_idr: int,
    dims: Dims,
    booked_on: date,
    state: str,
) -> Promised | None:
    """Post one journal that takes from the ceiling, when so much is left and the budget line stands in `state`.

    Nothing is written otherwise, nor when this very journal exists; None when there is no such line. The ceiling is held
    from here to the end of the transaction, so let this be its last word.
    """
    return await store.promise(
        uow, rule, Entry(source_id, amount_idr), source_type=source_type, step=step, dims=dims, booked_on=booked_on,
        state=state,
    )  # fmt: skip


async def hold_ceiling(uow: UnitOfWork, budget_line_id: UUID, amount_idr: int) -> int:
    """Hold the ceiling's row and return what is available in whole rupiah.

    Raises Refused `pagu_tidak_cukup` when that is less than the amount. The row is held either way.
    """
    dims = Dims(budget_line_id)
    held = await store.hold(uow, [(Account.AVAILABLE, dims)])
    available = -held[Account.AVAILABLE, dims.key]
    if available < amount_idr:
        raise Refused(Refusal("guard", (Reason.of("pagu_tidak_cukup", short_idr=amount_idr - available),)))
    return available
