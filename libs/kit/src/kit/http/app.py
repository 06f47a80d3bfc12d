"""The HTTP application of any service: its routers inside the edge, the limits and the problem handlers of the house."""

from importlib.metadata import PackageNotFoundError, version
from time import perf_counter
from typing import TYPE_CHECKING

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from opentelemetry.trace import SpanKind
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kit import metrics, telemetry
from kit.auth.tokens import TokenVerifier
from kit.errors import Problem
from kit.http import docs, health
from kit.http.limits import Limits
from kit.http.problems import answer, texts

if TYPE_CHECKING:
    from kit.runtime import Runtime
    from kit.service import Service

log = structlog.get_logger("kit.http")

_QUIET = ("/health/", "/metrics")
_SERVER_ERROR = 500
_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)


def create_app(service: "Service", runtime: "Runtime", *, api: bool = True) -> FastAPI:
    """Put a service's routers behind the house's edge. `app.state` holds runtime, tokens and texts.

    Without `api` there are only the pages of health and figures: what a relay or a reader shows of itself.
    """
    app = FastAPI(
        title=service.title, version=_version(service.name), openapi_url=None, docs_url=None, redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False}, redirect_slashes=False,
    )  # fmt: skip
    app.state.runtime = runtime
    app.state.tokens = TokenVerifier(runtime.settings)
    app.state.texts = texts(runtime.settings.contracts_dir)
    # Taken as they are: `include_router` would build each route once more for every application, and look twice for each request.
    public = (*service.routers, docs.router(app, service)) if api else ()
    for router in (*public, health.router(app, service)):
        app.router.routes += router.routes
    for kind in (Problem, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _answer)
    app.add_middleware(Limits)
    app.add_middleware(Edge, app=app)
    return app


async def _answer(request: Request, error: Exception) -> Response:
    return answer(error, request.scope, request.app.state.texts)


class Edge:
    """Stands around everything: the trace, the log line, the figures, and an answer for whatever was not foreseen."""

    def __init__(self, inner: ASGIApp, app: FastAPI) -> None:
        self._inner = inner
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; exceptions become problems here unless the answer has begun."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        structlog.contextvars.clear_contextvars()
        scope.setdefault("state", {})
        incoming = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"), None)
        with (
            telemetry.span(scope["method"], SpanKind.SERVER, incoming) as span,
            metrics.http_in_flight.track_inprogress(),
        ):
            answering = _Answer(scope, send, closing=health.draining(self._app))
            start = perf_counter()
            try:
                await self._serve(scope, receive, answering)
            finally:
                seconds = perf_counter() - start
                route = getattr(scope.get("route"), "path", "unknown")
                span.update_name(f"{scope['method']} {route}")
                span.set_attributes({"http.route": route, "http.response.status_code": answering.status})
                metrics.http_seconds.labels(scope["method"], route, str(answering.status)).observe(seconds)
                if not route.startswith(_QUIET) or answering.status >= _SERVER_ERROR:
                    _line(scope, route, answering.status, seconds)

    async def _serve(self, scope: Scope, receive: Receive, answering: "_Answer") -> None:
        try:
            await self._inner(scope, receive, answering)
        except ClientDisconnect:
            log.info("client_left", method=scope["method"])
        except Exception as error:
            if answering.status:
                raise
            await answer(error, scope, self._app.state.texts)(scope, receive, answering)


class _Answer:
    """`send` that notes the status and adds the headers of the house."""

    def __init__(self, scope: Scope, send: Send, *, closing: bool) -> None:
        self._send = send
        self._closing = closing
        self._http_1 = scope.get("http_version", "1.1").startswith("1")
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [*message.get("headers", ()), *_ALWAYS]
            if not any(name.lower() == b"cache-control" for name, _ in headers):
                headers.append((b"cache-control", b"no-store"))
            if (here := telemetry.traceparent()) is not None:
                headers.append((b"traceparent", here.encode()))
            if self._closing and self._http_1:
                headers.append((b"connection", b"close"))
            message = {**message, "headers": headers}
        await self._send(message)


def _line(scope: Scope, route: str, status: int, seconds: float) -> None:
    actor = scope["state"].get("actor")
    who = {"actor": actor.sub, "client": actor.client} if actor is not None else {}
    say = log.error if status >= _SERVER_ERROR else log.info
    say("request", method=scope["method"], route=route, status=status, ms=round(seconds * 1000, 1), **who)


def _version(name: str) -> str:
    try:
        return version(f"santun-{name}")
    except PackageNotFoundError:
        return "0"
