"""What notifications tells others, and the small views of what it hears. Never an address, a name or a text."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class MessageTold(BaseModel):
    """Payload of every `notification.*` event."""

    message_id: UUID
    event_id: UUID
    event_type: str
    template: str
    message_class: str
    channel: str
    language: str | None = None
    person_id: UUID | None = None
    officer_role: str | None = None
    lks_id: UUID | None = None
    attempt_no: int
    reason: str | None = None
    until: datetime | None = None
    state: str


class ProgrammeSeen(BaseModel):
    """The two fields of a programme that a text may name."""

    model_config = ConfigDict(extra="ignore")

    programme_id: UUID
    code: str
