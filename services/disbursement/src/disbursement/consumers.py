"""An event of the registry becomes a command here. Nothing outside the transaction is called; pulls are jobs."""

from collections.abc import Sequence

from kit.db.uow import UnitOfWork
from kit.events.consumer import Handlers, Together
from kit.events.envelope import Event

from disbursement.claims import commands_office as claims
from disbursement.enrolments import commands_life as places
from disbursement.events import DeathMoved, FactsChanged, LifeChanged, PersonErased
from disbursement.rules import commands as facts
from disbursement.rules.store import Changed, Life


async def on_life_changed(uow: UnitOfWork, event: Event) -> None:
    """Reported: hold and pull. Dead: end and cancel what comes after. Alive: resume with arrears, flag the claims."""
    seen = event.read(LifeChanged)
    newer = await facts.note_life(
        uow, Life(seen.person_id, seen.facts_version, seen.life, seen.died_on, seen.death_record_id)
    )
    if not newer:
        return
    match seen.life:
        case "death_reported":
            await places.death_reported(uow, seen.person_id)
        case "dead" if seen.died_on is not None:
            await places.died(uow, seen.person_id, seen.died_on)
        case "dead":
            await places.death_reported(uow, seen.person_id)  # no day is known: nothing is cancelled, all is held
        case _:
            await places.alive(uow, seen.person_id)
            if seen.death_record_id is not None:
                await claims.flag_alive(uow, seen.death_record_id)


async def on_death_revoked(uow: UnitOfWork, event: Event) -> None:
    """The death was taken back: flag its claims, cancel what is unpaid, look for what was paid."""
    await claims.flag_alive(uow, event.read(DeathMoved).death_record_id)


async def on_facts_changed(uow: UnitOfWork, events: Sequence[Event]) -> None:
    """Facts of people known here changed (an import tells of everybody): a job pulls them, and only declared ones."""
    seen = [event.read(FactsChanged) for event in events]
    await facts.mark_changed(uow, [Changed(one.person_id, one.facts_version, one.groups) for one in seen])


async def on_person_erased(uow: UnitOfWork, event: Event) -> None:
    """The registry destroyed a person's data: so are the facts that were copied here."""
    seen = event.read(PersonErased)
    await facts.forget(uow, seen.person_id, seen.facts_version)


HANDLERS: Handlers = {
    "org.santun.registry.person.erased.v1": on_person_erased,
    "org.santun.registry.person.life_changed.v1": on_life_changed,
    "org.santun.registry.death.revoked.v1": on_death_revoked,
    "org.santun.registry.death.voided.v1": on_death_revoked,
    "org.santun.registry.person.facts_changed.v1": Together(on_facts_changed),
}
