"""What endpoints ask for: a transaction, the expected version, the long-lived objects of their service."""

from typing import Annotated, Any

from fastapi import Depends, Header, Request

from kit.auth.actor import Actor
from kit.auth.scopes import authenticated
from kit.db.uow import UnitOfWork
from kit.http import idempotency
from kit.http.conditional import expected_version


async def writing(
    request: Request,
    actor: Annotated[Actor, Depends(authenticated)],
    _key: Annotated[
        str | None,
        Header(alias=idempotency.HEADER, description="Eight to 64 visible characters, new for every command."),
    ] = None,
) -> UnitOfWork:
    """A writing transaction that the route commits before it answers. POST needs an Idempotency-Key."""
    uow = await _begin(request, actor)
    request.state.uow = uow
    if (key := idempotency.key_of(request)) is not None:
        request.state.claim = await idempotency.claim(uow, request, actor, key)
    return uow


async def reading(request: Request, actor: Annotated[Actor, Depends(authenticated)]) -> UnitOfWork:
    """A transaction for reads (and for the log of reads); committed before the answer, too."""
    return await _begin(request, actor)


async def _begin(request: Request, actor: Actor) -> UnitOfWork:
    """Open the transaction that the route class ends."""
    uow: UnitOfWork = await request.state.transaction.enter_async_context(
        request.app.state.runtime.begin(actor, origin="api")
    )
    uow.route = f"{request.method} {request.scope['route'].path}"
    return uow


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
