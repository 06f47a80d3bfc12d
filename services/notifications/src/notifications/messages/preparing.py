"""Planned messages become letters: who is it, which language, what may be said, is it wanted. The first half of the worker."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from kit.auth.actor import Actor
from kit.db.uow import UnitOfWork
from kit.runtime import Runtime

from notifications.channels import addresses
from notifications.directory import queries as directory
from notifications.messages import commands, domain, store
from notifications.messages.contacts import NOBODY, Contact
from notifications.messages.states import Channel, Class, State
from notifications.messages.tables import MessageRow
from notifications.suppression import queries as suppression
from notifications.templates.library import Gap
from notifications.wiring import Wiring

WORK_LIST = 200
ACTOR = Actor.system("message-worker")


async def prepare(runtime: Runtime) -> None:
    """Write and check planned messages until none is left. Contacts are asked between two transactions."""
    while True:
        async with runtime.begin(ACTOR) as uow:
            wanted = await store.ids(uow, store.TO_PREPARE, now=uow.now, limit=WORK_LIST)
            rows = await store.rows(uow, wanted)
        if not rows:
            return
        contacts = await contacts_of(runtime, rows)
        async with runtime.begin(ACTOR) as uow:
            moved = 0
            for state in (State.PLANNED, State.RENDERED):
                for row in await store.lock_free(uow, wanted, state):
                    await _prepare_one(uow, row, contacts.get(row.id, NOBODY), runtime.wiring)
                    moved += 1
        if not moved:
            return


async def contacts_of(runtime: Runtime, rows: Sequence[MessageRow]) -> dict[UUID, Contact]:
    """How the recipients of these messages are reached, by message. Raises Unavailable when registry does not answer."""
    wiring: Wiring = runtime.wiring
    people: dict[Class, set[UUID]] = defaultdict(set)
    for row in rows:
        if row.person_id is not None:
            people[Class(row.message_class)].add(row.person_id)
    told = {klass: await wiring.contacts.of(sorted(found), klass) for klass, found in people.items()}
    entries = [UUID(row.recipient) for row in rows if row.recipient_kind in {"office", "institution"}]
    offices = {}
    if entries:
        async with runtime.begin(ACTOR) as uow:
            offices = await directory.addresses(uow, runtime.fields, entries)
    found: dict[UUID, Contact] = {}
    for row in rows:
        if row.person_id is not None:
            found[row.id] = told[Class(row.message_class)][row.person_id]
        elif row.recipient_kind in {"office", "institution"} and (entry := offices.get(UUID(row.recipient))):
            found[row.id] = Contact(entry.locale, {Channel.EMAIL: entry.mail})
    return found


async def _prepare_one(uow: UnitOfWork, row: MessageRow, contact: Contact, wiring: Wiring) -> None:
    if row.state == State.PLANNED:
        try:
            letter = wiring.library.write(row.template, contact.locale, Channel(row.channel), row.facts)
        except Gap as gap:
            await commands.move_row(uow, row, domain.FailRender(gap.code), {"missing": list(gap.names)[:10]})
            return
        await store.keep_text(uow, wiring.library.text(row.template, letter.locale))
        row.locale, row.template_version = letter.locale, letter.version
        row.subject, row.body, row.segments = letter.subject, letter.body, letter.segments
        await commands.move_row(uow, row, domain.Render(), {"locale": letter.locale, "segments": letter.segments})
    against = await objection(uow, row, contact, wiring)
    await commands.move_row(uow, row, against or domain.Queue())


async def objection(
    uow: UnitOfWork, row: MessageRow, contact: Contact, wiring: Wiring
) -> domain.Skip | domain.Suppress | None:
    """What speaks against sending this message to this contact by its channel; None when nothing does.

    Asked when it is prepared and again when it is sent. A mandatory message passes over wishes, never over a missing or
    suppressed address; that it did so is written into its trace.
    """
    channel = Channel(row.channel)
    if row.mode == "test":
        return domain.Skip("trial_guest_list")
    if channel not in wiring.outlets:
        return domain.Skip("saluran_tidak_ada")
    address = contact.addresses.get(channel)
    if address is None:
        return domain.Skip("no_address")
    unwanted = row.message_class in contact.classes_off
    if unwanted or channel.value in contact.channels_off:
        if not row.mandatory:
            return domain.Skip("preference" if unwanted else "channel_off")
        await store.trace(uow, row, "preference_overruled", {"class": row.message_class})
    index = addresses.index(uow.runtime.index, channel, address)
    reason = await suppression.reason(uow, channel.value, index)
    return None if reason is None else domain.Suppress(reason)
