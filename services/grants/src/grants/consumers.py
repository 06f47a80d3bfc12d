"""What grants hears: officers of institutions die, turn out to be alive, or turn out to be one person."""

from collections.abc import Mapping

from kit.db.uow import UnitOfWork
from kit.events.consumer import Handler
from kit.events.envelope import Event

from grants.events import LifeSeen, MergeSeen
from grants.institutions import commands

DEAD = frozenset({"dead", "deceased", "wafat"})


async def on_life_changed(uow: UnitOfWork, event: Event) -> None:
    """A signer who died does not sign any more."""
    seen = event.read(LifeSeen)
    await commands.officer_life(uow, seen.person_id, alive=seen.life not in DEAD)


async def on_merged(uow: UnitOfWork, event: Event) -> None:
    """Officers follow the record that stays."""
    seen = event.read(MergeSeen)
    await commands.officer_merged(uow, seen.absorbed_id, seen.canonical_id)


HANDLERS: Mapping[str, Handler] = {
    "org.santun.registry.person.life_changed.v1": on_life_changed,
    "org.santun.registry.person.merged.v1": on_merged,
}
