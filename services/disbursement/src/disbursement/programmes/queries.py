"""Reads of programmes and rule versions: which rules hold for a day, and what they rest on."""

from datetime import date, datetime
from typing import TypeAlias
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Missing
from pydantic import BaseModel, ConfigDict
from sqlmodel import col, or_, select, tuple_

from disbursement.programmes.domain import Closing, Grace
from disbursement.programmes.tables import LegalBasis, ProgrammeRow, RuleVersionRow

IN_FORCE = ("published", "superseded")
"""A superseded version keeps its days: it decides what fell into them."""


Row: TypeAlias = ProgrammeRow
Version: TypeAlias = RuleVersionRow
Basis: TypeAlias = LegalBasis


class StoredGrace(BaseModel):
    """One grace as it stands in `programme.closing`."""

    doc: str
    until: datetime


class StoredClosing(BaseModel):
    """`programme.closing` as JSON."""

    model_config = ConfigDict(extra="forbid")
    document: str
    intake_cutoff: datetime
    grace: list[StoredGrace] = []
    rounds_left: int = 0
    run_out_on: date | None = None


async def programme(uow: UnitOfWork, programme_id: UUID) -> ProgrammeRow:
    """One programme; raises Missing."""
    row = await uow.session.get(ProgrammeRow, programme_id)
    if row is None:
        raise Missing("programme")
    return row


def closing_of(row: ProgrammeRow) -> Closing | None:
    """The closing of a programme as the domain reads it."""
    if row.closing is None:
        return None
    stored = StoredClosing.model_validate(row.closing)
    return Closing(
        stored.document,
        stored.intake_cutoff,
        tuple(Grace(g.doc, g.until) for g in stored.grace),
        stored.rounds_left,
        stored.run_out_on,
    )


async def version(uow: UnitOfWork, version_id: UUID) -> RuleVersionRow:
    """One rule version; raises Missing."""
    row = await uow.session.get(RuleVersionRow, version_id)
    if row is None:
        raise Missing("rule_version")
    return row


async def version_for(
    uow: UnitOfWork, programme_id: UUID, *, event_on: date | None = None, filed_on: date | None = None,
    period_start: date | None = None,
) -> RuleVersionRow | None:  # fmt: skip
    """The rule version that holds, each version by its own date basis; the newest when two bases both fit."""
    days = {"event_date": event_on, "filed_at": filed_on, "period_start": period_start}
    fits = [
        (col(RuleVersionRow.date_basis) == basis) & col(RuleVersionRow.effective).contains(day)
        for basis, day in days.items()
        if day is not None
    ]
    statement = (
        select(RuleVersionRow)
        .where(RuleVersionRow.programme_id == programme_id, col(RuleVersionRow.state).in_(IN_FORCE), or_(*fits))
        .order_by(col(RuleVersionRow.no).desc())
        .limit(1)
    )
    return (await uow.session.execute(statement)).scalar_one_or_none()


async def legal_basis(uow: UnitOfWork, basis_id: UUID | None) -> LegalBasis | None:
    """One legal basis, if any is named."""
    return None if basis_id is None else await uow.session.get(LegalBasis, basis_id)


async def versions(uow: UnitOfWork, programme_id: UUID) -> list[RuleVersionRow]:
    """All versions of a programme's rules, newest first (at most 200)."""
    statement = (
        select(RuleVersionRow)
        .where(RuleVersionRow.programme_id == programme_id)
        .order_by(col(RuleVersionRow.no).desc())
        .limit(200)
    )
    return list((await uow.session.execute(statement)).scalars())


async def by_code(uow: UnitOfWork, code: str) -> ProgrammeRow | None:
    """The programme of a code."""
    return (await uow.session.execute(select(ProgrammeRow).where(ProgrammeRow.code == code))).scalar_one_or_none()


async def listed(
    uow: UnitOfWork, *, code: str | None, client_ref: str | None, state: str | None, after: tuple[str, UUID] | None,
    take: int,
) -> list[ProgrammeRow]:  # fmt: skip
    """Programmes in the order of their codes."""
    statement = select(ProgrammeRow).order_by(col(ProgrammeRow.code), col(ProgrammeRow.id)).limit(take)
    if code is not None:
        statement = statement.where(ProgrammeRow.code == code)
    if client_ref is not None:
        statement = statement.where(ProgrammeRow.client_ref == client_ref, ProgrammeRow.client == uow.actor.client)
    if state is not None:
        statement = statement.where(ProgrammeRow.state == state)
    if after is not None:
        statement = statement.where(tuple_(ProgrammeRow.code, ProgrammeRow.id) > after)
    return list((await uow.session.execute(statement)).scalars())


async def bases(uow: UnitOfWork, take: int) -> list[LegalBasis]:
    """Legal bases, newest first."""
    statement = select(LegalBasis).order_by(col(LegalBasis.issued_on).desc(), col(LegalBasis.id)).limit(take)
    return list((await uow.session.execute(statement)).scalars())


def cite(basis: LegalBasis | None) -> str | None:
    """A regulation as it is cited: `Perwal 10/2026 (2026-03-01)`, at most 80 characters."""
    if basis is None:
        return None
    return f"{basis.kind.capitalize()} {basis.number} ({basis.issued_on.isoformat()})"[:80]
