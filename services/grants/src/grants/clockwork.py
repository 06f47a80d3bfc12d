"""What time does to files: lapse, expire. Jobs issue the commands that anybody could read in the tables of moves."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from kit.auth.actor import Actor
from kit.db.uow import UnitOfWork
from kit.errors import Refused
from kit.runtime import Runtime

from grants.accreditation import commands as accreditation
from grants.accreditation import cycle
from grants.accreditation import store as accreditation_store
from grants.registration import commands as registration
from grants.registration import file
from grants.registration import store as registration_store

WORK_LIST = 200


async def pass_time(runtime: Runtime) -> None:
    """Let late corrections lapse and certificates and accreditations expire, each in a transaction of its own."""
    await _each(runtime, "correction-lapse", registration_store.late, _lapse)
    await _each(runtime, "certificate-expiry", registration_store.ended, _expire)
    await _each(runtime, "accreditation-expiry", accreditation_store.ended, _expire_accreditation)


async def _each(
    runtime: Runtime,
    rule: str,
    find: Callable[[UnitOfWork, int], Awaitable[list[UUID]]],
    act: Callable[[UnitOfWork, UUID], Awaitable[object]],
) -> None:
    """Act on everything the rule finds; what is refused meanwhile (somebody was quicker) is left alone."""
    actor, seen = Actor.system(rule), set[UUID]()
    while True:
        async with runtime.begin(actor) as uow:
            found = [id for id in await find(uow, WORK_LIST) if id not in seen]
        if not found:
            return
        for id in found:
            seen.add(id)
            try:
                async with runtime.begin(actor) as uow:
                    await act(uow, id)
            except Refused:
                continue


async def _lapse(uow: UnitOfWork, id: UUID) -> object:
    return await registration.act(uow, id, lambda facts, _: file.Lapse(facts), None)


async def _expire(uow: UnitOfWork, id: UUID) -> object:
    return await registration.act(uow, id, lambda facts, _: file.Expire(facts), None)


async def _expire_accreditation(uow: UnitOfWork, id: UUID) -> object:
    return await accreditation.act(uow, id, lambda facts, _: cycle.Expire(facts), None)
