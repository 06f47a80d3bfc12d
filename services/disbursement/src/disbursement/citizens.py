"""What a citizen with a token of their own may touch: what is about themselves, and nothing else of their village."""

from uuid import UUID

from kit.auth.actor import Actor
from kit.errors import OutOfRegion

CITIZEN = frozenset({"warga"})


def is_citizen(actor: Actor) -> bool:
    """Whether the actor holds no office, only the role of a citizen."""
    return actor.roles == CITIZEN


def only_own(actor: Actor, *person_ids: UUID | None) -> None:
    """Raise OutOfRegion (404) when a citizen reaches for something that is about none of these persons but others."""
    if is_citizen(actor) and (actor.person_id is None or actor.person_id not in person_ids):
        raise OutOfRegion
