"""What time does to messages: wake, expire, end a lease, settle the unknown, stop waiting. Issues commands, never states."""

from uuid import UUID

from kit.auth.actor import Actor
from kit.db.uow import UnitOfWork, lock
from kit.runtime import Runtime

from notifications.channels.outlets import Outcome
from notifications.messages import commands, domain, store
from notifications.messages.sending import record
from notifications.messages.states import Channel, State
from notifications.messages.tables import MessageRow
from notifications.wiring import Wiring

ACTOR = Actor.system("message-clock")
WORK_LIST = 200


async def tick(runtime: Runtime) -> None:
    """Do everything that is due, oldest first, each message in a transaction of its own."""
    done: set[UUID] = set()
    while True:
        async with runtime.begin(ACTOR) as uow:
            due = [(id, state) for id, state in await store.due(uow, WORK_LIST) if id not in done]
            past = [id for id in await store.ids(uow, store.PAST, now=uow.now, limit=WORK_LIST) if id not in done]
        if not due and not past:
            return
        for id, state in due:
            if not (state is State.UNKNOWN and await _ask(runtime, id)):
                await _act(runtime, id)
        for id in past:
            await _act(runtime, id)
        done |= {id for id, _ in due} | set(past)


async def _act(runtime: Runtime, id: UUID) -> None:
    async with runtime.begin(ACTOR) as uow:
        row = await lock(uow, MessageRow, id, None)
        command = _what_time_does(row, uow)
        if command is None:
            return
        if isinstance(command, domain.LoseOutcome):
            await store.close_attempt(uow, row.id, row.attempts, "unknown", code=command.code)
        await commands.try_move(uow, row, command)


def _what_time_does(row: MessageRow, uow: UnitOfWork) -> domain.Command | None:
    """The command that time issues to a message in this state, or None when another worker was quicker."""
    due = row.next_at is not None and row.next_at <= uow.now
    match State(row.state):
        case State.DEFERRED | State.RETRY_WAIT if due and row.expires_at > uow.now:
            return domain.Wake()
        case State.SENDING if due:
            return domain.LoseOutcome(row.attempts, "sewa_habis")
        case State.UNKNOWN if due:
            return domain.SettleUnknown()
        case State.ACCEPTED if due:
            return domain.StopWaiting()
        case State.PLANNED | State.RENDERED | State.QUEUED | State.DEFERRED | State.RETRY_WAIT if (
            row.expires_at <= uow.now
        ):
            return domain.Expire()
        case _:
            return None


async def _ask(runtime: Runtime, id: UUID) -> bool:
    """Ask the provider what became of an unknown attempt; True when it knew and the answer stands."""
    wiring: Wiring = runtime.wiring
    async with runtime.begin(ACTOR) as uow:
        row = (await store.rows(uow, [id]))[0]
        attempt = await store.latest_attempt(uow, row)
    outlet = wiring.outlets.get(Channel(row.channel))
    if attempt is None or outlet is None:
        return False
    outcome: Outcome | None = await outlet.ask(attempt.id, attempt.provider_ref)
    if outcome is None:
        return False
    await record(runtime, id, row.attempts, outcome)
    return True
