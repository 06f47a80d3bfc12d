"""What is done with documents: keep, supersede, record what the scan found."""

from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from kit.db.uow import UnitOfWork, lock
from kit.errors import Conflict, Invalid, Refused
from kit.ids import new_id
from kit.machine import Reason, Refusal
from sqlalchemy.exc import IntegrityError

from grants.documents.tables import DocumentRow
from grants.scope import check

SCANNERS = frozenset({"dinsos_operator", "machine", "system"})


@dataclass(frozen=True, slots=True)
class NewPaper:
    """A paper as it comes in. `scan` is `paper` where an officer holds the original and there is no file to scan."""

    kind: str
    number: str
    dated: date
    issuer: str
    sha256: str
    scan: Literal["pending", "paper"] = "pending"
    supersedes: UUID | None = None
    id: UUID | None = None
    client_ref: str | None = None


async def keep(uow: UnitOfWork, institution_id: UUID, region_code: str, paper: NewPaper) -> DocumentRow:
    """Keep a paper of an institution. Raises Invalid for a date in the future, Conflict when it is kept already."""
    check(uow, region_code, institution_id)
    if paper.dated > uow.today:
        raise Invalid.field("/dated", "belum_waktunya")
    old = None
    if paper.supersedes is not None:
        old = await lock(uow, DocumentRow, paper.supersedes, None)
        if old.institution_id != institution_id or old.superseded_by is not None:
            raise Conflict("berkas_sudah_diganti")
    row = DocumentRow(
        id=paper.id or new_id(), institution_id=institution_id, region_code=region_code, kind=paper.kind,
        number=paper.number, dated=paper.dated, issuer=paper.issuer, sha256=bytes.fromhex(paper.sha256),
        scan=paper.scan, supersedes=paper.supersedes, client_ref=paper.client_ref,
    )  # fmt: skip
    if old is None:
        await _insert(uow, row)
    else:
        await _supersede(uow, row, old)
    await uow.audit("keep", "document", row, after={"kind": row.kind, "scan": row.scan})
    return row


async def _insert(uow: UnitOfWork, row: DocumentRow) -> None:
    try:
        async with uow.session.begin_nested():
            await uow.save(row)
    except IntegrityError as twice:
        if "document_once" in str(twice.orig):
            raise Conflict("berkas_sudah_ada") from None
        raise


async def _supersede(uow: UnitOfWork, row: DocumentRow, old: DocumentRow) -> None:
    """The old one first leaves its place in the index of live papers; the pointer follows when the new one is there."""
    old.superseded_by = old.id
    await uow.save(old)
    await _insert(uow, row)
    old.superseded_by = row.id
    await uow.session.flush()


async def record_scan(
    uow: UnitOfWork, document_id: UUID, result: Literal["clean", "infected"], expected: int
) -> DocumentRow:
    """Record what the scan of the file found. Raises Missing, Stale, Refused for another role or a second result."""
    row = await lock(
        uow, DocumentRow, document_id, expected, may=lambda row: check(uow, row.region_code, row.institution_id)
    )
    if not uow.actor.roles & SCANNERS:
        raise Refused(Refusal("role", (Reason("peran_tidak_berwenang"),)))
    if row.scan != "pending":
        raise Refused(Refusal("state", (Reason.of("langkah_tidak_berlaku", state=row.scan, command="RecordScan"),)))
    row.scan = result
    await uow.save(row)
    await uow.audit("record_scan", "document", row, before={"scan": "pending"}, after={"scan": result})
    return row
