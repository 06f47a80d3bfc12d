"""What a request may cost before anyone looks at what it says: size, time, depth, odd characters.

`Limits` is pure ASGI and buffers nothing; `parse` is called by the route class once the caller is known. Every figure
stands in docs/limits.md.
"""

import asyncio
import json
import re
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kit.errors import Invalid, Problem, TooLarge

MIB = 1024 * 1024
BODY_BYTES = MIB
BODY_SECONDS = 15.0
UPLOAD_SECONDS = 300.0
HEADER_COUNT = 64
HEADER_BYTES = 16 * 1024
TARGET_BYTES = 8 * 1024
JSON_DEPTH = 32

SCOPE_LIMIT = "santun.body_bytes"
"""Key of the ASGI scope under which the route says how large its body may be."""

_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+"')
_BRACKETS = re.compile(rb"[\[\]{}]")


class SlowBody(Problem):
    """The body did not arrive in time."""

    status, slug = 408, "slow-body"


class HeadersTooLarge(Problem):
    """Too many header fields, or too many bytes of them, or too long an address."""

    status, slug = 431, "headers-too-large"


class Limits:
    """Refuse what is too large or too slow while it arrives, before anything is kept."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the head now and the body as the application asks for it; problems rise to the edge."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        _check_head(scope)
        await self.app(scope, _Meter(scope, receive), send)


class _Meter:
    """Counts the body and its time. The route's own limit counts from the first read, unknown routes get the default."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._scope, self._receive = scope, receive
        self._seen = 0
        self._deadline: float | None = None
        self._done = False

    async def __call__(self) -> Message:
        if self._done:
            return await self._receive()  # the wait for the client to go away has no limit
        limit: int = self._scope.get(SCOPE_LIMIT, BODY_BYTES)
        loop = asyncio.get_running_loop()
        if self._deadline is None:
            if _content_length(self._scope) > limit:
                raise TooLarge(limit)
            self._deadline = loop.time() + (BODY_SECONDS if limit <= BODY_BYTES else UPLOAD_SECONDS)
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise SlowBody from None
        if message["type"] == "http.request":
            self._seen += len(message.get("body", b""))
            if self._seen > limit:
                raise TooLarge(limit)
            self._done = not message.get("more_body", False)
        return message


def _check_head(scope: Scope) -> None:
    headers = scope["headers"]
    if len(headers) > HEADER_COUNT or sum(len(name) + len(value) for name, value in headers) > HEADER_BYTES:
        raise HeadersTooLarge
    query = scope.get("query_string", b"")
    if len(scope["path"]) + len(query) > TARGET_BYTES:
        raise HeadersTooLarge
    if "\x00" in scope["path"] or b"%00" in query or b"\x00" in query:
        raise _unreadable("/path", "bukan_teks")


def _content_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            if not value.isdigit():
                raise _unreadable("/headers/content-length", "nilai_tidak_sah")
            return int(value)
    return 0


def parse(body: bytes) -> Any:
    """The JSON value of a body. Raises Invalid for broken JSON, doubled keys, NUL, lone surrogates, NaN, deep nesting.

    UTF-8 and nothing else (RFC 8259): the checks below look at bytes, and `json` by itself would read UTF-16 too.
    """
    _check_depth(body)
    try:
        value = json.loads(body.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _unreadable("", "bukan_json") from None
    if b"\\u" in body or b"\x00" in body:
        _check_texts(value)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _unreadable("", "kunci_ganda")
    return found


def _no_constant(_: str) -> Any:
    raise ValueError("NaN and Infinity are no JSON")


def _check_depth(body: bytes) -> None:
    if body.count(b"[") + body.count(b"{") <= JSON_DEPTH:
        return
    depth = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub(b"", body)):
        depth += 1 if bracket in b"[{" else -1
        if depth > JSON_DEPTH:
            raise _unreadable("", "json_terlalu_dalam")


def _check_texts(value: Any) -> None:
    """PostgreSQL stores neither NUL nor half a surrogate pair; say so now instead of failing there."""
    if isinstance(value, str):
        if "\x00" in value or (not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value)):
            raise _unreadable("", "bukan_teks")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_texts(key)
            _check_texts(item)
    elif isinstance(value, list):
        for item in value:
            _check_texts(item)


def _unreadable(pointer: str, code: str) -> Invalid:
    fault = Invalid.field(pointer, code)
    fault.status = 422 if not pointer else 400
    return fault
