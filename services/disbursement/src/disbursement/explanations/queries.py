"""Why: the answers that are read from stored decisions, never computed anew. The same question later has the same answer."""

from dataclasses import dataclass
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Missing
from sqlmodel import col, select

from disbursement.citizens import only_own
from disbursement.explanations.tables import DecisionRow
from disbursement.programmes import queries as programmes

MOST = 100
"""Decisions of one answer, newest first."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A decision with the rule version and the legal basis it rested on."""

    decision: DecisionRow
    version: programmes.Version | None
    basis: programmes.Basis | None


async def of_file(uow: UnitOfWork, aggregate: str, aggregate_id: UUID) -> list[Explained]:
    """All decisions on one file, newest first. Raises Missing when there is none in the actor's regions."""
    statement = (
        select(DecisionRow)
        .where(DecisionRow.aggregate == aggregate, DecisionRow.aggregate_id == aggregate_id)
        .order_by(col(DecisionRow.at).desc(), col(DecisionRow.id).desc())
        .limit(MOST)
    )
    rows = list((await uow.session.execute(statement)).scalars())
    if not rows:
        raise Missing("decision")
    uow.within(rows[0].region_code)
    only_own(uow.actor, rows[0].subject_person_id)
    return await _explained(uow, rows)


async def of_subject(uow: UnitOfWork, person_id: UUID, programme_id: UUID | None) -> list[Explained]:
    """All decisions about one person, newest first, that lie in the actor's regions."""
    only_own(uow.actor, person_id)
    statement = (
        select(DecisionRow)
        .where(DecisionRow.subject_person_id == person_id)
        .order_by(col(DecisionRow.at).desc(), col(DecisionRow.id).desc())
        .limit(MOST)
    )
    if programme_id is not None:
        statement = statement.where(DecisionRow.programme_id == programme_id)
    rows = [r for r in (await uow.session.execute(statement)).scalars() if uow.actor.sees(r.region_code)]
    return await _explained(uow, rows)


async def _explained(uow: UnitOfWork, rows: list[DecisionRow]) -> list[Explained]:
    found = []
    for row in rows:
        version = None if row.rule_version_id is None else await programmes.version(uow, row.rule_version_id)
        basis_id = None
        if version is not None:
            basis_id = version.legal_basis_id
        else:
            basis_id = (await programmes.programme(uow, row.programme_id)).legal_basis_id
        found.append(Explained(row, version, await programmes.legal_basis(uow, basis_id)))
    return found
