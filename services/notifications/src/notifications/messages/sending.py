"""The second half of the worker: claim, commit, call, record. No transaction is open while a provider is spoken to."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import structlog
from kit.auth.actor import Actor
from kit.db.uow import UnitOfWork, lock
from kit.failpoints import failpoint
from kit.ids import new_id
from kit.runtime import Runtime
from kit.together import together

from notifications.channels import addresses
from notifications.channels.outlets import Accepted, Outcome, Outgoing, Outlet, RefusedForGood, RefusedForNow, Silent
from notifications.messages import commands, domain, store
from notifications.messages.contacts import NOBODY, Contact
from notifications.messages.preparing import contacts_of, objection
from notifications.messages.quiet import morning_after
from notifications.messages.states import Channel, State
from notifications.messages.store import Call
from notifications.messages.tables import AttemptRow, MessageRow
from notifications.suppression import commands as suppression
from notifications.wiring import Wiring

ACTOR = Actor.system("message-worker")
MINUTE = timedelta(minutes=1)
SHORTEST_PAUSE = timedelta(seconds=30)

log = structlog.get_logger()


async def send(runtime: Runtime) -> None:
    """Send what is queued on every channel until nothing may go now."""
    wiring: Wiring = runtime.wiring
    for channel, outlet in wiring.outlets.items():
        while await _round(runtime, channel, outlet):
            pass


async def _round(runtime: Runtime, channel: Channel, outlet: Outlet) -> int:
    """One round on one channel; how many messages it moved."""
    wiring: Wiring = runtime.wiring
    async with runtime.begin(ACTOR) as uow:
        spent = await store.recent_attempts(uow, channel, uow.now - MINUTE)
        limit = min(wiring.settings.send_batch, outlet.per_minute - spent)
        if limit <= 0:
            return 0
        wanted = await store.ids(uow, store.TO_SEND, channel=channel.value, now=uow.now, limit=limit)
        rows = await store.rows(uow, wanted)
    if not rows:
        return 0
    contacts = await contacts_of(runtime, rows)
    calls, moved = await _claim(runtime, channel, outlet, wanted, contacts)
    failpoint("worker.after_claim")
    gate = asyncio.Semaphore(wiring.settings.parallel_calls)

    async def one(call: Call) -> None:
        contact = contacts.get(call.message_id, NOBODY)
        async with gate:
            outgoing = Outgoing(
                call.attempt_id, call.message_id, contact.addresses[channel], call.subject, call.body, call.locale
            )
            outcome = await outlet.send(outgoing)
        failpoint("worker.after_call")
        await record(runtime, call.message_id, call.attempt, outcome)

    # A call cut off is one whose outcome nobody knows.
    await together(one(call) for call in calls)
    return moved


async def _claim(
    runtime: Runtime, channel: Channel, outlet: Outlet, wanted: list[UUID], contacts: Mapping[UUID, Contact]
) -> tuple[list[Call], int]:
    """Take the messages that may go now; the commit of their attempt rows is what allows the calls."""
    wiring: Wiring = runtime.wiring
    calls: list[Call] = []
    async with runtime.begin(ACTOR) as uow:
        paused = await store.paused_until(uow, channel)
        rows = await store.lock_free(uow, wanted, State.QUEUED)
        for row in rows:
            contact = contacts.get(row.id, NOBODY)
            morning = morning_after(uow.now, row.region_code) if row.keeps_quiet else None
            if paused is not None or morning is not None:
                until = max(moment for moment in (paused, morning) if moment is not None)
                code = "batas_penyedia" if until == paused else "jam_tenang"
                await commands.move_row(uow, row, domain.Defer(until, code))
            elif against := await objection(uow, row, contact, wiring):
                await commands.move_row(uow, row, against)
            else:
                calls.append(await _open(uow, row, contact.addresses[channel], outlet.name, wiring))
    return calls, len(rows)


async def _open(uow: UnitOfWork, row: MessageRow, address: str, provider: str, wiring: Wiring) -> Call:
    channel = Channel(row.channel)
    until = uow.now + timedelta(seconds=wiring.settings.lease_seconds)
    attempt = AttemptRow(
        id=new_id(),
        message_id=row.id,
        no=row.attempts + 1,
        channel=row.channel,
        provider=provider,
        address_index=addresses.index(uow.runtime.index, channel, address),
        address_masked=addresses.masked(channel, address),
        started_at=uow.now,
        lease_until=until,
    )
    await store.open_attempt(uow, attempt)
    await commands.move_row(uow, row, domain.Claim(until), {"attempt": attempt.no, "to": attempt.address_masked})
    return Call(row.id, attempt.id, attempt.no, row.subject or "", row.body or "", row.locale or "id")


async def record(runtime: Runtime, message_id: UUID, attempt: int, outcome: Outcome) -> None:
    """Record what a call came to, in a transaction of its own. A late word of an older attempt changes only its row."""
    async with runtime.begin(ACTOR) as uow:
        row = await lock(uow, MessageRow, message_id, None)
        match outcome:
            case Accepted(provider_ref=ref):
                await store.close_attempt(uow, row.id, attempt, "accepted", ref=ref)
                await commands.try_move(uow, row, domain.Accept(attempt))
            case RefusedForNow(code=code, retry_after=after, pause=pause):
                await store.close_attempt(uow, row.id, attempt, "refused_for_now", code=code)
                await commands.try_move(uow, row, domain.RefuseForNow(attempt, code, after))
                if pause:
                    await store.pause(uow, Channel(row.channel), uow.now + max(after, SHORTEST_PAUSE), code)
            case RefusedForGood(code=code, dead_address=dead):
                await store.close_attempt(uow, row.id, attempt, "refused_for_good", code=code)
                if dead:
                    await bury(uow, row, attempt, code)
                await commands.try_move(uow, row, domain.RefuseForGood(attempt, code))
            case Silent(code=code):
                await store.close_attempt(uow, row.id, attempt, "unknown", code=code)
                await commands.try_move(uow, row, domain.LoseOutcome(attempt, code))


async def bury(uow: UnitOfWork, row: MessageRow, attempt: int, code: str) -> None:
    """Never write to a dead address again; the next question to registry asks anew."""
    wiring: Wiring = uow.runtime.wiring
    index, masked = await store.address_of(uow, row.id, attempt)
    await suppression.suppress_dead(uow, Channel(row.channel), index, masked, code)
    if row.person_id is not None:
        wiring.contacts.forget(row.person_id)
