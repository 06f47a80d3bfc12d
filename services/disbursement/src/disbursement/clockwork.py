"""Commands that the passing of time gives: each in a transaction of its own, safe to repeat and to be killed anywhere.

Dates do not move states by themselves; these rules do, and the audit trail names them.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from kit.auth.actor import Actor
from kit.db.uow import UnitOfWork
from kit.runtime import Runtime
from kit.service import Job
from sqlalchemy.sql.elements import TextClause

from disbursement.claims import commands_office, commands_rule
from disbursement.claims import store as claims
from disbursement.enrolments import commands as enrolments
from disbursement.enrolments import store as places
from disbursement.rights import commands as rights
from disbursement.rights import store as entitlements
from disbursement.rules import commands as facts

Command = Callable[[UnitOfWork, UUID], Awaitable[Any]]


async def _each(runtime: Runtime, rule: str, wanted: TextClause, command: Command) -> None:
    """Give the command to everything the statement finds, one transaction each, until nothing new is found."""
    actor = Actor.system(rule)
    done: set[UUID] = set()
    while True:
        async with runtime.begin(actor) as uow:
            found = (await uow.execute(wanted, {"now": uow.now, "today": uow.today})).scalars().all()
        todo = [id for id in found if id not in done]
        if not todo:
            return
        for id in todo:
            done.add(id)
            async with runtime.begin(actor) as uow:
                await command(uow, id)


async def lapse_claims(runtime: Runtime) -> None:
    """Lapse incomplete claims whose last instant has come."""
    await _each(runtime, "lapse-claims", claims.CURE_DUE, commands_rule.lapse)


async def entitle_claims(runtime: Runtime) -> None:
    """Give every approved claim its right."""
    await _each(runtime, "entitle-claims", claims.TO_ENTITLE, commands_office.entitle)


async def close_claims(runtime: Runtime) -> None:
    """Close paid claims that rested long enough, and free what a final rejection still held."""
    await _each(runtime, "close-claims", claims.TO_CLOSE, commands_rule.close)
    await _each(runtime, "free-claims", claims.TO_FREE, commands_rule.free_after_appeal)


async def activate_places(runtime: Runtime) -> None:
    """Begin decreed places on their day."""
    await _each(runtime, "activate-places", places.TO_ACTIVATE, enrolments.activate)


async def fall_due(runtime: Runtime) -> None:
    """Make planned rights of approved cycles due on their day, 5,000 at a time."""
    while True:
        async with runtime.begin(Actor.system("fall-due")) as uow:
            ids = await entitlements.ids(uow, entitlements.DUE_NOW, {"today": uow.today})
            if not await rights.fall_due(uow, ids):
                return


async def refresh_facts(runtime: Runtime) -> None:
    """Pull the facts that events said have changed."""
    while await facts.refresh(runtime, runtime.wiring.registry):
        pass


JOBS = (
    Job("lapse-claims", 1.0, lapse_claims),
    Job("entitle-claims", 1.0, entitle_claims),
    Job("close-claims", 60.0, close_claims),
    Job("activate-places", 1.0, activate_places),
    Job("fall-due", 5.0, fall_due),
    Job("refresh-facts", 1.0, refresh_facts),
)
