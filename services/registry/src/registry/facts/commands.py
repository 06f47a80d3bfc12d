"""After a change: build the facts of the persons touched and tell others whose facts are now other ones."""

from collections.abc import Collection, Sequence
from uuid import UUID

from kit.db.types import Keyed
from kit.db.uow import Line, UnitOfWork

from registry.events import FactsChanged
from registry.facts import store
from registry.facts.store import Change

CHUNK = 5_000


async def refresh(
    uow: UnitOfWork, person_ids: Sequence[UUID], *, told: Collection[UUID] = (), run_id: UUID | None = None
) -> dict[UUID, Change]:
    """Rebuild the facts and announce `person.facts_changed` for each person whose facts changed.

    `told` are persons for whom the caller announces an event of its own that carries the new facts_version (life, an
    identity, an account); they get no second one. Returns the changes by person. `run_id` names an import.
    """
    changes = await store.rebuild(uow, person_ids)
    speak = [c for c in changes if c.groups and not c.first and c.person_id not in told]
    for start in range(0, len(speak), CHUNK):
        await _announce(uow, speak[start : start + CHUNK], run_id)
    return {change.person_id: change for change in changes}


async def tell(uow: UnitOfWork, person: Keyed, changes: dict[UUID, Change]) -> None:
    """Announce `person.facts_changed` for one person whose row the caller holds and has loaded."""
    change = changes.get(person.id)
    if change is not None and change.groups and not change.first:
        payload = FactsChanged(person_id=person.id, facts_version=change.facts_version, groups=list(change.groups))
        await uow.announce(person, "person.facts_changed", payload)


async def version_of(uow: UnitOfWork, person_id: UUID, changes: dict[UUID, Change]) -> int:
    """The facts_version after a refresh, changed or not."""
    change = changes.get(person_id)
    return change.facts_version if change else await store.version(uow, person_id)


async def _announce(uow: UnitOfWork, changes: Sequence[Change], run_id: UUID | None) -> None:
    sequences = await store.raise_sequence(uow, [c.person_id for c in changes])
    lines = [
        Line(
            c.person_id,
            sequences[c.person_id],
            FactsChanged(person_id=c.person_id, facts_version=c.facts_version, groups=list(c.groups), run_id=run_id),
        )
        for c in changes
    ]
    await uow.announce_many("person.facts_changed", lines)
