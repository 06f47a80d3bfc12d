"""Who of these officers is, or is family of, one of these persons (separation of duties, rule K17)."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from kit.db.uow import UnitOfWork

from registry.families import queries as families
from registry.officers import store


@dataclass(frozen=True, slots=True)
class Tie:
    """An officer and a person who must not meet in one file; `kind` is self or family."""

    officer: str
    person_id: UUID
    kind: str


async def conflicts(
    uow: UnitOfWork, subjects: Sequence[str], known: dict[str, UUID], person_ids: Sequence[UUID]
) -> list[Tie]:
    """Pairs of officer and person. `known` are persons behind accounts that the caller knows from tokens."""
    behind = {**await store.persons_of(uow, subjects), **known}
    asked = set(person_ids)
    ties = [Tie(subject, person, "self") for subject, person in behind.items() if person in asked]
    of_person: dict[UUID, list[str]] = {}
    for subject, person in behind.items():
        of_person.setdefault(person, []).append(subject)
    for officer, person in await families.pairs(uow, list(of_person), list(asked)):
        ties.extend(Tie(subject, person, "family") for subject in of_person[officer])
    return sorted(ties, key=lambda tie: (tie.officer, str(tie.person_id)))
