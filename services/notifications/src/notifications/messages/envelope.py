"""The envelope of a message: what planning knows of it, the channel aside."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from notifications.messages.states import Class, Policy


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a message to one recipient is made of, before a channel is chosen."""

    event_id: UUID
    event_type: str
    event_time: datetime
    subject_id: UUID
    rule: str
    template: str
    message_class: Class
    lane: int
    policy: Policy
    recipient_kind: str
    recipient: str
    person_id: UUID | None
    officer_role: str | None
    lks_id: UUID | None
    region_code: str
    facts: Mapping[str, Any]
    supersede_key: str | None
    not_before: datetime
    expires_at: datetime
    mode: str = "live"
