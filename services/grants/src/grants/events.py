"""What grants tells others, and the small views of what it hears. Ids, codes, states, dates; never a name."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from pydantic import BaseModel, ConfigDict


class FileTold(BaseModel):
    """Everything that an event about a registration or accreditation may say; each event says what its contract names."""

    lks_id: UUID
    registration_id: UUID | None = None
    accreditation_id: UUID | None = None
    kind: str | None = None
    sections: list[str] | None = None
    standards: list[str] | None = None
    reasons: list[str] = []
    document_no: str | None = None
    grade: str | None = None
    visit_on: date | None = None
    issued_on: date | None = None
    valid_until: date | None = None
    appeal_until: date | None = None
    due_on: date | None = None
    days_left: int | None = None
    region: str
    state: str


class LifeSeen(BaseModel):
    """What of a changed life concerns the officers of institutions."""

    model_config = ConfigDict(extra="ignore")

    person_id: UUID
    life: str


def payload(uow: UnitOfWork, event: str, told: FileTold) -> Mapping[str, Any]:
    """The part of what is known that the event's contract names."""
    named = uow.runtime.contracts.event(event).schema["properties"]
    return {name: value for name, value in told.model_dump(mode="json", exclude_none=True).items() if name in named}
