"""What is too large, too slow or too odd is refused before anyone works on it."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import desk
import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from kit.errors import Invalid
from kit.http import limits
from kit.testing import eventually
from kit.testing.issuer import Issuer

JSON = {"content-type": "application/json"}


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"[" * 33 + b"]" * 33, "json_terlalu_dalam"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "json_terlalu_dalam"),
        (b"[" * 900_000, "json_terlalu_dalam"),
        (b'{"a":1,"a":2}', "kunci_ganda"),
        (b'{"a":{"b":1,"b":1}}', "kunci_ganda"),
        (b'{"a":"\\u0000"}', "bukan_teks"),
        (b'{"a":["x",{"\\u0000":1}]}', "bukan_teks"),
        (b'{"a":"\\ud800"}', "bukan_teks"),
        (b'{"a":"\x00"}', "bukan_json"),
        (b'{"a":NaN}', "bukan_json"),
        (b'{"a":-Infinity}', "bukan_json"),
        (b'{"a":1', "bukan_json"),
        (b"\xff\xfe", "bukan_json"),
        ('{"a":1}'.encode("utf-16"), "bukan_json"),
        ('{"a":1}'.encode("utf-32-le"), "bukan_json"),
        (b'{"a":"\xed\xa0\x80"}', "bukan_json"),
        (b'{"a":' + b"9" * 5000 + b"}", "bukan_json"),
    ],
)
async def test_json_that_hides_something_is_refused(tmp_path: Path, body: bytes, said: str) -> None:
    async with desk.unconnected(tmp_path).client() as client:
        assert code(await client.post("/v1/echo", content=body, headers=JSON)) == (422, said)


async def test_brackets_and_escapes_inside_texts_are_only_text(tmp_path: Path) -> None:
    body = {"a": "[" * 100 + '\\"{' * 50, "b": "\\u0000", "c": "é\U0001f600"}
    async with desk.unconnected(tmp_path).client() as client:
        answer = await client.post("/v1/echo", content=json.dumps(body), headers=JSON)
    assert answer.json() == body


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8", exclude_characters="\0"))
                    , lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3)))  # fmt: skip
def test_ordinary_json_reads_as_it_was_written(value: Any) -> None:
    assert limits.parse(json.dumps(value).encode()) == value


async def test_a_body_over_the_limit_is_413_whatever_its_header_says(tmp_path: Path) -> None:
    async def pieces() -> Any:
        for _ in range(20):
            yield b"x" * 100_000

    async with desk.unconnected(tmp_path).client() as client:
        declared = await client.post("/v1/echo", content=b"x" * (limits.BODY_BYTES + 1), headers=JSON)
        undeclared = await client.post("/v1/echo", content=pieces(), headers=JSON)
    for answer in (declared, undeclared):
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"
        assert str(limits.BODY_BYTES) in answer.json()["detail"]


async def test_an_upload_route_takes_more_and_has_its_own_limit(tmp_path: Path) -> None:
    async with desk.unconnected(tmp_path).client() as client:
        taken = await client.post("/v1/things:upload", files={"file": b"x" * 2 * limits.MIB})
        refused = await client.post("/v1/things:upload", files={"file": b"x" * 4 * limits.MIB})
    assert (taken.status_code, taken.json()) == (200, {"bytes": 2 * limits.MIB})
    assert refused.status_code == 413


async def test_too_many_or_too_long_headers_are_431(tmp_path: Path) -> None:
    async with desk.unconnected(tmp_path).client() as client:
        many = await client.get("/version", headers={f"x-{n}": "1" for n in range(70)})
        long = await client.get("/version", headers={"x-long": "x" * 17_000})
        address = await client.get("/version?" + "x" * 9_000)
    assert {many.status_code, long.status_code, address.status_code} == {431}


@pytest.mark.parametrize("path", ["/v1/things/%00", "/version?a=%00"])
async def test_nul_in_an_address_is_400(tmp_path: Path, path: str) -> None:
    async with desk.unconnected(tmp_path).client() as client:
        assert code(await client.get(path)) == (400, "bukan_teks")


async def test_a_body_that_trickles_in_is_408(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.2)

    async def trickle() -> Any:
        yield b"{"
        await asyncio.Event().wait()

    async with desk.unconnected(tmp_path).client() as client:
        answer = await client.post("/v1/echo", content=trickle(), headers=JSON)
    assert (answer.status_code, answer.headers["connection"]) == (408, "close")


@pytest.mark.parametrize("length", ["-1", "1e3", "abc"])
async def test_a_content_length_that_is_no_number_is_400(tmp_path: Path, length: str) -> None:
    async with desk.unconnected(tmp_path).client() as client:
        answer = await client.post("/v1/echo", content=b"{}", headers={**JSON, "content-length": length})
    assert answer.status_code == 400


def test_what_is_refused_is_never_repeated() -> None:
    with pytest.raises(Invalid) as wrong:
        limits.parse(b'{"nik":"3276031502900003","nik":"3276031502900003"}')
    assert "3276" not in str(wrong.value)


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    """The desk behind a real socket."""
    app = desk.unconnected(tmp_path).app
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=0))
    running = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await eventually(started)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await running


async def raw(port: int, *parts: bytes) -> bytes:
    """Send these bytes and return all that comes back until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()


async def test_a_promise_of_gigabytes_is_refused_before_a_byte_of_it(port: int, tmp_path: Path) -> None:
    token = Issuer(tmp_path).token(scope=desk.SCOPE)
    head = f"POST /v1/echo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 10000000000\r\n\r\n"
    answer = await raw(port, head.encode())
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer.lower()
    assert b"application/problem+json" in answer


async def test_a_body_that_stops_coming_is_given_up(port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.2)
    token = Issuer(tmp_path).token(scope=desk.SCOPE)
    head = f"POST /v1/echo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 10\r\n\r\n{{"
    assert (await raw(port, head.encode())).startswith(b"HTTP/1.1 408 ")
