"""What endpoints ask for: a transaction, the expected version, the long-lived objects of their service."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Request

from kit.auth.actor import Actor
from kit.auth.scopes import authenticated
from kit.db.uow import UnitOfWork
from kit.http import idempotency
from kit.http.conditional import expected_version


@dataclass(frozen=True, slots=True)
class Opening:
    """A transaction that opens when the endpoint starts: a request that is refused before that costs no connection."""

    request: Request
    actor: Actor
    key: str | None = None

    async def open(self) -> UnitOfWork:
        """Begin, and take the idempotency key as the first thing."""
        state = self.request.state
        if self.key is None:
            begun = self.request.app.state.runtime.begin(self.actor, origin="api")
            uow: UnitOfWork = await state.transaction.enter_async_context(begun)
        else:
            uow, state.claim = await idempotency.begin(state.transaction, self.request, self.actor, self.key)
            state.uow = uow
        uow.route = f"{self.request.method} {self.request.scope['route'].path}"
        return uow


async def writing(
    request: Request,
    actor: Annotated[Actor, Depends(authenticated)],
    _key: Annotated[
        str | None,
        Header(alias=idempotency.HEADER, description="Eight to 64 visible characters, new for every command."),
    ] = None,
) -> Any:
    """A writing transaction that the route commits before it answers. POST needs an Idempotency-Key."""
    return await _now_or_later(Opening(request, actor, idempotency.key_of(request)))


async def reading(request: Request, actor: Annotated[Actor, Depends(authenticated)]) -> Any:
    """A transaction for reads (and for the log of reads); committed before the answer, too."""
    return await _now_or_later(Opening(request, actor))


async def _now_or_later(opening: Opening) -> Any:
    """Dependencies of dependencies need the transaction itself; an endpoint gets it when everything else is good."""
    return opening if opening.request.state.opens_late else await opening.open()


async def if_match(
    tag: Annotated[str | None, Header(alias="If-Match", description='The version that was read, as in `"7"`.')] = None,
) -> int:
    """The version that the caller read before it changes anything."""
    return expected_version(tag)


async def wired(request: Request) -> Any:
    """The long-lived objects of the service, as its wiring made them."""
    return request.app.state.runtime.wiring


Uow = Annotated[UnitOfWork, Depends(writing)]
Reads = Annotated[UnitOfWork, Depends(reading)]
IfMatch = Annotated[int, Depends(if_match)]
Wired = Annotated[Any, Depends(wired)]
