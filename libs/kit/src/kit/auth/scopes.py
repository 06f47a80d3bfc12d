"""What a route asks of its caller: a scope and a region rule, or the reason why it is open to all.

Each route of a service carries exactly one `requires(...)` or `public(...)`; a test lists them, and the OpenAPI
document shows them. The route class checks them before it reads the body.
"""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant

from kit.auth.actor import Actor
from kit.errors import Forbidden, Unauthorized


@dataclass(frozen=True, slots=True)
class Region:
    """Where the region of a call comes from: the stored object, the body, the query; or why none counts."""

    rule: str
    reason: str = ""

    OBJECT: ClassVar["Region"]
    BODY: ClassVar["Region"]
    QUERY: ClassVar["Region"]

    @classmethod
    def none(cls, reason: str) -> "Region":
        """The call has no region, and why that is right."""
        return cls("none", reason)


Region.OBJECT = Region("object")
Region.BODY = Region("body")
Region.QUERY = Region("query")


async def authenticated(request: Request) -> Actor:
    """The actor behind the request's bearer token, verified once per request. Raises Unauthorized without detail."""
    known = getattr(request.state, "actor", None)
    if isinstance(known, Actor):
        return known
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthorized
    actor: Actor = await request.app.state.tokens.verify(token.strip())
    request.state.actor = actor
    return actor


@dataclass(frozen=True, slots=True)
class Requirement:
    """A scope and a region rule; called by FastAPI it gives the actor who has the scope."""

    scope: str
    region: Region

    async def __call__(self, actor: Annotated[Actor, Depends(authenticated)]) -> Actor:
        """The actor, or Forbidden when the token lacks the scope."""
        if self.scope not in actor.scopes:
            raise Forbidden(self.scope)
        return actor


@dataclass(frozen=True, slots=True)
class Public:
    """No token is asked, and why."""

    reason: str

    async def __call__(self) -> None:
        """Nothing to check."""


def requires(scope: str, *, region: Region) -> Any:
    """Dependency: the actor, who has `scope`. `region` says who checks the region (see Region)."""
    return Depends(Requirement(scope, region))


def public(reason: str) -> Any:
    """Dependency: this route needs no token because of `reason`."""
    return Depends(Public(reason))


def access(dependant: Dependant) -> Requirement | Public | None:
    """What a route asks of its caller, found among its dependencies; None when nobody said."""
    for found in dependant.dependencies:
        if isinstance(found.call, Requirement | Public):
            return found.call
        if (inner := access(found)) is not None:
            return inner
    return None
