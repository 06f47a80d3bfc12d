"""A link that can be hurt: a TCP proxy between a client and its server, whose weather is changed while bytes flow.

Weather is told from the client's side: slow, narrow, frozen (nothing moves, then everything does), deaf (what the server
answers is lost: the request was done, its acknowledgement never arrives), dead (the server is gone and nobody says so).
A connection that lost bytes is cut when the weather clears, as a stream with a hole is of no use to anybody.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")
_CHUNK = 64 * 1024
_ABORT = struct.pack("ii", 1, 0)
"""SO_LINGER of no time: closing sends RST, not FIN."""


@dataclass(frozen=True, slots=True)
class Weather:
    """How bytes travel now."""

    latency: float = 0.0
    """Seconds that every piece waits, each way."""
    bytes_per_second: int = 0
    """0: as fast as they come."""
    frozen: bool = False
    deaf: bool = False
    refusing: bool = False
    """New connections are reset at once."""


FAIR = Weather()


class Pair:
    """One connection through the proxy."""

    def __init__(self, proxy: "Proxy", near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self.proxy, self.near, self.far = proxy, near, far
        self.spoilt = False
        """Bytes of it were lost."""
        self.bereft = False
        """Its server is gone; the client has to find out by itself."""

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        """Move bytes one way until either end closes."""
        while data := await reader.read(_CHUNK):
            weather = await self.proxy.thaw()
            if weather.latency:
                await asyncio.sleep(weather.latency)
            if weather.bytes_per_second:
                await asyncio.sleep(len(data) / weather.bytes_per_second)
            if self.spoilt or (answers and self.proxy.weather.deaf):
                self.spoilt = True
                continue
            writer.write(data)
            await writer.drain()

    def abort(self, *writers: asyncio.StreamWriter) -> None:
        """Reset: no goodbye."""
        for writer in writers or (self.near, self.far):
            plug = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
            writer.transport.abort()


class Proxy:
    """Listens on one port of the loopback address and passes every connection on to another."""

    def __init__(self, name: str, port: int, target: int) -> None:
        self.name, self.port, self.target = name, port, target
        self.weather = FAIR
        self.carried = 0
        """Connections so far."""
        self._pairs: set[Pair] = set()
        self._changed = asyncio.Event()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def stop(self) -> None:
        """Cut everything and stop listening."""
        if self._server is not None:
            self._server.close()
        self.cut()

    async def change(self, weather: Weather) -> None:
        """From now on bytes travel so; connections that lost some are cut."""
        self.weather = weather
        self._changed.set()
        self._changed = asyncio.Event()
        for pair in [pair for pair in self._pairs if pair.spoilt and not pair.bereft and not weather.deaf]:
            pair.abort()

    async def thaw(self) -> Weather:
        """The weather as soon as bytes move at all."""
        while self.weather.frozen:
            await self._changed.wait()
        return self.weather

    def cut(self) -> None:
        """Reset every connection."""
        for pair in list(self._pairs):
            pair.abort()

    @property
    def losing(self) -> bool:
        """Whether a connection that is open has lost bytes."""
        return any(pair.spoilt for pair in self._pairs)

    def bereave(self) -> None:
        """The server's end vanishes; the client's end stays open and hears nothing any more."""
        for pair in list(self._pairs):
            pair.spoilt = pair.bereft = True
            pair.abort(pair.far)

    async def _accept(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        with contextlib.suppress(
            asyncio.CancelledError
        ):  # cancelled only when the links are closed; asyncio would log it
            await self._carry(reader, near)

    async def _carry(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        try:
            if self.weather.refusing:
                raise ConnectionRefusedError
            far_reader, far = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            Pair(self, near, near).abort()
            return
        pair = Pair(self, near, far)
        self._pairs.add(pair)
        self.carried += 1
        await self._both_ways(pair, reader, far_reader)

    async def _both_ways(self, pair: Pair, reader: asyncio.StreamReader, far_reader: asyncio.StreamReader) -> None:
        near, far = pair.near, pair.far
        up = asyncio.ensure_future(pair.carry(reader, far, answers=False))
        down = asyncio.ensure_future(pair.carry(far_reader, near, answers=True))
        try:
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
            while pair.spoilt and pair in self._pairs and not near.transport.is_closing():
                await asyncio.wait({up}, timeout=0.2)  # a dead link stays open towards the client
                if up.done():
                    break
        finally:
            for way in (up, down):
                way.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
            self._pairs.discard(pair)
            for writer in (near, far):
                writer.close()


class Links:
    """Proxies in a thread of their own, for tests whose loops come and go."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="links", daemon=True)
        self._thread.start()
        self.proxies: dict[str, Proxy] = {}

    def add(self, name: str, port: int, target: int) -> Proxy:
        """One more link; it carries at once."""
        self.proxies[name] = self._wait(self._made(name, port, target))
        return self.proxies[name]

    def change(self, name: str, weather: Weather) -> None:
        """Change the weather of a link."""
        self._wait(self.proxies[name].change(weather))

    def cut(self, name: str) -> None:
        """Reset every connection of a link."""
        self._loop.call_soon_threadsafe(self.proxies[name].cut)

    def bereave(self, name: str) -> None:
        """Let the server's end of every connection of a link vanish unseen."""
        self._loop.call_soon_threadsafe(self.proxies[name].bereave)

    def clear(self) -> None:
        """Fair weather everywhere."""
        for name in self.proxies:
            self.change(name, FAIR)

    def close(self) -> None:
        """Stop carrying."""
        self._wait(self._ended())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        if not self._thread.is_alive():
            self._loop.close()

    async def _ended(self) -> None:
        for proxy in self.proxies.values():
            await proxy.stop()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _made(self, name: str, port: int, target: int) -> Proxy:
        proxy = Proxy(name, port, target)
        await proxy.start()
        return proxy

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        done: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return done.result(timeout=30)
