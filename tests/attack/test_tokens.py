"""Every route x every kind of bad token: 401 without a reason, 403 for a missing scope, and nothing is changed."""

from collections.abc import Callable

import pytest
from attack.doors import Door, doors
from attack.tokens import BAD, Forge
from attack.traces import stored
from attack.wire import Answer, ask
from stack.running import Running

pytestmark = pytest.mark.asyncio(loop_scope="module")

PLAIN = {"type", "title", "title_id", "detail", "detail_id", "status", "instance", "trace_id"}


async def knock(running: Running, door: Door, authorization: str | None) -> Answer:
    headers = [(b"idempotency-key", b"attack-0001"), (b"if-match", b'"1"'), (b"content-type", b"application/json")]
    if authorization is not None:
        headers.append((b"authorization", authorization.encode()))
    return await ask(running, door.method, door.at(), headers, [b"{}"])


async def test_no_bad_token_opens_any_door(running: Running, record_property: Callable[[str, object], None]) -> None:
    closed = [door for door in doors(running) if door.scope is not None]
    assert len(closed) > 10
    before, forge, tries, passes = await stored(running), Forge(running), 0, []
    for kind, make in BAD.items():
        authorization = make(forge)
        for door in closed:
            answer = await knock(running, door, authorization)
            tries += 1
            body = answer.json()
            if (answer.status, body.get("detail"), set(body)) != (401, "A valid access token is needed.", PLAIN):
                passes.append((kind, str(door), answer.status))
            assert answer.type == "application/problem+json"
    told = f"{running.service.name}: {len(closed)} routes x {len(BAD)} kinds = {tries} tries, {len(passes)} passed"
    record_property("attack", told)
    assert passes == []
    assert await stored(running) == before


async def test_the_same_claims_under_an_honest_signature_do_open(running: Running) -> None:
    """Without this the matrix could be green because nothing works."""
    forge = Forge(running)
    reads = [door for door in doors(running) if door.method == "GET" and door.scope in forge.scopes.split()]
    for door in reads:
        answer = await knock(running, door, "Bearer " + forge.signed())
        assert answer.status not in {401, 403}, (str(door), answer.body)


async def test_a_good_token_without_the_scope_is_403_everywhere(running: Running) -> None:
    closed = [door for door in doors(running) if door.scope is not None]
    before, forge = await stored(running), Forge(running)
    for door in closed:
        others = " ".join(scope for scope in forge.scopes.split() if scope != door.scope)
        for scopes in ("", others, f"{door.scope}s x{door.scope} {str(door.scope).upper()}"):
            answer = await knock(running, door, "Bearer " + forge.signed(scope=scopes))
            assert answer.status == 403, (str(door), scopes[:40])
            assert answer.json()["type"].endswith("/scope-missing")
    assert await stored(running) == before


async def test_what_needs_no_token_is_named_here(running: Running) -> None:
    open_ = {str(door) for door in doors(running) if door.scope is None}
    assert open_ == ({"POST /v1/receipts/{provider}"} if running.service.name == "notifications" else set())
