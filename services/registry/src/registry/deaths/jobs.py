"""The rule of 30 days: a report that nobody confirmed stops holding aid. Issues commands, decides nothing itself."""

from kit.auth.actor import Actor
from kit.errors import Refused
from kit.runtime import Runtime
from kit.service import Job

from registry.deaths import commands, store
from registry.deaths.domain import HOLD
from registry.deaths.record import ExpireHold

RULE = Actor.system("death-hold-30-days")
_AT_ONCE = 200


async def expire_holds(runtime: Runtime) -> None:
    """Expire every hold that is older than 30 days, each in a transaction of its own; safe to repeat and to be killed."""
    async with runtime.begin(RULE) as uow:
        due = await store.due(uow, uow.now - HOLD, _AT_ONCE)
    for id in due:
        try:
            async with runtime.begin(RULE) as uow:
                await commands.expire_hold(uow, id, ExpireHold(), None)
        except Refused:  # somebody decided meanwhile
            continue


JOBS = (Job("death-holds", 300.0, expire_holds),)
