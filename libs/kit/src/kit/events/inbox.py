"""The inbox: which events are new, what waits behind a parked message, and how far each key of a topic has come.

Only the consumer comes in here. Both statements take their rows in sorted order: unsorted batches deadlock.
"""

from collections.abc import Collection, Container, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from kit.db.uow import UnitOfWork
from kit.events.envelope import BrokenEnvelope, Event
from kit.events.parked import Message
from kit.metrics import consumer_events

_TAKE_IN = text(
    """
    WITH waiting AS (
        SELECT DISTINCT key FROM parked WHERE topic = :topic AND key = ANY(CAST(:every AS text[])) AND state = 'parked'
    ), fresh AS (
        INSERT INTO inbox (event_id, topic, key, sequence, type)
        SELECT id, :topic, key, sequence, type
          FROM unnest(CAST(:ids AS uuid[]), CAST(:keys AS uuid[]), CAST(:texts AS text[]), CAST(:sequences AS bigint[]), CAST(:types AS text[]))
               AS m(id, key, text, sequence, type)
         WHERE text NOT IN (SELECT key FROM waiting) ORDER BY id ON CONFLICT DO NOTHING RETURNING event_id
    ), found AS (
        SELECT key, last_sequence FROM stream_position
         WHERE topic = :topic AND key = ANY(CAST(:streams AS uuid[])) ORDER BY key FOR UPDATE
    )
    SELECT ARRAY(SELECT key FROM waiting) AS waiting, ARRAY(SELECT event_id FROM fresh) AS fresh,
           ARRAY(SELECT key FROM found) AS streams, ARRAY(SELECT last_sequence FROM found) AS sequences
    """
)
_ADVANCE = text(
    "INSERT INTO stream_position (topic, key, last_sequence, gaps)"
    " SELECT :topic, k, s, g FROM unnest(:keys, CAST(:sequences AS bigint[]), CAST(:gaps AS int[])) AS m(k, s, g) ORDER BY k"
    " ON CONFLICT (topic, key) DO UPDATE SET last_sequence = greatest(stream_position.last_sequence, excluded.last_sequence),"
    " gaps = stream_position.gaps + excluded.gaps"
).bindparams(bindparam("keys", type_=ARRAY(PG_UUID)))


@dataclass(slots=True)
class Stream:
    """How far each key of a chunk's topic was applied: as found, as it is now, and the gaps seen on the way."""

    found: dict[UUID, int]
    now: dict[UUID, int] = field(default_factory=dict)
    gaps: dict[UUID, int] = field(default_factory=dict)

    def last(self, key: UUID) -> int | None:
        return self.now.get(key, self.found.get(key))

    def advance(self, key: UUID, sequence: int) -> None:
        """Remember that the event was applied or skipped. A gap is counted; events carry the state after them."""
        last = self.last(key)
        if last is not None and sequence > last + 1:
            self.gaps[key] = self.gaps.get(key, 0) + 1
            consumer_events.labels(outcome="gap").inc()
        self.now[key] = sequence


async def take_in(
    uow: UnitOfWork,
    events: Sequence[tuple[Message, Event | BrokenEnvelope]],
    wanted: Container[str],
    *,
    blocked: Collection[str],
) -> tuple[frozenset[str], set[UUID], Stream]:
    """Insert the ids of `wanted` types that are new, and lock the positions, with one statement.

    Answers which of `blocked` (keys that may wait behind a parked message) do wait, which ids are new, how far it is.
    """
    known = [(message, event) for message, event in events if isinstance(event, Event)]
    good = {event.id: (message, event) for message, event in known if event.type in wanted}.values()
    given = {
        "topic": events[0][0].topic, "every": list(blocked), "streams": list({event.key for _, event in known}),
        "ids": [e.id for _, e in good], "keys": [e.key for _, e in good], "texts": [m.key_text for m, _ in good],
        "sequences": [e.sequence for _, e in good], "types": [e.type for _, e in good],
    }  # fmt: skip
    row = (await uow.execute(_TAKE_IN, given)).one()
    return frozenset(row.waiting), set(row.fresh), Stream(dict(zip(row.streams, row.sequences, strict=True)))


async def advance(uow: UnitOfWork, topic: str, stream: Stream) -> None:
    """Write the positions of a chunk with one statement: most events of a busy topic are only skipped."""
    if stream.now:
        keys = list(stream.now)
        sequences, gaps = [stream.now[k] for k in keys], [stream.gaps.get(k, 0) for k in keys]
        await uow.execute(_ADVANCE, {"topic": topic, "keys": keys, "sequences": sequences, "gaps": gaps})
