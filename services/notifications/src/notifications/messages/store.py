"""Every SQL statement of the message slice: loading and locking, the work lists, attempts, the trace."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from sqlalchemy import TextClause, bindparam, select, text
from sqlalchemy.dialects.postgresql import JSONB

from notifications.messages.domain import Message
from notifications.messages.envelope import Envelope
from notifications.messages.states import Channel, Policy, State
from notifications.messages.tables import AttemptRow, MessageRow
from notifications.templates.library import Text

KNOWN = text("SELECT event_id, recipient_kind, recipient, template FROM message WHERE event_id = ANY(:events)")
REPLACED = text(
    "SELECT id, event_time FROM message WHERE supersede_key = :key AND recipient_kind = :kind AND recipient = :recipient"
    " AND event_id <> :event AND state IN ('planned', 'queued', 'deferred', 'sending', 'accepted', 'delivered', 'unconfirmed')"
    " ORDER BY id FOR UPDATE"
)
UNDER_KEYS = text(
    "SELECT supersede_key, recipient_kind, recipient, event_id FROM message WHERE supersede_key = ANY(:keys)"
    " AND state IN ('planned', 'queued', 'deferred', 'sending', 'accepted', 'delivered', 'unconfirmed')"
)
ADD_MANY = """
INSERT INTO message (id, created_by, created_at, updated_at, client, version, seq, mode, state, message_class, channel,
    lane, event_id, event_type, event_time, subject_id, rule, template, recipient_kind, recipient, person_id, officer_role,
    lks_id, region_code, facts, fallback, supersede_key, not_before, expires_at, max_attempts, resends_unknown,
    keeps_quiet, mandatory, allowance)
SELECT id, $1, $2, $2, $3, version, seq, mode, state, message_class, channel,
    lane, event_id, event_type, event_time, subject_id, rule, template, recipient_kind, recipient, person_id, officer_role,
    lks_id, region_code, facts::jsonb, fallback::text[], supersede_key, not_before, expires_at, max_attempts,
    resends_unknown, keeps_quiet, mandatory, allowance
  FROM unnest($4::uuid[], $5::int[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::text[], $11::smallint[],
    $12::uuid[], $13::text[], $14::timestamptz[], $15::uuid[], $16::text[], $17::text[], $18::text[], $19::text[],
    $20::uuid[], $21::text[], $22::uuid[], $23::text[], $24::text[], $25::text[], $26::text[], $27::timestamptz[],
    $28::timestamptz[], $29::int[], $30::int[], $31::bool[], $32::bool[], $33::int[])
    AS m(id, version, seq, mode, state, message_class, channel, lane, event_id, event_type, event_time, subject_id, rule,
    template, recipient_kind, recipient, person_id, officer_role, lks_id, region_code, facts, fallback, supersede_key,
    not_before, expires_at, max_attempts, resends_unknown, keeps_quiet, mandatory, allowance)
 ORDER BY id
"""
TRACE_MANY = """
INSERT INTO decision (message_id, step, state, code, facts, at, actor)
SELECT message_id, step, state, code, facts::jsonb, $1, $2
  FROM unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[]) WITH ORDINALITY
    AS d(message_id, step, state, code, facts, no)
 ORDER BY no
"""
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
PROGRAMMES = text("SELECT id, code FROM programme WHERE id = ANY(:ids)")
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


@dataclass(frozen=True, slots=True)
class Planned:
    """A new message as it is to be stored: what was decided, the channels that are left, what it is made of."""

    id: UUID
    version: int
    seq: int
    message: Message
    fallback: Sequence[str]
    envelope: Envelope


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


async def known(uow: UnitOfWork, events: Sequence[UUID]) -> set[tuple[UUID, str, str, str]]:
    """Who was already planned to hear of which of these events, with which text, by whatever channel."""
    found = await uow.execute(KNOWN, {"events": list(events)})
    return {(r.event_id, r.recipient_kind, r.recipient, r.template) for r in found}


async def under_keys(uow: UnitOfWork, keys: Sequence[str]) -> list[tuple[tuple[str, str, str], UUID]]:
    """Messages under these supersede keys that a newer one may replace: key and recipient, and the event of each."""
    if not keys:
        return []
    found = await uow.execute(UNDER_KEYS, {"keys": list(keys)})
    return [((r.supersede_key, r.recipient_kind, r.recipient), r.event_id) for r in found]


async def add_many(uow: UnitOfWork, planned: Sequence[Planned]) -> None:
    """Write the rows of new messages with one statement (row-level security lets no COPY in)."""
    columns = zip(*(_columns(one) for one in planned), strict=True)
    await (await uow.driver()).execute(ADD_MANY, uow.actor.sub, uow.now, uow.actor.client, *map(list, columns))


def _columns(planned: Planned) -> tuple[Any, ...]:
    """The values of `ADD_MANY` from `id` on."""
    message, letter = planned.message, planned.envelope
    return (
        planned.id, planned.version, planned.seq, letter.mode, message.state.value, letter.message_class.value,
        message.channel.value, letter.lane, letter.event_id, letter.event_type, letter.event_time, letter.subject_id,
        letter.rule, letter.template, letter.recipient_kind, letter.recipient, letter.person_id, letter.officer_role,
        letter.lks_id, letter.region_code, json.dumps(letter.facts), "{" + ",".join(planned.fallback) + "}",
        letter.supersede_key, letter.not_before, message.expires_at, letter.policy.attempts,
        letter.policy.resends_unknown, letter.policy.keeps_quiet, letter.policy.mandatory, message.allowance,
    )  # fmt: skip


async def trace_many(uow: UnitOfWork, traces: Sequence[tuple[UUID, str, str, str | None, Mapping[str, Any]]]) -> None:
    """Append traces of many messages (id, step, state, code, facts) in order."""
    ids, steps, states, codes, facts = (list(column) for column in zip(*traces, strict=True))
    texts = [json.dumps(one) for one in facts]
    await (await uow.driver()).execute(TRACE_MANY, uow.now, uow.actor.sub, ids, steps, states, codes, texts)


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


async def programme_codes(uow: UnitOfWork, programmes: Collection[UUID]) -> dict[UUID, str]:
    """The codes of programmes, from their own events; one never heard of is missing."""
    if not programmes:
        return {}
    return {r.id: r.code for r in await uow.execute(PROGRAMMES, {"ids": list(programmes)})}


async def keep_programme(uow: UnitOfWork, programme_id: UUID, code: str, sequence: int) -> None:
    """Remember the code of a programme; an older event changes nothing."""
    await uow.execute(KEEP_PROGRAMME, {"id": programme_id, "code": code, "sequence": sequence})


async def address_of(uow: UnitOfWork, message_id: UUID, no: int) -> tuple[bytes, str]:
    """The keyed hash and the masked form of the address of an attempt."""
    row = (await uow.execute(ATTEMPT_ADDRESS, {"message": message_id, "no": no})).one()
    return bytes(row.address_index), str(row.address_masked)
