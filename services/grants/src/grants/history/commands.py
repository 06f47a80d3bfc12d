"""Append a step to the history of a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Text

APPEND = text(
    "INSERT INTO step (file_kind, file_id, institution_id, command, from_state, to_state, on_date, at, actor, person_id,"
    " duty, document_id, reasons, facts) VALUES (:kind, :file, :institution, :command, :source, :target, :on, :at, :actor,"
    " :person, :duty, :document, :reasons, :facts)"
).bindparams(bindparam("facts", type_=JSONB), bindparam("reasons", type_=ARRAY(Text)))


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a file."""

    file_kind: str
    file_id: UUID
    institution_id: UUID
    command: str
    source: str | None
    target: str
    on: date
    duty: str | None = None
    document_id: UUID | None = None
    reasons: Sequence[str] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


async def append(uow: UnitOfWork, step: Step) -> None:
    """Append the step in this transaction, with the actor and the person behind it."""
    await uow.execute(
        APPEND,
        {
            "kind": step.file_kind, "file": step.file_id, "institution": step.institution_id, "command": step.command,
            "source": step.source, "target": step.target, "on": step.on, "at": uow.now, "actor": uow.actor.sub,
            "person": uow.actor.person_id, "duty": step.duty, "document": step.document_id,
            "reasons": list(step.reasons), "facts": dict(step.facts),
        },
    )  # fmt: skip


def command_name(command: object) -> str:
    """`RequestCorrection` as `request_correction`."""
    name = type(command).__name__
    return "".join("_" + c.lower() if c.isupper() and i else c.lower() for i, c in enumerate(name))


def new_duty(before: Mapping[str, frozenset[str]], after: Mapping[str, frozenset[str]]) -> str | None:
    """The duty that a step added a hand to."""
    return next((duty for duty, hands in after.items() if hands != before.get(duty)), None)
