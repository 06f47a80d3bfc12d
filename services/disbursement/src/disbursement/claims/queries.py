"""Reads of claims: one file with its papers, lists by state and region, look-up by the caller's own reference."""

from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Missing
from sqlalchemy import text
from sqlmodel import col, or_, select

from disbursement.citizens import is_citizen, only_own
from disbursement.claims import store
from disbursement.claims.tables import ClaimRow
from disbursement.rules.papers import Paper

FUNNEL = text(
    """
    SELECT state, count(*) AS n, coalesce(sum(amount_idr), 0) AS idr FROM claim
    WHERE programme_id = :programme_id AND mode = 'live' GROUP BY state ORDER BY state
    """
)


Row: TypeAlias = ClaimRow


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list of claims is about."""

    programme_id: UUID | None = None
    state: str | None = None
    region: str | None = None
    claimant_person_id: UUID | None = None
    death_record_id: UUID | None = None
    client_ref: str | None = None


async def claim(uow: UnitOfWork, claim_id: UUID) -> tuple[ClaimRow, tuple[Paper, ...]]:
    """One claim with its papers. A citizen reads only their own; raises Missing or OutOfRegion."""
    row = await uow.session.get(ClaimRow, claim_id)
    if row is None:
        raise Missing("claim")
    uow.within(row.region_code)
    only_own(uow.actor, row.claimant_person_id)
    return row, await store.papers(uow, claim_id)


async def listed(uow: UnitOfWork, by: Filter, after: UUID | None, take: int) -> list[ClaimRow]:
    """Claims in the order of their opening, within the actor's regions."""
    statement = select(ClaimRow).order_by(col(ClaimRow.id)).limit(take)
    equals: tuple[tuple[Any, Any], ...] = (
        (ClaimRow.programme_id, by.programme_id),
        (ClaimRow.state, by.state),
        (ClaimRow.claimant_person_id, by.claimant_person_id),
        (ClaimRow.death_record_id, by.death_record_id),
        (ClaimRow.client_ref, by.client_ref),
    )
    for column, value in equals:
        if value is not None:
            statement = statement.where(col(column) == value)
    if is_citizen(uow.actor):
        statement = statement.where(ClaimRow.claimant_person_id == uow.actor.person_id)
    if by.client_ref is not None:
        statement = statement.where(ClaimRow.client == uow.actor.client)
    if by.region is not None:
        code = col(ClaimRow.region_code)
        statement = statement.where(or_(code == by.region, code.startswith(by.region + ".", autoescape=True)))
    if after is not None:
        statement = statement.where(col(ClaimRow.id) > after)
    return list((await uow.session.execute(statement)).scalars())


async def funnel(uow: UnitOfWork, programme_id: UUID) -> list[dict[str, Any]]:
    """How many claims stand in each state, and their sum: no file is hidden (M11)."""
    result = await uow.execute(FUNNEL, {"programme_id": programme_id})
    return [{"state": r["state"], "count": r["n"], "total_idr": int(r["idr"])} for r in result.mappings()]
