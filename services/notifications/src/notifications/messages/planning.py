"""From an event to planned messages: rules, audience, facts. The consumer comes in; nothing here asks for an address."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from kit.db.uow import UnitOfWork
from kit.events.envelope import Event
from kit.regions import is_code

from notifications.directory import queries as directory
from notifications.messages import commands, store
from notifications.rules.book import Rule
from notifications.templates.library import LOCALES, Library
from notifications.wiring import Wiring

SOME_PROGRAMME = "bantuan sosial"
"""How a programme is called that was never heard of."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who hears of it: exactly one of a person, an office of the directory, an institution, or an office nobody entered."""

    kind: str
    ref: str
    person_id: UUID | None = None
    role: str | None = None
    lks_id: UUID | None = None


async def plan_for(uow: UnitOfWork, event: Event, rules: Iterable[Rule], wiring: Wiring) -> int:
    """Plan the messages that the rules want for this event; how many are new. The same event again plans nothing."""
    facts = await _facts(uow, event)
    region = str(event.data.get("region") or wiring.settings.office_region)
    region = region if is_code(region) else wiring.settings.office_region
    known = await store.known(uow, event.id)
    planned = 0
    for rule in rules:
        if not rule.applies(facts):
            continue
        for recipient in await _recipients(uow, rule, event.data, region):
            if (recipient.kind, recipient.ref, rule.template) in known:
                continue
            known.add((recipient.kind, recipient.ref, rule.template))
            letter = _envelope(event, rule, recipient, region=region, facts=facts, wiring=wiring)
            await commands.plan(uow, letter, rule.ways)
            planned += 1
    return planned


async def _facts(uow: UnitOfWork, event: Event) -> dict[str, Any]:
    """What texts may speak of: the event's own fields, absent ones as empty, and what the programme is called."""
    contract = uow.runtime.contracts.of_type(event.type)
    fields: Mapping[str, Any] = contract.schema["properties"] if contract else {}
    facts: dict[str, Any] = {name: [] if field.get("type") == "array" else None for name, field in fields.items()}
    facts |= event.data
    code = event.data.get("code")
    if code is None and event.data.get("programme_id"):
        code = await store.programme_code(uow, event.data["programme_id"])
    facts["programme"] = str(code).replace("_", " ").replace("-", " ") if code else SOME_PROGRAMME
    return facts


async def _recipients(uow: UnitOfWork, rule: Rule, data: Mapping[str, Any], region: str) -> list[Recipient]:
    if rule.person is not None:
        person = data.get(rule.person)
        return [Recipient("person", str(person), person_id=UUID(str(person)))] if person else []
    if rule.institution is not None:
        lks = data.get(rule.institution)
        return [Recipient("institution", str(lks), lks_id=UUID(str(lks)))] if lks else []
    offices = await directory.offices(uow, rule.roles, region)
    there = {office.role for office in offices}
    found = [Recipient("office", str(office.id), role=office.role) for office in offices]
    return found + [Recipient("role", f"{role}@{region}", role=role) for role in rule.roles if role not in there]


def _envelope(
    event: Event, rule: Rule, recipient: Recipient, *, region: str, facts: Mapping[str, Any], wiring: Wiring
) -> commands.Envelope:
    law = wiring.book.classes[rule.klass]
    start = event.time + timedelta(hours=rule.after_hours)
    return commands.Envelope(
        event_id=event.id,
        event_type=event.type,
        event_time=event.time,
        subject_id=event.key,
        rule=rule.id,
        template=rule.template,
        klass=rule.klass,
        lane=law.lane,
        policy=wiring.book.policy(rule),
        recipient_kind=recipient.kind,
        recipient=recipient.ref,
        person_id=recipient.person_id,
        officer_role=recipient.role,
        lks_id=recipient.lks_id,
        region_code=region,
        facts=_kept(wiring.library, rule.template, facts),
        supersede_key=rule.supersede_key(facts),
        not_before=start,
        expires_at=start + timedelta(hours=law.lifetime_hours),
    )


def _kept(library: Library, template: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Only the values that the text asks for, in any language."""
    names = {name for locale in LOCALES for name in library.blanks(template, locale)}
    return {name: facts[name] for name in sorted(names) if name in facts}
