"""Every SQL statement of the accreditation slice."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.errors import Missing
from pydantic import TypeAdapter
from sqlalchemy import text
from sqlmodel import col, select

from grants.accreditation.cycle import Answer, Cycle, Grade, Paper, State, Verdict
from grants.accreditation.tables import AccreditationRow

NEWER = text(
    "SELECT EXISTS (SELECT FROM accreditation WHERE institution_id = :institution AND id <> :id AND state = 'accredited'"
    " AND issued_on >= coalesce(:issued, issued_on))"
)
ENDED = text(
    "SELECT id FROM accreditation WHERE state = 'accredited' AND valid_until < :today ORDER BY valid_until LIMIT :limit"
)
OLDER = text(
    "SELECT id FROM accreditation WHERE institution_id = :institution AND id <> :id AND state = 'accredited'"
    " AND issued_on <= :issued ORDER BY id"
)
_VERDICT = TypeAdapter(Verdict)
_PAPER = TypeAdapter(Paper)


def cycle_of(row: AccreditationRow, hands: Mapping[str, frozenset[str]]) -> Cycle:
    """The row as the domain sees it."""
    return Cycle(
        state=State(row.state),
        answers={name: Answer(**answer) for name, answer in row.answers.items()},
        visit_on=row.visit_on,
        visits=row.visits,
        entered=None if row.entered is None else _VERDICT.validate_python(row.entered),
        grade=None if row.grade is None else Grade(row.grade),
        issued_on=row.issued_on,
        valid_until=row.valid_until,
        revocation=None if row.revocation is None else _PAPER.validate_python(row.revocation),
        reasons=tuple(row.reasons),
        hands=hands,
    )


def put(row: AccreditationRow, cycle: Cycle) -> None:
    """Write what the domain decided onto the row."""
    row.state, row.visit_on, row.visits = cycle.state.value, cycle.visit_on, cycle.visits
    row.answers = {name: asdict(answer) for name, answer in cycle.answers.items()}
    row.entered = None if cycle.entered is None else _plain(_VERDICT, cycle.entered)
    row.revocation = None if cycle.revocation is None else _plain(_PAPER, cycle.revocation)
    row.grade = None if cycle.grade is None else cycle.grade.value
    row.issued_on, row.valid_until, row.reasons = cycle.issued_on, cycle.valid_until, list(cycle.reasons)


def _plain(adapter: TypeAdapter[Any], value: object) -> dict[str, Any]:
    plain: dict[str, Any] = adapter.dump_python(value, mode="json")
    return plain


async def institution_of(uow: UnitOfWork, accreditation_id: UUID) -> UUID:
    """Whose cycle it is, before anything is locked. Raises Missing."""
    query = select(AccreditationRow.institution_id).where(col(AccreditationRow.id) == accreditation_id)
    found = (await uow.session.execute(query)).scalar_one_or_none()
    if found is None:
        raise Missing("accreditation")
    return found


async def newer(uow: UnitOfWork, institution_id: UUID, but: UUID, issued_on: date | None) -> bool:
    """Whether another accreditation, issued on or after this one, holds its place."""
    params = {"institution": institution_id, "id": but, "issued": issued_on}
    return bool((await uow.execute(NEWER, params)).scalar_one())


async def older(uow: UnitOfWork, institution_id: UUID, but: UUID, issued_on: date | None) -> list[UUID]:
    """Accreditations that a new one replaces."""
    params = {"institution": institution_id, "id": but, "issued": issued_on}
    return list((await uow.execute(OLDER, params)).scalars())


async def ended(uow: UnitOfWork, limit: int) -> list[UUID]:
    """Accreditations whose last day has passed."""
    return list((await uow.execute(ENDED, {"today": uow.today, "limit": limit})).scalars())
