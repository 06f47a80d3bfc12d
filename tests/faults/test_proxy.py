"""The proxy hurts a link as it says, and no more."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from faults.proxy import FAIR, Links, Weather
from kit.testing import eventually
from stack import processes


@asynccontextmanager
async def _echo() -> AsyncIterator[tuple[Links, asyncio.StreamReader, asyncio.StreamWriter, list[bytes]]]:
    """A server that answers what it hears, behind a link; one connection through it, and what the server heard."""
    heard: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1_000):
            heard.append(data)
            writer.write(data)
        writer.close()

    far, near = processes.free_port(), processes.free_port()
    server = await asyncio.start_server(answer, "127.0.0.1", far)
    links = Links()
    links.add("echo", near, far)
    reader, writer = await asyncio.open_connection("127.0.0.1", near)
    try:
        yield links, reader, writer, heard
    finally:
        writer.close()
        links.close()
        server.close()


async def _says(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, word: bytes) -> bytes:
    writer.write(word)
    async with asyncio.timeout(3):
        return await reader.readexactly(len(word))


async def test_bytes_pass_both_ways_and_slowly_when_told():
    async with _echo() as (links, reader, writer, _):
        assert await _says(reader, writer, b"fair") == b"fair"
        links.change("echo", Weather(latency=0.1))
        began = time.monotonic()
        assert await _says(reader, writer, b"slow") == b"slow"
        assert time.monotonic() - began >= 0.2
        links.change("echo", Weather(bytes_per_second=10))
        began = time.monotonic()
        assert await _says(reader, writer, b"narrow") == b"narrow"
        assert time.monotonic() - began >= 1.2


async def test_a_frozen_link_moves_again_and_loses_nothing():
    async with _echo() as (links, reader, writer, _):
        links.change("echo", Weather(frozen=True))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(_says(reader, writer, b"ice"), 0.3)
        links.change("echo", FAIR)
        async with asyncio.timeout(3):
            assert await reader.readexactly(3) == b"ice"


async def test_a_deaf_link_delivers_and_loses_the_answer():
    async with _echo() as (links, reader, writer, heard):
        links.change("echo", Weather(deaf=True))
        writer.write(b"order")
        await eventually(lambda: _holds(heard, b"order"))
        await eventually(lambda: _loses(links))  # the answer is on its way until then
        links.change("echo", FAIR)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(5)


async def test_a_dead_link_stays_open_and_says_nothing():
    async with _echo() as (links, reader, writer, heard):
        assert await _says(reader, writer, b"alive") == b"alive"
        links.bereave("echo")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(_says(reader, writer, b"hello"), 0.5)
        assert b"hello" not in heard
        assert not reader.at_eof()


async def test_a_cut_link_is_reset_and_a_refusing_one_takes_nobody():
    async with _echo() as (links, reader, _, __):
        links.change("echo", Weather(refusing=True))
        links.cut("echo")
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            again, _w = await asyncio.open_connection("127.0.0.1", links.proxies["echo"].port)
            await again.readexactly(1)


async def _holds(heard: list[bytes], word: bytes) -> bool:
    return word in heard


async def _loses(links: Links) -> bool:
    return links.proxies["echo"].losing
