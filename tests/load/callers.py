"""Callers of an HTTP service: as many kept-alive connections as asked, each with one request under way.

Plain asyncio streams: a client library would cost more of the machine than the service that is measured.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import perf_counter

from kit.ids import new_id


@dataclass(slots=True)
class Load:
    """What the callers saw."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds


Request = Callable[[], bytes | None]
"""Makes the next request; None when there is none left."""


def get(path: str, token: str | None = None) -> bytes:
    """A GET as it goes over the wire."""
    bearer = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\n{bearer}\r\n".encode()


def post(path: str, token: str, body: bytes, headers: str = "") -> bytes:
    """A POST with a new idempotency key."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: {new_id()}\r\n{headers}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def closed(port: int, request: Request, *, connections: int, seconds: float) -> Load:
    """Each connection asks again as soon as it was answered, for so many seconds."""
    load, start = Load(), perf_counter()

    async def call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while perf_counter() - start < seconds and (message := request()) is not None:
            asked = perf_counter()
            load.statuses[await _ask(reader, writer, message)] += 1
            load.latencies.append(perf_counter() - asked)

    await _connected(port, connections, call)
    load.seconds = perf_counter() - start
    return load


async def paced(port: int, request: Request, *, connections: int, seconds: float, rate: float) -> Load:
    """Requests come at a steady rate whatever the answers do; a wait for a free connection counts as latency."""
    load, start = Load(), perf_counter()
    due: Iterator[float] = iter(start + number / rate for number in range(int(seconds * rate)))

    async def call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for at in due:
            if (wait := at - perf_counter()) > 0:
                await asyncio.sleep(wait)
            if (message := request()) is None:
                return
            load.statuses[await _ask(reader, writer, message)] += 1
            load.latencies.append(perf_counter() - at)

    await _connected(port, connections, call)
    load.seconds = perf_counter() - start
    return load


async def _connected(port: int, connections: int, call: Callable[..., object]) -> None:
    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await call(reader, writer)  # type: ignore[misc]
        finally:
            writer.close()
            await writer.wait_closed()

    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(one())


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, message: bytes) -> int:
    writer.write(message)
    head = await reader.readuntil(b"\r\n\r\n")
    at = head.lower().find(b"content-length:")
    if at >= 0:
        await reader.readexactly(int(head[at + 15 : head.index(b"\r\n", at)]))
    return int(head[9:12])
