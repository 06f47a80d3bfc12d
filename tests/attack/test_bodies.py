"""Every POST route x every kind of bad body or head: refused by a problem with a reason, never 500, nothing is stored."""

import asyncio
import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from attack.doors import NOBODY, Door, doors
from attack.forms import filled
from attack.strangers import everything
from attack.traces import stored
from attack.wire import Answer, Header, ask
from fuzz.effort import share
from kit.http import limits
from stack.identities import directory
from stack.running import Running

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

JSON = b"application/json"
BOMB = gzip.compress(b" " * 50_000_000)
VERSION_OF_NOBODY = ("money beyond all numbers", "POST /v1/facts:stale-check", 200)
"""A question, and no money: that version is stale, however large."""
TRAIL = ("audit", "read_log")
"""A refusal is written down; nothing else is."""


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _deep(form: Any) -> bytes:
    return b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}"


def _each_text(change: Callable[[str], Any]) -> Callable[[Any], bytes | None]:
    """The form with every text changed; None when it has none."""

    def spoilt(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: spoilt(part) for name, part in value.items()}
        if isinstance(value, list):
            return [spoilt(part) for part in value]
        return change(value) if isinstance(value, str) else value

    return lambda form: _json(spoilt(form)) if _json(spoilt(form)) != _json(form) else None


def _money(form: Any) -> list[str]:
    return [name for name in form if name.endswith("_idr")]


def _raw(form: Any) -> bytes | None:
    """Every text ends in half a surrogate pair, as bytes that no encoder of UTF-8 writes."""
    marked = _each_text(lambda text: text[:-1] + "HALF")(form)
    return None if marked is None else marked.replace(b"HALF", b"\xed\xa0\x80")


def _each_number(change: Callable[[int], Any]) -> Callable[[Any], bytes | None]:
    """The form with every whole number changed; None when it has none."""

    def spoilt(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: spoilt(part) for name, part in value.items()}
        if isinstance(value, list):
            return [spoilt(part) for part in value]
        return change(value) if isinstance(value, int) and not isinstance(value, bool) else value

    return lambda form: _json(spoilt(form)) if _json(spoilt(form)) != _json(form) else None


BODIES: dict[str, Callable[[Any], bytes | None]] = {
    "no body": lambda _: b"",
    "no JSON": lambda _: b"{" * 10,
    "a text": lambda _: b'"x"',
    "a list": lambda _: b"[]",
    "null": lambda _: b"null",
    "deep": _deep,
    "a broken end": lambda form: _json(form)[:-1],
    "not UTF-8": lambda form: _json(form)[:-1] + b',"x":"\xff\xfe"}',
    "NUL as an escape": _each_text(lambda text: text + "\x00"),
    "a raw NUL": lambda form: _json(form)[:-1] + b',"x":"\x00"}',
    "half a surrogate pair in raw bytes": lambda form: b'{"x":"\xed\xa0\x80",' + _json(form)[1:] if form else None,
    "half a surrogate pair in every text": _raw,
    "half a surrogate pair": _each_text(lambda text: text + "\ud800"),
    "an unknown field": lambda form: _json({**form, "is_admin": True}),
    "a doubled key": lambda form: b'{"x":1,"x":2,' + _json(form)[1:],
    "NaN": lambda form: _json(form)[:-1] + (b',"x":NaN}' if form else b'"x":NaN}'),
    "a number of 5,000 digits": lambda form: _json(form)[:-1] + b',"x":' + b"9" * 5_000 + b"}",
    "money as a float": _each_number(lambda number: number + 0.5),
    "money as a text": lambda form: (
        _json(form | {name: str(form[name]) for name in _money(form)}) if _money(form) else None
    ),
    "money beyond all numbers": _each_number(lambda _: 10**30),
    "numbers below zero": _each_number(lambda _: -(10**18)),
    "every text a number": _each_text(lambda _: 7),
    "every text an object": _each_text(lambda _: {"$ne": None}),
    "every text a million long": _each_text(lambda _: "x" * 900_000),
    "too large": lambda form: _json(form)[:-1] + b',"x":"' + b"x" * limits.BODY_BYTES + b'"}',
}
"""Kind -> the body made from a good one; None where the kind does not apply to it."""


async def send(running: Running, door: Door, token: bytes, body: bytes, *, type: bytes = JSON, more: list[Header] | None = None) -> Answer:  # fmt: skip
    headers = [(b"authorization", token), (b"idempotency-key", b"attack-body-01"), (b"if-match", b'"1"')]
    headers += [(b"content-type", type), (b"content-length", str(len(body)).encode()), *(more or [])]
    return await ask(running, door.method, door.at(), headers, [body])


def officer(running: Running) -> bytes:
    roles = [role for role in directory().roles if role != "system"]
    client = running.client("kadis", roles=roles, scopes=everything(), regions=["32", "34"])
    return client.headers["authorization"].encode()


def wrong(answer: Answer) -> str | None:
    """What an answer to nonsense lacks; None when it is a problem of the caller's with a reason."""
    if not 400 <= answer.status < 500 or answer.type != "application/problem+json":
        return f"{answer.status} {answer.type} {answer.text[:300]}"
    body = answer.json()
    reasons = [*body.get("errors", ()), *body.get("reasons", ())]
    if answer.status in {400, 409, 422} and not all(reason.get("code") for reason in reasons or [{}]):
        return f"{answer.status} without a reason code: {answer.text[:300]}"
    return None


