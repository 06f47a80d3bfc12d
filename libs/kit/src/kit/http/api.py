"""Routers of services. The route class stands around every endpoint: who calls, how much, one transaction, then the answer.

Nothing is answered before the commit: the endpoint's transaction, the kept answer of its idempotency key and the
response are one step.
"""

import json
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from kit.auth.actor import Actor
from kit.auth.scopes import Public, Requirement, access, authenticated
from kit.errors import Refused
from kit.http import idempotency, limits
from kit.http.conditional import etag, expected_version, not_modified
from kit.http.deps import Opening, if_match, reading, writing
from kit.http.models import Versioned
from kit.logs import mask

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Route(APIRoute):
    """One route of a service; refuses to exist without `requires(...)` or `public(...)`.

    `max_body_size` raises the body limit for uploads, as in FastAPI.
    """

    def __init__(
        self, path: str, endpoint: Callable[..., Any], *, max_body_size: int | None = None, **rest: Any
    ) -> None:
        self.body_bytes = max_body_size or limits.BODY_BYTES
        super().__init__(path, _opening(endpoint) if iscoroutinefunction(endpoint) else endpoint, **rest)

    def get_route_handler(self) -> Handler:
        """Wrap FastAPI's handler: token and scope, headers, body, then the transaction around all the rest."""
        inner = super().get_route_handler()
        rule = access(self.dependant)
        if rule is None:
            raise TypeError(f"{self.path} has neither requires(...) nor public(...)")
        calls = set(_calls(self.dependant))
        nested = {call for found in self.dependant.dependencies for call in _calls(found)}
        opens_late = iscoroutinefunction(self.endpoint) and not nested & {reading, writing}
        versioned = isinstance(self.response_model, type) and issubclass(self.response_model, Versioned)

        async def handler(request: Request) -> Response:
            request.scope[limits.SCOPE_LIMIT] = self.body_bytes
            request.state.opens_late = opens_late
            if isinstance(rule, Requirement):
                await rule(await authenticated(request))
            if writing in calls:
                idempotency.key_of(request)
            if if_match in calls:
                expected_version(request.headers.get("If-Match"))
            if self.body_field is not None and _is_json(request) and (body := await request.body()):
                request._json = limits.parse(body)  # noqa: SLF001 - Starlette's own cache of the parsed body
            try:
                return await _answer(request, inner, versioned=versioned)
            except idempotency.Replay as replay:
                return replay.response
            except Refused as refused:
                await _record(request, self, refused)
                raise

        return handler


class Api(APIRouter):
    """`APIRouter` whose routes commit before they answer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, route_class=Route, **kwargs)


def _opening(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """The endpoint, with its transaction opened after all its other arguments were found good."""

    @wraps(endpoint)
    async def opened(**given: Any) -> Any:
        for name, value in given.items():
            if isinstance(value, Opening):
                given[name] = await value.open()
        return await endpoint(**given)

    return opened


async def _answer(request: Request, inner: Handler, *, versioned: bool) -> Response:
    """Run the endpoint in the transaction that its dependencies open, keep the answer, commit, return the answer."""
    async with AsyncExitStack() as transaction:
        request.state.transaction = transaction
        response = await inner(request)
        if versioned and response.status_code < 300:  # noqa: PLR2004 - any success
            response = _tagged(request, response)
        claim = getattr(request.state, "claim", None)
        if claim is not None:
            idempotency.store(request.state.uow, claim, response)
    return response


def _tagged(request: Request, response: Response) -> Response:
    tag = etag(json.loads(bytes(response.body))["version"])
    response.headers["ETag"] = tag
    if request.method == "GET" and not_modified(request.headers.get("If-None-Match"), tag):
        return Response(status_code=304, headers={"ETag": tag})
    return response


async def _record(request: Request, route: Route, refused: Refused) -> None:
    """Keep what was refused and why, in a transaction of its own (the command's is rolled back)."""
    await request.app.state.runtime.record_refusal(
        actor=getattr(request.state, "actor", None) or Actor.system("public"),
        command=f"{request.method} {route.path}",
        ids={name: mask(str(value)) for name, value in request.path_params.items()},
        refusal=refused.refusal,
    )


def _calls(dependant: Dependant) -> Iterator[Any]:
    for found in dependant.dependencies:
        yield found.call
        yield from _calls(found)


def _is_json(request: Request) -> bool:
    return "json" in request.headers.get("content-type", "").partition(";")[0]


__all__ = ["Api", "Public", "Requirement", "Route"]
