"""What is done with messages: plan, move, fall back to the next channel. One path for worker, clock, report and officer.

`bundle` is the set-based twin of `plan` for the many events of one chunk: a change of one must look at the other.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork, lock
from kit.machine import Refusal

from notifications.events import MessageTold
from notifications.messages import domain, store
from notifications.messages.envelope import Envelope
from notifications.messages.states import Channel, Class, Policy, State
from notifications.messages.tables import MessageRow

TRY_ELSEWHERE = frozenset({State.SUPPRESSED, State.FAILED_PERMANENT, State.DEAD_LETTERED})
"""Ends of one channel after which the next one is tried."""
NOT_HERE = frozenset({"no_address", "channel_off", "saluran_tidak_ada"})
"""Reasons of a skip that speak of the channel, not of the person's wish to hear nothing."""


async def plan(
    uow: UnitOfWork, letter: Envelope, ways: tuple[Channel, ...], *, after: MessageRow | None = None
) -> MessageRow:
    """Plan a message by the first of `ways`; the others are kept for when it does not get through.

    An event that is older than its text's lifetime plans an expired message: a replay tells nobody anything. Older
    messages under the same supersede key step back, and a late older event steps back itself.
    """
    channel, *rest = ways
    command = domain.Plan(channel, letter.policy, letter.expires_at)
    message, move = uow.settle(domain.decide(None, command, uow.context))
    row = MessageRow(
        mode=letter.mode, state=message.state.value, message_class=letter.message_class.value, channel=channel.value,
        lane=letter.lane, event_id=letter.event_id, event_type=letter.event_type, event_time=letter.event_time,
        subject_id=letter.subject_id, rule=letter.rule, template=letter.template, recipient_kind=letter.recipient_kind,
        recipient=letter.recipient, person_id=letter.person_id, officer_role=letter.officer_role, lks_id=letter.lks_id, region_code=letter.region_code, facts=dict(letter.facts),
        fallback=[way.value for way in rest], fallback_of=after.id if after else None, supersede_key=letter.supersede_key,
        not_before=letter.not_before, expires_at=letter.expires_at, max_attempts=letter.policy.attempts,
        resends_unknown=letter.policy.resends_unknown, keeps_quiet=letter.policy.keeps_quiet,
        mandatory=letter.policy.mandatory, allowance=message.allowance,
    )  # fmt: skip
    await uow.save(row)
    await _tell(uow, row, move.event)
    await store.trace(uow, row, step(command), {"rule": row.rule, "channel": row.channel, "fallback": row.fallback})
    await uow.audit(step(command), "message", row, after={"state": row.state, "rule": letter.rule})
    if letter.expires_at <= uow.now:
        await move_row(uow, row, domain.Expire())
    elif letter.supersede_key is not None and after is None:
        await _replace_older(uow, row)
    return row


async def _replace_older(uow: UnitOfWork, row: MessageRow) -> None:
    """Of several messages with one supersede key only the one of the newest event is sent."""
    for other_id, event_time in await store.with_key(uow, row):
        if event_time > row.event_time:
            await move_row(uow, row, domain.Supersede(), {"by": str(other_id)})
            return
        other = await lock(uow, MessageRow, other_id, None)
        if State(other.state) in {State.PLANNED, State.QUEUED, State.DEFERRED}:
            await move_row(uow, other, domain.Supersede(), {"by": str(row.id)})


async def move_row(
    uow: UnitOfWork, row: MessageRow, command: domain.Command, facts: Mapping[str, Any] | None = None
) -> MessageRow:
    """Move a locked message: decide, write, announce, audit, and say why in the trace. Raises Refused."""
    decision = uow.settle(domain.decide(store.message_of(row), command, uow.context))
    message, move = decision
    before = row.state
    store.put(row, message)
    await uow.save(row)
    await _tell(uow, row, move.event)
    await store.trace(uow, row, step(command), facts or {})
    if move.event is not None:
        await uow.audit(
            step(command), "message", row, before={"state": before}, after={"state": row.state},
            reasons=[row.code] if row.code else [],
        )  # fmt: skip
    await _go_elsewhere(uow, row)
    return row


