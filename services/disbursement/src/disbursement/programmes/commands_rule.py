"""Rule versions: write, review, publish. Once published a version never changes; a newer one takes over its later days."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork, lock
from kit.errors import Invalid, Refused
from kit.ids import new_id
from kit.machine import Reason, Refusal
from sqlalchemy.dialects.postgresql import Range

from disbursement.claims.profile import read
from disbursement.events import ProgrammeTold
from disbursement.programmes import queries, store
from disbursement.programmes.tables import ProgrammeRow, RuleVersionRow
from disbursement.programmes.versions import (
    Publish,
    Review,
    RuleVersion,
    Supersede,
    VersionState,
    WithdrawVersion,
    decide_version,
)
from disbursement.rules import book
from disbursement.rules.ast import RuleError


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A rule version as written: the rule, what it is worth, which papers it asks for, and from when."""

    ast: dict[str, Any]
    benefit: dict[str, Any]
    docs: list[dict[str, Any]]
    effective_from: date
    effective_to: date | None = None
    legal_basis_id: UUID | None = None
    funding_line_id: UUID | None = None
    quota: int | None = None
    retro_document: str | None = None
    id: UUID | None = None
    client_ref: str | None = None


async def write(uow: UnitOfWork, programme_id: UUID, new: NewVersion) -> RuleVersionRow:
    """Write a version (program_manager). Raises Invalid with the place of the first fault, Refused for another role."""
    if "program_manager" not in uow.context.roles:
        raise Refused(Refusal("role", (Reason("peran_tidak_berwenang"),)))
    programme = await lock(uow, ProgrammeRow, programme_id, None)
    try:
        read_book = book.read(new.ast, new.benefit, new.docs)
        read(new.ast)
    except RuleError as fault:
        raise Invalid.field(f"/body/ast{fault.pointer}", fault.code) from fault
    row = RuleVersionRow(
        id=new.id or new_id(),
        client_ref=new.client_ref,
        mode=programme.mode,
        programme_id=programme_id,
        no=await store.next_no(uow, programme_id),
        effective=Range(new.effective_from, new.effective_to, bounds="[)"),
        date_basis=read_book.rule.basis,
        ast=new.ast,
        benefit=new.benefit,
        docs=new.docs,
        legal_basis_id=new.legal_basis_id or programme.legal_basis_id,
        funding_line_id=new.funding_line_id or programme.funding_line_id,
        quota=new.quota,
        sha256=fingerprint(new),
        state=VersionState.DRAFT.value,
        written_by=uow.actor.sub,
        retro_document=new.retro_document,
    )
    await uow.save(row)
    await uow.audit("rule:write", "rule_version", row, after={"state": row.state, "no": row.no, "sha256": row.sha256})
    return row


def fingerprint(new: NewVersion) -> str:
    """SHA-256 over the canonical JSON of rule, benefit and papers: what was published can be shown to be what decided."""
    body = json.dumps([new.ast, new.benefit, new.docs], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(body.encode()).hexdigest()


async def review(uow: UnitOfWork, version_id: UUID, expected: int) -> RuleVersionRow:
    """Read a version that somebody else wrote, and find it right."""
    row = await lock(uow, RuleVersionRow, version_id, expected)
    version, _ = uow.settle(decide_version(_seen(row), Review(), uow.context))
    row.state, row.reviewed_by = version.state.value, version.reviewed_by
    await uow.save(row)
    await uow.audit("rule:review", "rule_version", row, after={"state": row.state})
    return row


async def publish(uow: UnitOfWork, version_id: UUID, expected: int) -> RuleVersionRow:
    """Publish a reviewed version (kadis). Versions whose days it takes over end the day before, and stay for the past."""
    row = await lock(uow, RuleVersionRow, version_id, expected)
    programme = await lock(uow, ProgrammeRow, row.programme_id, None)
    command = Publish(legal_basis=row.legal_basis_id is not None)
    version, event = uow.settle(decide_version(_seen(row), command, uow.context))
    for older in await store.overlapping(uow, row):
        await _cut(uow, programme, older, row)
    row.state, row.published_at = version.state.value, uow.now
    await uow.save(row)
    await _tell(uow, programme, row, event)
    await uow.audit("rule:publish", "rule_version", row, after={"state": row.state, "sha256": row.sha256})
    return row


async def withdraw(uow: UnitOfWork, version_id: UUID, reason: str, expected: int) -> RuleVersionRow:
    """Take a version back before it takes effect (kadis)."""
    row = await lock(uow, RuleVersionRow, version_id, expected)
    programme = await lock(uow, ProgrammeRow, row.programme_id, None)
    version, event = uow.settle(decide_version(_seen(row), WithdrawVersion(reason), uow.context))
    row.state = version.state.value
    await uow.save(row)
    await _tell(uow, programme, row, event)
    await uow.audit("rule:withdraw", "rule_version", row, after={"state": row.state}, reasons=[reason])
    return row


async def acknowledge(uow: UnitOfWork, version_id: UUID) -> None:
    """Note that the officer has read the version."""
    await queries.version(uow, version_id)
    await store.acknowledge(uow, version_id)


async def _cut(uow: UnitOfWork, programme: ProgrammeRow, older: RuleVersionRow, newer: RuleVersionRow) -> None:
    """End an older version where the newer begins. One that begins inside the newer's days cannot be cut."""
    start = newer.effective.lower
    if older.effective.lower is None or start is None or older.effective.lower >= start:
        uow.settle(Refusal.because("masa_aturan_bertumpuk"))
    _, event = (
        uow.settle(decide_version(_seen(older), Supersede(), uow.context))
        if (older.state == VersionState.PUBLISHED)
        else (None, "rule.superseded")
    )
    older.state = VersionState.SUPERSEDED.value
    older.effective = Range(older.effective.lower, start, bounds="[)")
    await uow.save(older)
    await _tell(uow, programme, older, event)


async def _tell(uow: UnitOfWork, programme: ProgrammeRow, row: RuleVersionRow, event: str | None) -> None:
    if event is None:
        return
    basis = await queries.legal_basis(uow, row.legal_basis_id)
    told = ProgrammeTold(
        programme_id=programme.id,
        code=programme.code,
        state=row.state,
        rule_version_id=row.id,
        effective_from=row.effective.lower,
        effective_to=row.effective.upper,
        legal_basis=queries.cite(basis) if event == "rule.published" else None,
    )
    await uow.announce(programme, event, told)


def _seen(row: RuleVersionRow) -> RuleVersion:
    if row.effective.lower is None:
        raise ValueError("a rule version begins on a day")
    return RuleVersion(
        VersionState(row.state), row.written_by, row.reviewed_by, row.effective.lower, row.retro_document
    )
