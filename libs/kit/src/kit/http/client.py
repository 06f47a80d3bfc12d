"""Calls to the other services: own token, time-outs on everything, few retries, failures with one name.

A call never runs inside a transaction that writes (architecture 7.6); bodies are never logged.
"""

import asyncio
import json
import random
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import httpx
import structlog

from kit import metrics, telemetry
from kit.errors import Missing, Unavailable
from kit.http import idempotency
from kit.settings import Base

TIMEOUT = httpx.Timeout(5.0, connect=2.0, pool=2.0)
TRIES = 3
ANSWER_BYTES = 32 * 1024 * 1024
_EARLY_SECONDS = 30.0
_AGAIN = frozenset({429, 502, 503, 504})
_LIMITS = httpx.Limits(max_connections=20, max_keepalive_connections=10, keepalive_expiry=20)

log = structlog.get_logger("kit.client")

_trusted = lru_cache(maxsize=1)(httpx.create_ssl_context)
"""The certificates to trust, read once a process: it takes 20 ms, in which the event loop stands."""


class PeerRefused(Exception):
    """The other service understood and refused: its status, problem slug and reason codes. The caller decides."""

    def __init__(self, peer: str, status: int, slug: str, codes: tuple[str, ...]) -> None:
        super().__init__(f"{peer} answered {status} {slug} {', '.join(codes)}")
        self.status, self.slug, self.codes = status, slug, codes


class ServiceClient:
    """One neighbour. Made once in the service's wiring, closed with it.

    Raises Unavailable(name) when the neighbour or the issuer cannot be reached in time, Missing for 404, PeerRefused for
    any other refusal.
    """

    def __init__(
        self, name: str, base_url: str, settings: Base, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.name = name
        self._settings = settings
        self._http = httpx.AsyncClient(
            base_url=base_url, timeout=TIMEOUT, limits=_LIMITS, transport=transport, verify=_trusted()
        )
        self._token = ""
        self._token_until = float("-inf")
        self._lock = asyncio.Lock()

    async def get(self, path: str, params: Mapping[str, str | int] | None = None) -> Any:
        """The JSON answer of a GET; retried."""
        return await self._call("GET", path, tries=TRIES, params=params)

    async def ask(self, path: str, body: Any) -> Any:
        """The JSON answer of a POST that only reads (bulk questions); retried."""
        return await self._call("POST", path, tries=TRIES, body=body)

    async def command(self, path: str, body: Any, *, key: str) -> Any:
        """Send a command once under the caller's own idempotency key.

        After Unavailable the outcome is unknown: the caller repeats with the same key.
        """
        return await self._call("POST", path, tries=1, body=body, headers={idempotency.HEADER: key})

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.aclose()

    async def _call(
        self, method: str, path: str, *, tries: int, params: Mapping[str, str | int] | None = None, body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:  # fmt: skip
        for attempt in range(1, tries + 1):
            try:
                answer = await self._once(method, path, params, body, headers)
            except (httpx.TransportError, TimeoutError) as lost:
                failure = type(lost).__name__
            else:
                if answer.status_code not in _AGAIN:
                    return self._read(answer)
                failure = str(answer.status_code)
            log.warning("peer_failed", peer=self.name, why=failure, attempt=attempt)
            if attempt < tries:
                await asyncio.sleep(0.1 * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
        raise Unavailable(self.name)

    async def _once(
        self, method: str, path: str, params: Mapping[str, str | int] | None, body: Any, headers: Mapping[str, str] | None,
    ) -> httpx.Response:  # fmt: skip
        for fresh in (False, True):
            sent = {**(headers or {}), "authorization": f"Bearer {await self._bearer(fresh=fresh)}"}
            telemetry.inject(sent)
            request = self._http.build_request(method, path, params=params, json=body, headers=sent)
            start = time.perf_counter()
            outcome = "failed"
            try:
                answer = await self._bounded(request)
                outcome = f"{answer.status_code // 100}xx"
            finally:
                metrics.outgoing_seconds.labels(self.name, outcome).observe(time.perf_counter() - start)
            if answer.status_code != httpx.codes.UNAUTHORIZED:
                break
        return answer

    async def _bounded(self, request: httpx.Request) -> httpx.Response:
        """The whole answer, unless it grows past the limit."""
        answer = await self._http.send(request, stream=True)
        try:
            body = bytearray()
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > ANSWER_BYTES:
                    raise httpx.ReadError("answer larger than the limit", request=request)
        finally:
            await answer.aclose()
        return httpx.Response(answer.status_code, headers=_plain(answer.headers), content=bytes(body), request=request)

    async def _bearer(self, *, fresh: bool) -> str:
        async with self._lock:
            if fresh or time.monotonic() >= self._token_until:
                settings = self._settings
                auth = httpx.BasicAuth(settings.client_id, settings.client_secret.get_secret_value())
                async with httpx.AsyncClient(timeout=TIMEOUT, verify=_trusted()) as issuer:
                    answer = await issuer.post(settings.token_url, data={"grant_type": "client_credentials"}, auth=auth)
                if answer.status_code != httpx.codes.OK:
                    log.error("token_not_issued", status=answer.status_code)
                    raise Unavailable("identity provider")
                issued = answer.json()
                self._token = str(issued["access_token"])
                self._token_until = time.monotonic() + float(issued.get("expires_in", 60)) - _EARLY_SECONDS
            return self._token

    def _read(self, answer: httpx.Response) -> Any:
        if answer.is_success:
            return answer.json() if answer.content else None
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise Missing(self.name)
        if answer.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN} or answer.is_server_error:
            log.error("peer_closed", peer=self.name, status=answer.status_code)
            raise Unavailable(self.name)
        slug, codes = _problem(answer)
        raise PeerRefused(self.name, answer.status_code, slug, codes)


def _plain(headers: httpx.Headers) -> dict[str, str]:
    """Without the headers that described the coded and chunked form, which is undone."""
    return {k: v for k, v in headers.items() if k not in {"content-encoding", "content-length", "transfer-encoding"}}


def _problem(answer: httpx.Response) -> tuple[str, tuple[str, ...]]:
    try:
        told = answer.json()
        said = [*told.get("reasons", ()), *told.get("errors", ())]
        return str(told.get("type", "")).rpartition("/")[2], tuple(str(one["code"]) for one in said)
    except (json.JSONDecodeError, AttributeError, TypeError, KeyError):
        return "", ()
