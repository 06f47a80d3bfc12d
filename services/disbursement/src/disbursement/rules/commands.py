"""Keeping the facts projection: what events say at once, and what is pulled from the registry between transactions."""

from collections.abc import Sequence
from uuid import UUID

from kit.auth.actor import Actor
from kit.db.uow import UnitOfWork
from kit.runtime import Runtime

from disbursement.registry_client import FactSheet, Registry
from disbursement.rules import ast, store
from disbursement.rules.store import Changed

PULL = 500
"""Persons pulled in one question."""


async def note_life(uow: UnitOfWork, said: store.Life) -> bool:
    """Note a change of life from its event; False when something newer is known already."""
    return await store.note_life(uow, said)


async def keep(uow: UnitOfWork, sheets: Sequence[FactSheet]) -> None:
    """Store answers of the registry; an older answer never replaces a newer one."""
    await store.keep(uow, sheets)


async def forget(uow: UnitOfWork, person_id: UUID, version: int) -> None:
    """Give up what is known of a person whose data were destroyed; what was decided keeps its reasons."""
    await store.forget(uow, person_id, version)


async def mark_changed(uow: UnitOfWork, changed: Sequence[Changed]) -> None:
    """Remember whose facts changed, and which; `refresh` pulls them."""
    await store.mark(uow, changed)


async def refresh(runtime: Runtime, registry: Registry) -> int:
    """Pull the facts of those that changed, only facts that a rule declares; how many persons."""
    actor = Actor.system("refresh-facts")
    async with runtime.begin(actor) as uow:
        stale = await store.stale(uow, PULL)
        names = await declared_facts(uow)
    if not stale:
        return 0
    sheets = await registry.facts(stale, names, purpose="projection")
    async with runtime.begin(actor) as uow:
        await store.keep(uow, list(sheets.values()))
    return len(sheets)


async def declared_facts(uow: UnitOfWork) -> tuple[str, ...]:
    """The facts that any rule in force declares, and life, always."""
    names = {name for rule in await store.declared(uow) for name in ast.parse(rule).facts}
    return tuple(sorted(names | {"life", "died_on"}))
