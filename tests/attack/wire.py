"""A request put straight into a service's application: no client library that would tidy it up, and quick."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from stack.running import Running

Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[bytes, bytes]
    body: bytes

    @property
    def type(self) -> str:
        """The content type."""
        return self.headers.get(b"content-type", b"").decode()

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        """The body read as JSON."""
        return json.loads(self.body)


async def ask(
    running: Running,
    method: str,
    path: str,
    headers: Iterable[Header] = (),
    chunks: Sequence[bytes] = (b"",),
    query: str = "",
    *,
    unending: bool = False,
) -> Answer:
    """Send one request; the body goes in these chunks, `unending`: as if more would follow that never does.

    Nothing is checked, completed or corrected on the way.
    """
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": unquote(path), "raw_path": path.encode(), "query_string": query.encode("latin-1"), "root_path": "",
        "headers": list(headers), "server": ("service.test", 80), "client": ("127.0.0.1", 1),
    }  # fmt: skip
    left = [{"type": "http.request", "body": part, "more_body": True} for part in chunks]
    left[-1]["more_body"] = unending
    left.reverse()
    told: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not left:
            await asyncio.Event().wait()  # the caller stays until everything was said
        return left.pop()

    async def send(message: dict[str, Any]) -> None:
        told.append(message)

    await running.app(scope, receive, send)  # type: ignore[arg-type]
    body = b"".join(part.get("body", b"") for part in told[1:])
    return Answer(told[0]["status"], dict(told[0]["headers"]), body)
