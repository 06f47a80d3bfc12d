"""What grants hears: officers of institutions die, or turn out to be alive."""

from collections.abc import Mapping

from kit.db.uow import UnitOfWork
from kit.events.consumer import Handler
from kit.events.envelope import Event

from grants.events import LifeSeen
from grants.institutions import commands


async def on_life_changed(uow: UnitOfWork, event: Event) -> None:
    """A signer who died does not sign any more."""
    seen = event.read(LifeSeen)
    await commands.officer_life(uow, seen.person_id, alive=seen.life != "dead")


HANDLERS: Mapping[str, Handler] = {
    "org.santun.registry.person.life_changed.v1": on_life_changed,
}
