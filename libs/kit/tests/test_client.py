"""A neighbour that is slow, down, odd or strict has one name for the caller, and is asked no more often than is right."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import uvicorn
from kit import telemetry
from kit.errors import Missing, Unavailable
from kit.http import client as module
from kit.http.client import PeerRefused, ServiceClient
from kit.settings import load
from kit.testing import eventually
from sample_service import Settings
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


class Peer:
    """A neighbour and its issuer on one real port; `answers` are given one after the other, the last one again."""

    def __init__(self) -> None:
        self.answers: list[Response | None] = []
        self.asked: list[Request] = []
        self.issued = 0
        self.port = 0

    async def token(self, _: Request) -> Response:
        self.issued += 1
        return JSONResponse({"access_token": f"t{self.issued}", "expires_in": 300})

    async def any(self, request: Request) -> Response:
        await request.body()
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            await asyncio.Event().wait()
        assert answer is not None
        return answer


async def _started(server: uvicorn.Server) -> bool:
    return server.started


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    found = Peer()
    app = Starlette(routes=[
        Route("/token", found.token, methods=["POST"]), Route("/{path:path}", found.any, methods=["GET", "POST"]),
    ])  # fmt: skip
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=0))
    running = asyncio.create_task(server.serve())
    await eventually(lambda: _started(server))
    found.port = server.servers[0].sockets[0].getsockname()[1]
    yield found
    server.should_exit = True
    await running


@pytest.fixture
async def neighbour(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ServiceClient]:
    monkeypatch.setattr(module, "TIMEOUT", httpx.Timeout(0.3))
    settings = load(
        Settings, profile="test", database_url="postgresql://a@h/d", client_id="sample",
        token_url=f"http://127.0.0.1:{peer.port}/token",
    )  # fmt: skip
    client = ServiceClient("registry", f"http://127.0.0.1:{peer.port}", settings)
    yield client
    await client.close()


def fine(**body: Any) -> Response:
    return JSONResponse(body)


async def test_a_call_carries_its_own_token_and_the_trace_and_the_token_is_kept(
    peer: Peer, neighbour: ServiceClient
) -> None:
    peer.answers = [fine(x=1)]
    with telemetry.span("work"):
        trace = telemetry.trace_id()
        assert await neighbour.get("/v1/facts", {"a": "b"}) == {"x": 1}
    await neighbour.ask("/v1/facts", {"ids": [1]})
    assert [request.headers["authorization"] for request in peer.asked] == ["Bearer t1", "Bearer t1"]
    assert trace in peer.asked[0].headers["traceparent"]
    assert peer.issued == 1


async def test_reads_are_tried_again_and_commands_never(peer: Peer, neighbour: ServiceClient) -> None:
    peer.answers = [Response(status_code=503), None, fine(x=1)]
    assert await neighbour.get("/v1/facts") == {"x": 1}
    assert len(peer.asked) == 3
    peer.answers = [Response(status_code=503)]
    with pytest.raises(Unavailable, match="registry"):
        await neighbour.command("/v1/things", {}, key="key-0001")
    assert len(peer.asked) == 4
    assert peer.asked[3].headers["idempotency-key"] == "key-0001"


async def test_silence_and_failure_have_one_name_and_an_end(peer: Peer, neighbour: ServiceClient) -> None:
    for answer in (None, Response(status_code=502), Response(status_code=500), Response(status_code=403)):
        peer.answers = [answer]
        with pytest.raises(Unavailable, match="registry"):
            await neighbour.ask("/v1/facts", {})


async def test_a_token_that_is_no_longer_good_is_replaced_once(peer: Peer, neighbour: ServiceClient) -> None:
    peer.answers = [Response(status_code=401), fine(x=1)]
    assert await neighbour.get("/v1/facts") == {"x": 1}
    assert peer.issued == 2
    peer.answers = [Response(status_code=401)]
    with pytest.raises(Unavailable):
        await neighbour.get("/v1/facts")
    assert peer.issued == 3


async def test_a_refusal_is_told_with_its_codes_and_nothing_else(peer: Peer, neighbour: ServiceClient) -> None:
    problem = {"type": "https://santun.example/problems/refused", "reasons": [{"code": "hidup", "text_id": "Budi"}]}
    peer.answers = [Response(json.dumps(problem), 409)]
    with pytest.raises(PeerRefused) as refused:
        await neighbour.command("/v1/things", {}, key="key-0001")
    assert (refused.value.status, refused.value.slug, refused.value.codes) == (409, "refused", ("hidup",))
    assert "Budi" not in str(refused.value)
    peer.answers = [Response("nonsense", 400)]
    with pytest.raises(PeerRefused):
        await neighbour.get("/v1/things")
    peer.answers = [Response(status_code=404)]
    with pytest.raises(Missing):
        await neighbour.get("/v1/things/1")


async def test_an_endless_answer_is_not_taken_in(
    peer: Peer, neighbour: ServiceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ANSWER_BYTES", 1000)
    peer.answers = [Response(b"x" * 5000)]
    with pytest.raises(Unavailable):
        await neighbour.get("/v1/facts")


async def test_an_issuer_that_is_down_is_unavailable_too(neighbour: ServiceClient) -> None:
    neighbour._settings = neighbour._settings.model_copy(update={"token_url": "http://127.0.0.1:1/token"})
    with pytest.raises(Unavailable):
        await neighbour.get("/v1/facts")
