"""Lines in bulk: put together, passed, taken out, moved; each move told line by line. Batches and results come in here."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any
from uuid import UUID

from kit.db.bulk import chunks
from kit.db.uow import Line as Event
from kit.db.uow import UnitOfWork
from kit.failpoints import failpoint
from kit.ids import new_id
from kit.regions import kecamatan

from disbursement.events_money import MOST_ITEMS, PaymentTold
from disbursement.payments import domain, store
from disbursement.payments.domain import State
from disbursement.payments.store import Item, NewLine, Told
from disbursement.rights import commands as rights
from disbursement.rights.queries import Payable


def assemble(payables: Sequence[Payable]) -> list[NewLine]:
    """One line for a beneficiary and payee over all their rights, at most sixty rights each.

    In the order of the rights' ids, in which they are locked too: two freezes never wait for each other crosswise.
    """
    groups: dict[tuple[UUID, UUID], list[Payable]] = defaultdict(list)
    for payable in payables:
        groups[payable.beneficiary_person_id, payable.payee_person_id].append(payable)
    return [
        NewLine(
            id=new_id(),
            payee=payee,
            beneficiary=beneficiary,
            region_code=part[0].region_code,
            amount_idr=sum(one.amount_idr for one in part),
            items=tuple((one.entitlement_id, one.amount_idr) for one in part),
        )
        for (beneficiary, payee), group in sorted(
            groups.items(), key=lambda item: min(p.entitlement_id for p in item[1])
        )
        for part in chunks(sorted(group, key=lambda one: (one.period, one.entitlement_id)), MOST_ITEMS)
    ]


async def without_taken(uow: UnitOfWork, payables: Sequence[Payable]) -> list[Payable]:
    """Those whose right stands in no live line, and whose money is not held by a batch it was pulled from."""
    found = await store.taken(uow, [one.entitlement_id for one in payables])
    return [one for one in payables if one.entitlement_id not in found]


async def create(uow: UnitOfWork, batch_id: UUID, round: int, mode: str, lines: Sequence[NewLine]) -> None:
    """Freeze one chunk of lines: their rights are reserved and can stand in no other line."""
    await store.insert(uow, batch_id, round, mode, lines)
    await rights.reserve(uow, [item for line in lines for item, _ in line.items])
    failpoint("run.after_reservation")


async def pass_gate(uow: UnitOfWork, marks: Sequence[tuple[UUID, bytes | None, str | None]]) -> None:
    """Gate F found nothing against these lines: (line, token of the account, bank code)."""
    for part in chunks(marks):
        await store.pass_gate(uow, part, domain.sources(domain.Pass))


async def remove(
    uow: UnitOfWork, reasons: Mapping[UUID, str], rail: str, *, list_no: int, funded: bool
) -> tuple[list[Any], list[UUID]]:
    """Take lines out with a reason each: the rows that moved and the rights that are free (due) again.

    `list_no` is the list's number after this; `funded`: the SPM was made, so the money of these lines comes back by STS.
    """
    moved: list[Any] = []
    freed: list[UUID] = []
    for part in chunks(sorted(reasons.items())):
        rows = await store.remove(uow, part, domain.sources(domain.Remove), list_no=list_no, funded=funded)
        items = await tell(uow, "payment.removed", rows, rail)
        freed += await rights.free(uow, items)
        moved += rows
    return moved, freed


async def move(uow: UnitOfWork, command: type, told: Sequence[Told], rail: str) -> list[UUID]:
    """Move lines by a command of the table in bulk, and tell; returns the rights behind those that moved."""
    steps = [m for m in domain.MOVES if m.command is command]
    target, event = steps[0].target, steps[0].event
    items: list[UUID] = []
    for part in chunks(sorted(told, key=lambda one: one.line_id)):
        rows = await store.move(uow, target, [m.source for m in steps if m.source], part)
        if event:
            items += await tell(uow, event, rows, rail)
    return items


async def in_limbo(uow: UnitOfWork, batch_id: UUID) -> Sequence[Any]:
    """Lines pulled after the SPM whose money was not put back: id, amount_idr; held."""
    return await store.in_limbo(uow, batch_id)


async def leave_limbo(uow: UnitOfWork, batch_id: UUID) -> None:
    """The SPM was refused: lines pulled under it are as if pulled before it."""
    await store.leave_limbo(uow, batch_id)


async def put_back(uow: UnitOfWork, line_ids: Sequence[UUID], doc_id: UUID) -> None:
    """Note the STS by which the money of these lines went back."""
    await store.put_back(uow, line_ids, doc_id)


async def drop_live(uow: UnitOfWork, line_ids: Sequence[UUID]) -> None:
    """The rights of these lines may stand in another line again."""
    await store.drop_live(uow, line_ids)


async def rights_of(uow: UnitOfWork, line_ids: Sequence[UUID]) -> list[UUID]:
    """The rights that these lines pay."""
    items = await store.items_of(uow, line_ids)
    return [item.item_id for rows in items.values() for item in rows if item.item_kind == "entitlement"]


async def tell(uow: UnitOfWork, event: str, rows: Sequence[Any], rail: str) -> list[UUID]:
    """Announce one event for each row (at most a chunk); returns the rights that these lines pay."""
    ordered = sorted(rows, key=attrgetter("id"))
    items = await store.items_of(uow, [row.id for row in ordered])
    await uow.announce_many(event, [Event(row.id, row.seq, payload(row, items[row.id], rail)) for row in ordered])
    return [item_id for row in ordered for kind, item_id, _ in items[row.id] if kind == "entitlement"]


def payload(row: Any, items: Sequence[Item], rail: str) -> PaymentTold:
    """What an event of `disbursement.payment` tells of a line and the rights that it pays."""
    told: PaymentTold = {
        "payment_id": str(row.id),
        "batch_id": str(row.batch_id),
        "attempt_no": row.attempt_no,
        "payee_kind": row.payee_kind,
        "items": [{"kind": kind, "id": str(id), "amount_idr": amount_idr} for kind, id, amount_idr in items],
        "amount_idr": row.amount_idr,
        "rail": rail,
        "region": kecamatan(row.region_code),
        "state": row.state,
    }
    if row.beneficiary_person_id is not None:
        told["person_id"] = str(row.beneficiary_person_id)
    if (reason := getattr(row, "reason", None)) is not None:
        told["reason"] = reason
    if (value_date := getattr(row, "value_date", None)) is not None:
        told["value_date"] = value_date.isoformat()
    if row.state == State.REPAIR and row.repair_due is not None:
        told["repair_due"] = row.repair_due.isoformat()
    return told