async def try_move(
    uow: UnitOfWork, row: MessageRow, command: domain.Command, facts: Mapping[str, Any] | None = None
) -> Refusal | None:
    """Move a locked message, or answer the refusal after writing it into the trace: nothing is lost in silence."""
    refusal = domain.decide(store.message_of(row), command, uow.context)
    if isinstance(refusal, Refusal):
        why = [reason.code for reason in refusal.reasons]
        await store.trace(uow, row, f"{step(command)}.ignored", {**(facts or {}), "reasons": why}, why[0])
        return refusal
    await move_row(uow, row, command, facts)
    return None


async def hold(uow: UnitOfWork, message_id: UUID) -> MessageRow:
    """Lock a message for a rule that speaks about it. Raises Missing."""
    return await lock(uow, MessageRow, message_id, None)


async def cancel(uow: UnitOfWork, message_id: UUID, code: str, expected: int) -> MessageRow:
    """Take a message back before it is sent. Raises Missing, Stale, Refused."""
    row = await lock(uow, MessageRow, message_id, expected)
    return await move_row(uow, row, domain.Cancel(code))


async def redrive(uow: UnitOfWork, message_id: UUID, command: domain.Redrive, expected: int) -> MessageRow:
    """Send a dead-lettered or unwritten message again, under the same id. Raises Missing, Stale, Refused."""
    row = await lock(uow, MessageRow, message_id, expected)
    row.needs_paper = False
    return await move_row(uow, row, command)


async def _go_elsewhere(uow: UnitOfWork, row: MessageRow) -> None:
    """After the end of one channel plan the next; without one, a citizen's message goes to the printed list."""
    state = State(row.state)
    gone = state in TRY_ELSEWHERE or (state is State.SKIPPED and row.code in NOT_HERE)
    if not gone or row.mode == "test":
        return
    if not row.fallback:
        if row.recipient_kind == "person" and row.expires_at > uow.now:
            row.needs_paper = True
            await uow.session.flush()
            await store.trace(uow, row, "paper", {})
        return
    if row.expires_at <= uow.now:
        return
    ways = tuple(Channel(way) for way in row.fallback)
    row.fallback = []
    await uow.session.flush()
    following = await plan(uow, _envelope(row), ways, after=row)
    await store.trace(uow, row, "fallback", {"message": str(following.id), "channel": following.channel})


def _envelope(row: MessageRow) -> Envelope:
    policy = Policy(row.max_attempts, row.resends_unknown, row.keeps_quiet, row.mandatory)
    return Envelope(
        event_id=row.event_id, event_type=row.event_type, event_time=row.event_time, subject_id=row.subject_id,
        rule=row.rule, template=row.template, message_class=Class(row.message_class), lane=row.lane, policy=policy,
        recipient_kind=row.recipient_kind, recipient=row.recipient, person_id=row.person_id, officer_role=row.officer_role, lks_id=row.lks_id,
        region_code=row.region_code, facts=row.facts, supersede_key=row.supersede_key, not_before=row.not_before,
        expires_at=row.expires_at, mode=row.mode,
    )  # fmt: skip


async def _tell(uow: UnitOfWork, row: MessageRow, event: str | None) -> None:
    if event is not None:
        await uow.announce(row, f"notification.{event}", told(row.id, row, store.message_of(row), row.locale))


def told(id: UUID, about: MessageRow | Envelope, message: domain.Message, language: str | None = None) -> MessageTold:
    """What others hear of a message after a move."""
    return MessageTold(
        message_id=id,
        event_id=about.event_id,
        event_type=about.event_type,
        template=about.template,
        message_class=about.message_class,
        channel=message.channel.value,
        language=language,
        person_id=about.person_id,
        officer_role=about.officer_role,
        lks_id=about.lks_id,
        attempt_no=message.attempts,
        reason=message.code,
        until=message.next_at if message.state is State.DEFERRED else None,
        state=message.state.value,
    )


def step(command: domain.Command) -> str:
    """What a move is called in trace and audit: `RefuseForNow` as `refuse_for_now`."""
    return _snake(type(command).__name__)


@cache
def _snake(name: str) -> str:
    return "".join("_" + c.lower() if c.isupper() and i else c.lower() for i, c in enumerate(name))
