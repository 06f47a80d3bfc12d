"""Many messages planned at once: the set-based twin of `commands.plan`, for a payday's million events.

Each message is decided by itself, by the same pure function; then a few statements write for all of them what `plan` writes
for one: the row, its events, its trace, its audit entries. Planning comes in here, nobody else.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from kit.db.uow import Line, UnitOfWork
from kit.events.envelope import Event
from kit.ids import new_id

from notifications.messages import commands, domain, store
from notifications.messages.envelope import Envelope
from notifications.messages.states import Channel
from notifications.messages.store import Planned


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to be planned: what it is made of, the channels in order, and the event that asks for it."""

    envelope: Envelope
    ways: tuple[Channel, ...]
    cause: Event


@dataclass(slots=True)
class _Bundle:
    """What is to be written for all messages of a chunk."""

    rows: list[Planned] = field(default_factory=list)
    told: dict[str, list[Line]] = field(default_factory=lambda: defaultdict(list))
    traces: list[tuple[UUID, str, str, str | None, dict[str, Any]]] = field(default_factory=list)
    entries: list[tuple[UUID, int, str, dict[str, Any] | None, dict[str, Any], Event]] = field(default_factory=list)
    """Message, version, command, before, after, cause."""


async def plan(uow: UnitOfWork, letters: Sequence[Letter]) -> None:
    """Plan messages with a few statements for all of them.

    One that meets another under its supersede key, stored or earlier among the letters, is planned by itself after the
    others, since only one of the two stays. An old event plans an expired message.
    """
    crowded = await _crowded(uow, letters)
    await _write(uow, _decided(uow, [letter for number, letter in enumerate(letters) if number not in crowded]))
    for number in crowded:
        with uow.because(letters[number].cause):
            await commands.plan(uow, letters[number].envelope, letters[number].ways)


async def _crowded(uow: UnitOfWork, letters: Sequence[Letter]) -> list[int]:
    """The numbers of the letters that meet a message of another event under their supersede key, in order."""
    living = [(n, x.envelope) for n, x in enumerate(letters) if x.envelope.expires_at > uow.now]
    keys = {envelope.supersede_key for _, envelope in living if envelope.supersede_key is not None}
    held: dict[tuple[str, str, str], set[UUID]] = defaultdict(set)
    for place, event_id in await store.under_keys(uow, sorted(keys)):
        held[place].add(event_id)
    found = []
    for number, envelope in living:
        if envelope.supersede_key is None:
            continue
        events = held[envelope.supersede_key, envelope.recipient_kind, envelope.recipient]
        if events - {envelope.event_id}:
            found.append(number)
        events.add(envelope.event_id)
    return found


def _decided(uow: UnitOfWork, letters: Iterable[Letter]) -> _Bundle:
    """Every letter's moves, as rows, events, traces and audit entries."""
    bundle = _Bundle()
    for letter in letters:
        envelope, id = letter.envelope, new_id()
        fallback = [way.value for way in letter.ways[1:]]
        message: domain.Message | None = None
        version = seq = 0
        for command in _commands(uow, letter):
            before = None if message is None else {"state": message.state.value}
            message, move = uow.settle(domain.decide(message, command, uow.context))
            version, name, state = version + 1, commands.step(command), message.state.value
            if move.event is not None:
                seq += 1
                told = commands.told(id, envelope, message)
                bundle.told[f"notification.{move.event}"].append(Line(id, seq, told, letter.cause))
            first = {"rule": envelope.rule} if before is None else {}
            facts = {**first, "channel": message.channel.value, "fallback": fallback} if first else {}
            bundle.traces.append((id, name, state, message.code, facts))
            bundle.entries.append((id, version, name, before, {"state": state, **first}, letter.cause))
        assert message is not None  # noqa: S101 - the first command is Plan
        bundle.rows.append(Planned(id, version, seq, message, fallback, envelope))
    return bundle


def _commands(uow: UnitOfWork, letter: Letter) -> Iterator[domain.Command]:
    envelope = letter.envelope
    yield domain.Plan(letter.ways[0], envelope.policy, envelope.expires_at)
    if envelope.expires_at <= uow.now:
        yield domain.Expire()


async def _write(uow: UnitOfWork, bundle: _Bundle) -> None:
    """Rows first, whose order is the order of what is told of them."""
    if not bundle.rows:
        return
    await store.add_many(uow, bundle.rows)
    for event, lines in bundle.told.items():
        await uow.announce_many(event, lines)
    await store.trace_many(uow, bundle.traces)
    for id, version, command, before, after, cause in bundle.entries:
        await uow.append_audit(command, "message", id, version, before=before, after=after, cause=cause)
