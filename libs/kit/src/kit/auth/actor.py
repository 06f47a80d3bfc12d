"""Who acts: the claims of an access token that the services use, or a rule of the system itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from kit.machine import SYSTEM
from kit.regions import covers, is_code


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or machine behind a request.

    `sub` is the stable id of the account, `client` the application it came through, `person_id` the person it belongs
    to (where known; separation of duties compares both), `unit` an office or institution code. No name, ever.
    """

    sub: str
    client: str
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    regions: tuple[str, ...] = ()
    person_id: UUID | None = None
    unit: str | None = None

    @classmethod
    def system(cls, rule: str) -> "Actor":
        """A rule that acts without a person (scheduler, consumer); `rule` says which, and stands in the audit trail."""
        return cls(sub=f"system:{rule}", client=SYSTEM, roles=frozenset({SYSTEM}))

    @classmethod
    def of_claims(cls, claims: Mapping[str, Any]) -> "Actor":
        """The actor of verified claims. Raises ValueError or TypeError when a claim has another shape than promised.

        The role and the name of the system itself cannot be had by token, nor its sight of all regions (`*`).
        """
        person = claims.get("person_id")
        actor = cls(
            sub=_text(claims["sub"]),
            client=_text(claims["azp"]),
            roles=frozenset(_texts(claims.get("roles"))),
            scopes=frozenset(_text(claims.get("scope", "")).split()),
            regions=_texts(claims.get("regions")),
            person_id=None if person is None else UUID(_text(person)),
            unit=None if claims.get("unit") is None else _text(claims["unit"]),
        )
        if not actor.sub or not actor.client or actor.is_system or actor.sub.startswith(f"{SYSTEM}:"):
            raise ValueError("claims of the system itself, or no subject")
        if not all(is_code(region) for region in actor.regions):
            raise ValueError("a region that is no code")
        return actor

    @property
    def is_system(self) -> bool:
        """Whether a rule acts, not a person or a machine with a token."""
        return SYSTEM in self.roles or self.client == SYSTEM

    def sees(self, region_code: str) -> bool:
        """Whether the region lies within the actor's regions; the system sees all, nobody else without a region."""
        return self.is_system or covers(self.regions, region_code)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a claim that must be text is not")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise TypeError("a claim that must be a list is not")
    return tuple(_text(item) for item in value)
