"""Parked messages: what could not be handled, and what waits behind it for the sake of order.

A poison message blocks its key, never the partition. The content is kept encrypted, since a foreign message may hold
anything; the reason is a code. Officers of operations list, redrive or discard from the command line.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from kit.crypto.fields import FieldCipher
from kit.db.uow import UnitOfWork

_PARK = text(
    'INSERT INTO parked (topic, partition, "offset", key, event_id, type, headers_enc, payload_enc, reason, detail, attempts)'
    " VALUES (:topic, :partition, :offset, :key, :event_id, :type, :headers, :payload, :reason, :detail, :attempts)"
    ' ON CONFLICT (topic, partition, "offset") DO NOTHING'
)
_LIST = text(
    'SELECT id, topic, partition, "offset", key, event_id, type, reason, detail, attempts, parked_at FROM parked'
    " WHERE state = 'parked' ORDER BY parked_at, id LIMIT :limit"
)
_TAKE = text(
    'SELECT id, topic, partition, "offset", key, headers_enc, payload_enc FROM parked'
    " WHERE state = 'parked' AND topic = :topic AND key = :key ORDER BY \"offset\" LIMIT 1 FOR UPDATE"
)
_RESOLVE = text(
    "UPDATE parked SET state = :state, resolved_at = now(), resolved_by = :by, resolution = :why WHERE id = :id AND state = 'parked'"
)
_OF = text("SELECT topic, key FROM parked WHERE id = :id AND state = 'parked'")


@dataclass(frozen=True, slots=True)
class Message:
    """A Kafka message as it came: bytes and headers, and where it lay."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]

    @property
    def key_text(self) -> str:
        """The key as text for the blocking rule; undecodable bytes become their hex form."""
        try:
            return (self.key or b"").decode()
        except UnicodeDecodeError:
            return (self.key or b"").hex()


@dataclass(frozen=True, slots=True)
class Parked:
    """One waiting message as an operator sees it: where, what, why, since when; never the content."""

    id: UUID
    topic: str
    partition: int
    offset: int
    key: str
    event_id: str | None
    type: str | None
    reason: str
    detail: str
    attempts: int
    parked_at: datetime


async def park(
    uow: UnitOfWork,
    message: Message,
    *,
    reason: str,
    detail: str,
    attempts: int,
    event_id: str | None = None,
    type: str | None = None,
) -> None:
    """Store the whole message, encrypted, with the reason; the same message twice is one row."""
    cipher: FieldCipher = uow.runtime.fields
    place = f"parked:{message.topic}:{message.partition}:{message.offset}"
    headers = json.dumps([[name, base64.b64encode(raw).decode()] for name, raw in message.headers])
    await uow.execute(
        _PARK,
        {
            "topic": message.topic, "partition": message.partition, "offset": message.offset, "key": message.key_text,
            "event_id": event_id, "type": type, "reason": reason, "detail": detail[:300], "attempts": attempts,
            "headers": cipher.seal(headers, at=place + ":headers"),
            "payload": cipher.seal(base64.b64encode(message.value or b"").decode(), at=place + ":payload"),
        },
    )  # fmt: skip


async def listing(uow: UnitOfWork, limit: int = 200) -> list[Parked]:
    """The waiting messages, oldest first, at most `limit`."""
    rows = (await uow.execute(_LIST, {"limit": limit})).mappings()
    return [Parked(**dict(row)) for row in rows]


async def key_of(uow: UnitOfWork, id: UUID) -> tuple[str, str] | None:
    """Topic and key of a waiting message, or None."""
    row = (await uow.execute(_OF, {"id": id})).one_or_none()
    return None if row is None else (row.topic, row.key)


async def take(uow: UnitOfWork, topic: str, key: str) -> tuple[UUID, Message] | None:
    """The first waiting message of a key, held until the transaction ends."""
    row = (await uow.execute(_TAKE, {"topic": topic, "key": key})).mappings().one_or_none()
    if row is None:
        return None
    return row["id"], _open(uow.runtime.fields, dict(row))


async def resolve(uow: UnitOfWork, id: UUID, *, state: str, by: str, why: str) -> bool:
    """Mark a waiting message `redriven` or `discarded` (with a reason, audited). False when it no longer waits."""
    result: Any = await uow.execute(_RESOLVE, {"id": id, "state": state, "by": by, "why": why[:300]})
    if result.rowcount:
        await uow.append_audit("parked_" + state, "parked", id, None, reasons=[why[:100]])
    return bool(result.rowcount)


def _open(cipher: FieldCipher, row: Mapping[str, Any]) -> Message:
    place = f"parked:{row['topic']}:{row['partition']}:{row['offset']}"
    headers = [(n, base64.b64decode(v)) for n, v in json.loads(cipher.open(row["headers_enc"], at=place + ":headers"))]
    value = base64.b64decode(cipher.open(row["payload_enc"], at=place + ":payload"))
    return Message(row["topic"], row["partition"], row["offset"], row["key"].encode() or None, value, headers)
