"""Every SQL statement of the message slice: loading and locking, the work lists, attempts, the trace."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from sqlalchemy import TextClause, bindparam, select, text
from sqlalchemy.dialects.postgresql import JSONB

from notifications.messages.domain import Message
from notifications.messages.states import Channel, Policy, State
from notifications.messages.tables import AttemptRow, MessageRow
from notifications.templates.library import Text

KNOWN = text("SELECT recipient_kind, recipient, template FROM message WHERE event_id = :event")
REPLACED = text(
    "SELECT id, event_time FROM message WHERE supersede_key = :key AND recipient_kind = :kind AND recipient = :recipient"
    " AND event_id <> :event AND state IN ('planned', 'queued', 'deferred', 'sending', 'accepted', 'delivered', 'unconfirmed')"
    " ORDER BY id FOR UPDATE"
)
TO_PREPARE = text(
    "SELECT id FROM message WHERE state IN ('planned', 'rendered') AND not_before <= :now AND expires_at > :now"
    " ORDER BY lane, not_before LIMIT :limit"
)
TO_SEND = text(
    "SELECT id FROM message WHERE state = 'queued' AND channel = :channel AND not_before <= :now AND expires_at > :now"
    " ORDER BY lane, not_before, id LIMIT :limit"
)
CLAIMABLE = text("SELECT id FROM message WHERE id = ANY(:ids) AND state = :state ORDER BY id FOR UPDATE SKIP LOCKED")
DUE = text(
    "SELECT id, state FROM message WHERE state IN ('deferred', 'retry_wait', 'sending', 'unknown', 'accepted')"
    " AND next_at <= :now ORDER BY next_at LIMIT :limit"
)
PAST = text(
    "SELECT id FROM message WHERE state IN ('planned', 'rendered', 'queued', 'deferred', 'retry_wait')"
    " AND expires_at <= :now ORDER BY expires_at LIMIT :limit"
)
TRACE = text(
    "INSERT INTO decision (message_id, step, state, code, facts, at, actor)"
    " VALUES (:message, :step, :state, :code, :facts, :at, :actor)"
).bindparams(bindparam("facts", type_=JSONB))
KEEP_TEXT = text(
    "INSERT INTO template_text (version, template, locale, subject, body, first_used_at)"
    " VALUES (:version, :template, :locale, :subject, :body, :at) ON CONFLICT (version) DO NOTHING"
)
CLOSE_ATTEMPT = text(
    "UPDATE attempt SET ended_at = :at, outcome = :outcome, code = :code, provider_ref = coalesce(:ref, provider_ref)"
    " WHERE message_id = :message AND no = :no AND outcome IN ('pending', 'unknown')"
)
LATEST_ATTEMPT = text("SELECT id, provider, provider_ref FROM attempt WHERE message_id = :message AND no = :no")
ATTEMPT_ADDRESS = text("SELECT address_index, address_masked FROM attempt WHERE message_id = :message AND no = :no")
RECENT = text("SELECT count(*) FROM attempt WHERE channel = :channel AND started_at > :since")
PAUSED = text("SELECT until, code FROM channel_pause WHERE channel = :channel AND until > :now")
PAUSE = text(
    "INSERT INTO channel_pause (channel, until, code) VALUES (:channel, :until, :code)"
    " ON CONFLICT (channel) DO UPDATE SET until = greatest(channel_pause.until, excluded.until), code = excluded.code"
)
PROGRAMME = text("SELECT code FROM programme WHERE id = :id")
KEEP_PROGRAMME = text(
    "INSERT INTO programme (id, code, sequence) VALUES (:id, :code, :sequence)"
    " ON CONFLICT (id) DO UPDATE SET code = excluded.code, sequence = excluded.sequence"
    " WHERE programme.sequence < excluded.sequence"
)


@dataclass(frozen=True, slots=True)
class Call:
    """A message that was claimed: what the worker needs to make the call, no address among it."""

    message_id: UUID
    attempt_id: UUID
    attempt: int
    subject: str
    body: str
    locale: str


def message_of(row: MessageRow) -> Message:
    """The row as the domain sees it."""
    return Message(
        state=State(row.state),
        channel=Channel(row.channel),
        policy=Policy(row.max_attempts, row.resends_unknown, row.keeps_quiet, row.mandatory),
        expires_at=row.expires_at,
        attempts=row.attempts,
        allowance=row.allowance,
        resends=row.resends,
        next_at=row.next_at,
        code=row.code,
    )


def put(row: MessageRow, message: Message) -> None:
    """Write what the domain decided onto the row."""
    row.state = message.state.value
    row.expires_at = message.expires_at
    row.attempts, row.allowance, row.resends = message.attempts, message.allowance, message.resends
    row.next_at, row.code = message.next_at, message.code


async def ids(uow: UnitOfWork, sql: TextClause, **params: object) -> list[UUID]:
    """The ids of a work list, bounded by its own limit."""
    return list((await uow.execute(sql, params)).scalars())


async def due(uow: UnitOfWork, limit: int) -> list[tuple[UUID, State]]:
    """Messages on which the clock acts now."""
    return [(r.id, State(r.state)) for r in await uow.execute(DUE, {"now": uow.now, "limit": limit})]


async def rows(uow: UnitOfWork, wanted: Sequence[UUID]) -> list[MessageRow]:
    """The rows of these ids, unlocked."""
    found = await uow.session.execute(select(MessageRow).where(MessageRow.id.in_(wanted)))  # type: ignore[attr-defined]
    return list(found.scalars())


async def lock_free(uow: UnitOfWork, wanted: Sequence[UUID], state: State) -> list[MessageRow]:
    """Those of the ids that are still in the state and that nobody holds; held until the transaction ends."""
    free = await ids(uow, CLAIMABLE, ids=list(wanted), state=state.value)
    return await rows(uow, free) if free else []


async def known(uow: UnitOfWork, event_id: UUID) -> set[tuple[str, str, str]]:
    """Who was already planned to hear of this event, with which text, by whatever channel."""
    return {(r.recipient_kind, r.recipient, r.template) for r in await uow.execute(KNOWN, {"event": event_id})}


async def with_key(uow: UnitOfWork, row: MessageRow) -> list[tuple[UUID, datetime]]:
    """Messages to the same recipient under the same supersede key, with the time of their event."""
    params = {"key": row.supersede_key, "kind": row.recipient_kind, "recipient": row.recipient, "event": row.event_id}
    return [(r.id, r.event_time) for r in await uow.execute(REPLACED, params)]


async def trace(uow: UnitOfWork, row: MessageRow, step: str, facts: Mapping[str, Any], code: str | None = None) -> None:
    """Append why something happened to a message, or did not; read by `GET /v1/messages/{id}/trace`."""
    await uow.execute(
        TRACE,
        {
            "message": row.id, "step": step, "state": row.state, "code": code or row.code, "facts": dict(facts),
            "at": uow.now, "actor": uow.actor.sub,
        },
    )  # fmt: skip


async def keep_text(uow: UnitOfWork, used: Text) -> None:
    """Keep the text of a version for as long as messages point at it."""
    params = {"version": used.version, "template": used.template, "locale": used.locale}
    await uow.execute(KEEP_TEXT, {**params, "subject": used.subject, "body": used.body, "at": uow.now})


async def open_attempt(uow: UnitOfWork, attempt: AttemptRow) -> None:
    """Write the attempt before the call; the commit of this transaction is what allows the call."""
    uow.session.add(attempt)
    await uow.session.flush()


async def close_attempt(
    uow: UnitOfWork, message_id: UUID, no: int, outcome: str, *, code: str | None = None, ref: str | None = None
) -> None:
    """Record how a call ended; an outcome that stands is not overwritten, an unknown one is."""
    params = {"message": message_id, "no": no, "outcome": outcome, "code": code, "ref": ref, "at": uow.now}
    await uow.execute(CLOSE_ATTEMPT, params)


async def latest_attempt(uow: UnitOfWork, row: MessageRow) -> Any:
    """The attempt that the message speaks of now: id, provider, provider_ref."""
    return (await uow.execute(LATEST_ATTEMPT, {"message": row.id, "no": row.attempts})).one_or_none()


async def recent_attempts(uow: UnitOfWork, channel: Channel, since: datetime) -> int:
    """Calls on a channel since a moment, of all workers."""
    return int((await uow.execute(RECENT, {"channel": channel.value, "since": since})).scalar_one())


async def paused_until(uow: UnitOfWork, channel: Channel) -> datetime | None:
    """Until when the provider asked for silence, or None."""
    row = (await uow.execute(PAUSED, {"channel": channel.value, "now": uow.now})).one_or_none()
    return None if row is None else row.until


async def pause(uow: UnitOfWork, channel: Channel, until: datetime, code: str) -> None:
    """Keep the whole channel quiet until then; a later end wins."""
    await uow.execute(PAUSE, {"channel": channel.value, "until": until, "code": code})


async def programme_code(uow: UnitOfWork, programme_id: object) -> str | None:
    """The code of a programme, from its own events; None for one never heard of."""
    return (await uow.execute(PROGRAMME, {"id": str(programme_id)})).scalar_one_or_none()


async def keep_programme(uow: UnitOfWork, programme_id: UUID, code: str, sequence: int) -> None:
    """Remember the code of a programme; an older event changes nothing."""
    await uow.execute(KEEP_PROGRAMME, {"id": programme_id, "code": code, "sequence": sequence})


async def address_of(uow: UnitOfWork, message_id: UUID, no: int) -> tuple[bytes, str]:
    """The keyed hash and the masked form of the address of an attempt."""
    row = (await uow.execute(ATTEMPT_ADDRESS, {"message": message_id, "no": no})).one()
    return bytes(row.address_index), str(row.address_masked)
