"""Recording treasury papers. A number is used once in a year for a kind of paper."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Conflict

from disbursement.treasury import store
from disbursement.treasury.tables import TreasuryDoc


class Kind(StrEnum):
    """SPD: funds made available; SPP: request; SPM: order; SP2D: payment out; STS: money put back."""

    SPD = "spd"
    SPP = "spp"
    SPM = "spm"
    SP2D = "sp2d"
    STS = "sts"


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper as typed from its sheet. Amount in whole rupiah."""

    number: str
    dated_on: date
    amount_idr: int
    document_id: UUID | None = None


async def record(
    uow: UnitOfWork, kind: Kind, paper: Paper, *, budget_line_id: UUID, batch_id: UUID | None, mechanism: str
) -> TreasuryDoc:
    """Record a paper; the one before it in the chain of the batch becomes its parent. Raises Conflict for a used number."""
    fiscal_year = paper.dated_on.year
    if await store.number_taken(uow, kind, fiscal_year, paper.number):
        raise Conflict("nomor_sudah_dipakai")
    parent = None
    if batch_id is not None and kind in (Kind.SPM, Kind.SP2D):
        parent = await store.newest(uow, batch_id, Kind.SPP if kind is Kind.SPM else Kind.SPM)
    row = TreasuryDoc(
        kind=kind.value,
        fiscal_year=fiscal_year,
        number=paper.number,
        dated_on=paper.dated_on,
        amount_idr=paper.amount_idr,
        budget_line_id=budget_line_id,
        batch_id=batch_id,
        parent_id=parent,
        mechanism=mechanism,
        document_id=paper.document_id,
    )
    await uow.save(row)
    await uow.audit("record", "treasury_doc", row, after={"kind": row.kind, "amount_idr": row.amount_idr})
    return row


async def refuse_open(uow: UnitOfWork, batch_id: UUID, reason: str) -> UUID | None:
    """Mark the SPP and SPM of a batch as refused; the id of the SPM. Their numbers stay used."""
    return await store.refuse(uow, batch_id, reason)
