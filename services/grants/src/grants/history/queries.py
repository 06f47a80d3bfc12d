"""Reads of the history: who touched a file, what happened to it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from sqlalchemy import text

HANDS = text("SELECT duty, actor, person_id FROM step WHERE file_id = :file AND duty IS NOT NULL")
STEPS = text(
    "SELECT no, command, from_state, to_state, on_date, at, actor, document_id, reasons FROM step WHERE file_id = :file"
    " ORDER BY no LIMIT 500"
)


async def hands(uow: UnitOfWork, file_id: UUID) -> Mapping[str, frozenset[str]]:
    """The accounts and persons by duty, over the whole life of the file."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in await uow.execute(HANDS, {"file": file_id}):
        found[row.duty] |= {row.actor} | ({f"person:{row.person_id}"} if row.person_id else set())
    return {duty: frozenset(people) for duty, people in found.items()}


async def steps(uow: UnitOfWork, file_id: UUID) -> Sequence[Any]:
    """The steps of a file in order."""
    return (await uow.execute(STEPS, {"file": file_id})).all()