async def test_no_bad_body_is_taken_or_breaks_anything(
    running: Running, record_property: Callable[[str, object], None]
) -> None:
    posts = [door for door in doors(running) if door.form is not None and door.media == "application/json"]
    before, token, tries, passes = await stored(running, without=TRAIL), officer(running), 0, []
    for turn, (kind, make) in enumerate(BODIES.items()):
        for door in share(posts, turn, 3):
            if (body := make(filled(door))) is None:
                continue
            answer, tries = await send(running, door, token, body), tries + 1
            if (fault := wrong(answer)) and (kind, str(door), answer.status) != VERSION_OF_NOBODY:
                passes.append(f"{kind}: {door} {fault}")
    record_property(
        "attack", f"{running.service.name}: {tries} bad bodies on {len(posts)} routes, {len(passes)} passed"
    )
    assert not passes, "\n".join(passes)
    assert await stored(running, without=TRAIL) == before


async def test_no_other_type_or_packing_of_the_body_is_read(running: Running) -> None:
    """A body is JSON, plain: a packed one is never unpacked, so that no bomb can go off."""
    posts = [door for door in doors(running) if door.form is not None and door.media == "application/json"]
    before, token, passes = await stored(running, without=TRAIL), officer(running), []
    for door in share(posts, 0, 4):
        good = _json(filled(door))
        packed = [(b"content-encoding", b"gzip")]
        for kind, answer in {
            "a bomb": await send(running, door, token, BOMB, more=packed),
            "packed": await send(running, door, token, gzip.compress(good), more=packed),
            "XML": await send(running, door, token, b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", type=b"application/xml"),
            "a form": await send(running, door, token, b"reason=x&id=1", type=b"application/x-www-form-urlencoded"),
            "plain text": await send(running, door, token, good, type=b"text/plain"),
            "UTF-16": await send(running, door, token, good.decode().encode("utf-16"), type=b"application/json; charset=utf-16"),
        }.items():  # fmt: skip
            if fault := wrong(answer):
                passes.append(f"{kind}: {door} {fault}")
    assert not passes, "\n".join(passes)
    assert await stored(running, without=TRAIL) == before


async def test_no_odd_head_is_taken_or_breaks_anything(running: Running) -> None:
    before, token, passes = await stored(running, without=TRAIL), officer(running), []
    base = [(b"authorization", token), (b"content-type", JSON)]
    for door in share([d for d in doors(running) if d.method == "POST" and d.scope is not None], 1, 4):
        body = [_json(filled(door))]
        needed = [h for h in door.operation.get("parameters", ()) if h["in"] == "header"]
        heads: dict[str, list[Header]] = {
            "too many": [*base, *((b"x-%d" % n, b"x") for n in range(70))],
            "too long": [*base, (b"x-long", b"x" * 20_000)],
            "an impossible length": [*base, (b"content-length", b"-1")],
            "a length in words": [*base, (b"content-length", b"ten")],
        }
        if needed:
            heads |= {
                "a key of one letter": [*base, (b"idempotency-key", b"x"), (b"if-match", b'"1"')],
                "a key with a blank": [*base, (b"idempotency-key", b"aaaa bbbb"), (b"if-match", b'"1"')],
                "a key beyond ASCII": [*base, (b"idempotency-key", "kunci-énam".encode()), (b"if-match", b'"1"')],
            }
        if door.versioned:
            for tag in (b"*", b'W/"1"', b'"1", "2"', b"1", b'"-1"', b'"99999999999999999999"', b'"\xd9\xa1"', b'"1'):
                heads[f"If-Match {tag!r}"] = [*base, (b"idempotency-key", b"attack-head-01"), (b"if-match", tag)]
        for kind, head in heads.items():
            answer = await ask(running, "POST", door.at(), head, body)
            if not 400 <= answer.status < 500 or answer.type != "application/problem+json":
                passes.append(f"{kind}: {door} {answer.status} {answer.text[:200]}")
    assert not passes, "\n".join(passes)
    assert await stored(running, without=TRAIL) == before


async def test_a_slow_body_ends_and_odd_addresses_are_only_missing(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.05)
    token = officer(running)
    door = next(d for d in doors(running) if d.form is not None and d.media == "application/json" and d.scope)
    headers = [(b"authorization", token), (b"content-type", JSON), (b"idempotency-key", b"attack-slow-01")]
    async with asyncio.timeout(10):
        answer = await ask(running, "POST", door.at(), [*headers, (b"if-match", b'"1"')], [b"{", b""], unending=True)
    assert (answer.status, answer.type) == (408, "application/problem+json")
    gets = [d for d in doors(running) if d.method == "GET" and d.blanks and d.scope]
    for path in share(gets, 0, 3):
        for odd in (
            "%00",
            "..%2f..%2fetc",
            "1",
            "%27%20OR%201=1",
            "%F0%9F%98%80",
            NOBODY.upper() + "x",
            "x" * 3_000,
            "%ff",
        ):
            answer = await ask(running, "GET", path.at(**dict.fromkeys(path.blanks, odd)), headers)
            assert answer.status in {400, 404, 422}, (str(path), odd, answer.text)
            assert answer.type == "application/problem+json"
