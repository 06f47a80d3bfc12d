"""What a citizen with a token of their own may touch: what is about themselves, and nothing else of their village."""

from uuid import UUID

from kit.auth.actor import Actor
from kit.errors import OutOfRegion

CITIZEN = frozenset({"warga"})


def is_citizen(actor: Actor) -> bool:
    """Whether the actor holds no office, only the role of a citizen."""
    return actor.roles == CITIZEN


def only_own(actor: Actor, person_id: UUID | None) -> None:
    """Raise OutOfRegion (404) when a citizen reaches for something about somebody else."""
    if is_citizen(actor) and (person_id is None or person_id != actor.person_id):
        raise OutOfRegion
