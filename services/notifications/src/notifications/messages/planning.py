"""From events to planned messages: rules, audience, facts. The consumer comes in; nothing here asks for an address.

The events of a chunk are looked at together, so that each question to the database is asked once for all of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.events.envelope import Event
from kit.regions import is_code

from notifications.directory import queries as directory
from notifications.directory.queries import Office
from notifications.messages import bundle, store
from notifications.messages.bundle import Letter
from notifications.messages.envelope import Envelope
from notifications.rules.book import Rule
from notifications.templates.library import LOCALES, Library
from notifications.wiring import Wiring

SOME_PROGRAMME = "bantuan sosial"
"""How a programme is called that was never heard of."""

Offices = Mapping[tuple[tuple[str, ...], str], Sequence[Office]]
"""The offices that hear of it, by roles and region."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who hears of it: exactly one of a person, an office of the directory, an institution, or an office nobody entered."""

    kind: str
    ref: str
    person_id: UUID | None = None
    role: str | None = None
    lks_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """A rule that wants something said about an event: whom that concerns is not yet known."""

    event: Event
    rule: Rule
    region: str
    facts: Mapping[str, Any]


async def plan_for(
    uow: UnitOfWork, events: Sequence[Event], rules: Mapping[str, Sequence[Rule]], wiring: Wiring
) -> int:
    """Plan the messages that the rules want for these events; how many are new. The same event again plans nothing."""
    letters = await letters_for(uow, events, rules, wiring)
    await bundle.plan(uow, letters)
    return len(letters)


async def letters_for(
    uow: UnitOfWork, events: Sequence[Event], rules: Mapping[str, Sequence[Rule]], wiring: Wiring
) -> list[Letter]:
    """What the rules want said about these events and was not yet planned, in the order of the events."""
    facts = await _facts(uow, events)
    wishes = [
        Wish(event, rule, _region(event, wiring), known)
        for event, known in zip(events, facts, strict=True)
        for rule in rules[event.type]
        if rule.applies(known)
    ]
    offices = await directory.offices(
        uow, sorted({(wish.rule.roles, wish.region) for wish in wishes if wish.rule.roles})
    )
    planned = await store.known(uow, [event.id for event in events])
    letters: list[Letter] = []
    for wish in wishes:
        for recipient in _recipients(wish, offices):
            once = (wish.event.id, recipient.kind, recipient.ref, wish.rule.template)
            if once not in planned:
                planned.add(once)
                letters.append(Letter(_envelope(wish, recipient, wiring), wish.rule.ways, wish.event))
    return letters


def _region(event: Event, wiring: Wiring) -> str:
    region = str(event.data.get("region") or wiring.settings.office_region)
    return region if is_code(region) else wiring.settings.office_region


async def _facts(uow: UnitOfWork, events: Sequence[Event]) -> list[dict[str, Any]]:
    """What texts may speak of: the event's own fields, absent ones as empty, and what the programme is called."""
    nameless = [event.data["programme_id"] for event in events if _nameless(event)]
    codes = await store.programme_codes(uow, {UUID(str(programme)) for programme in nameless})
    found = []
    for event in events:
        code = codes.get(UUID(str(event.data["programme_id"]))) if _nameless(event) else event.data.get("code")
        named = str(code).replace("_", " ").replace("-", " ") if code else SOME_PROGRAMME
        found.append({**_empty(uow, event.type), **event.data, "programme": named})
    return found


def _nameless(event: Event) -> bool:
    """Whether it speaks of a programme without saying its code."""
    return event.data.get("code") is None and bool(event.data.get("programme_id"))


def _empty(uow: UnitOfWork, wire_type: str) -> dict[str, Any]:
    """Every field of a type without a value."""
    contract = uow.runtime.contracts.of_type(wire_type)
    fields: Mapping[str, Any] = contract.schema["properties"] if contract else {}
    return {name: [] if field.get("type") == "array" else None for name, field in fields.items()}


def _recipients(wish: Wish, offices: Offices) -> Iterator[Recipient]:
    rule, data = wish.rule, wish.event.data
    if rule.person is not None:
        if person := data.get(rule.person):
            yield Recipient("person", str(person), person_id=UUID(str(person)))
    elif rule.institution is not None:
        if lks := data.get(rule.institution):
            yield Recipient("institution", str(lks), lks_id=UUID(str(lks)))
    else:
        there = offices[rule.roles, wish.region]
        yield from (Recipient("office", str(office.id), role=office.role) for office in there)
        missing = [role for role in rule.roles if role not in {office.role for office in there}]
        yield from (Recipient("role", f"{role}@{wish.region}", role=role) for role in missing)


def _envelope(wish: Wish, recipient: Recipient, wiring: Wiring) -> Envelope:
    event, rule = wish.event, wish.rule
    law = wiring.book.classes[rule.klass]
    start = event.time + timedelta(hours=rule.after_hours)
    return Envelope(
        event_id=event.id,
        event_type=event.type,
        event_time=event.time,
        subject_id=event.key,
        rule=rule.id,
        template=rule.template,
        message_class=rule.klass,
        lane=law.lane,
        policy=wiring.book.policy(rule),
        recipient_kind=recipient.kind,
        recipient=recipient.ref,
        person_id=recipient.person_id,
        officer_role=recipient.role,
        lks_id=recipient.lks_id,
        region_code=wish.region,
        facts={name: wish.facts[name] for name in _asked_for(wiring.library, rule.template) if name in wish.facts},
        supersede_key=rule.supersede_key(wish.facts),
        not_before=start,
        expires_at=start + timedelta(hours=law.lifetime_hours),
    )


@cache
def _asked_for(library: Library, template: str) -> tuple[str, ...]:
    """The values that the text asks for, in any language: nothing else is kept."""
    return tuple(sorted({name for locale in LOCALES for name in library.blanks(template, locale)}))
