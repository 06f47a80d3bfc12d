"""A messaging provider for demonstration and tests: an outside party that takes messages, refuses, falls silent, and lies.

`POST /messages` and `GET /messages/{reference}` are the port that `notifications` speaks; receipts go to the callback,
signed. `POST /admin/behaviour` tells it how to treat the next calls. Loopback only: it has no other protection.

    async with httpx.AsyncClient(...) as admin:
        await admin.post("/admin/behaviour", json={"next": ["refuse_for_now", "silent_after_accepting", "accept"]})
"""

import argparse
import asyncio
import hashlib
import hmac
import json
import os
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import uuid4

import httpx
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

MOST_KEPT = 10_000
LOOPBACK = "127.0.0.1"
SILENCE_SECONDS = 30.0


class Treatment(StrEnum):
    """How one call is treated."""

    ACCEPT = "accept"  # taken, and a receipt `delivered` follows
    ACCEPT_WITHOUT_RECEIPT = "accept_without_receipt"
    ACCEPT_THEN_FAIL = "accept_then_fail"  # taken, and a receipt `failed` follows
    REFUSE_FOR_NOW = "refuse_for_now"  # 429 with Retry-After
    UNAVAILABLE = "unavailable"  # 503
    REFUSE_FOR_GOOD = "refuse_for_good"  # 422, the number is dead
    SILENT_AFTER_ACCEPTING = "silent_after_accepting"  # taken, and the answer never comes
    BROKEN_AFTER_ACCEPTING = "broken_after_accepting"  # taken, and a proxy answers 502
    SILENT_AND_LOST = "silent_and_lost"  # not taken, and no answer comes


class Behaviour(BaseModel):
    """What the admin route may set. `next` is used up call by call, then `always` holds."""

    next: list[Treatment] = Field(default_factory=list, max_length=10_000)
    always: Treatment = Treatment.ACCEPT
    retry_after_seconds: int = Field(0, ge=0, le=86_400)
    silence_seconds: float = Field(SILENCE_SECONDS, ge=0, le=60)
    receipts: int = Field(1, ge=0, le=5)
    """How often each receipt is sent: 0 never, 2 as duplicates."""
    hold_receipts: bool = False
    """Keep receipts until `POST /admin/receipts:release`, newest first: late and in the wrong order."""


class Incoming(BaseModel):
    """One message of the port."""

    reference: str = Field(max_length=64)
    channel: str = Field(max_length=20)
    to: str = Field(max_length=254)
    text: str = Field(max_length=4000)


@dataclass
class Taken:
    """A message that really reached the telephone."""

    id: str
    message: Incoming
    status: str = "sent"


@dataclass
class Provider:
    """The state of the outside party; tests read `taken` to see who was really told."""

    callback: str
    secret: str
    behaviour: Behaviour = field(default_factory=Behaviour)
    taken: list[Taken] = field(default_factory=list)
    calls: int = 0
    queue: deque[dict[str, str]] = field(default_factory=deque)
    answers: list[int] = field(default_factory=list)

    def treatment(self) -> Treatment:
        """How the next call is treated."""
        return self.behaviour.next.pop(0) if self.behaviour.next else self.behaviour.always

    def take(self, message: Incoming) -> Taken:
        """The telephone rings."""
        one = Taken(f"prov-{uuid4().hex}", message)
        self.taken.append(one)
        del self.taken[:-MOST_KEPT]
        return one

    def report(self, one: Taken, status: str, error: str | None = None) -> None:
        """Line up the receipts of a message."""
        one.status = status
        line = {"id": one.id, "reference": one.message.reference, "status": status}
        for _ in range(self.behaviour.receipts):
            self.queue.append({**line, "error": error} if error else line)

    async def send_receipts(self, client: httpx.AsyncClient, *, newest_first: bool = False) -> int:
        """Post what is lined up to the callback, one by one; how many were posted."""
        sent = 0
        while self.queue:
            line = self.queue.pop() if newest_first else self.queue.popleft()
            body = json.dumps({"receipts": [line]}).encode()
            answer = await client.post(self.callback, content=body, headers=signature(body, self.secret))
            self.answers.append(answer.status_code)
            sent += 1
        return sent


def signature(body: bytes, secret: str) -> dict[str, str]:
    """The headers of a signed receipt."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={digest}", "Content-Type": "application/json"}


def create_app(provider: Provider, client: httpx.AsyncClient | None = None) -> FastAPI:
    """The provider as an ASGI application; without `client` receipts wait in `provider.queue`."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    background: set[asyncio.Task[int]] = set()

    @app.post("/messages")
    async def take_message(message: Incoming) -> Response:
        provider.calls += 1
        answer = await _treat(provider, message)
        if client is not None and not provider.behaviour.hold_receipts and provider.queue:
            task = asyncio.create_task(provider.send_receipts(client))
            background.add(task)
            task.add_done_callback(background.discard)
        return answer

    @app.get("/messages/{reference}")
    async def tell(reference: str) -> Response:
        for one in provider.taken:
            if one.message.reference == reference:
                return JSONResponse({"id": one.id, "status": one.status})
        return JSONResponse({"error": "tidak_dikenal"}, 404)

    @app.post("/admin/behaviour")
    async def behave(behaviour: Behaviour) -> dict[str, int]:
        provider.behaviour = behaviour
        return {"next": len(behaviour.next)}

    @app.post("/admin/receipts:release")
    async def release() -> dict[str, int]:
        return {"sent": await provider.send_receipts(client, newest_first=True) if client else 0}

    @app.get("/admin/messages")
    async def shown(_: Request, limit: int = 50) -> list[dict[str, str]]:
        newest = provider.taken[-min(limit, 200) :][::-1]
        return [
            {"to": o.message.to, "channel": o.message.channel, "text": o.message.text, "status": o.status}
            for o in newest
        ]

    return app


async def _treat(provider: Provider, message: Incoming) -> Response:
    treatment = provider.treatment()
    match treatment:
        case Treatment.REFUSE_FOR_NOW:
            return JSONResponse({}, 429, headers={"Retry-After": str(provider.behaviour.retry_after_seconds)})
        case Treatment.UNAVAILABLE:
            return JSONResponse({}, 503, headers={"Retry-After": str(provider.behaviour.retry_after_seconds)})
        case Treatment.REFUSE_FOR_GOOD:
            return JSONResponse({"error": "nomor_mati"}, 422)
        case Treatment.SILENT_AND_LOST:
            await asyncio.sleep(provider.behaviour.silence_seconds)
            return Response(status_code=502)
        case _:
            return await _accept(provider, message, treatment)


async def _accept(provider: Provider, message: Incoming, treatment: Treatment) -> Response:
    one = provider.take(message)
    if treatment is Treatment.ACCEPT_THEN_FAIL:
        provider.report(one, "failed", "nomor_tidak_aktif")
    elif treatment is not Treatment.ACCEPT_WITHOUT_RECEIPT:
        provider.report(one, "delivered")
    if treatment is Treatment.SILENT_AFTER_ACCEPTING:
        await asyncio.sleep(provider.behaviour.silence_seconds)
    if treatment in {Treatment.SILENT_AFTER_ACCEPTING, Treatment.BROKEN_AFTER_ACCEPTING}:
        return Response(status_code=502)
    return JSONResponse({"id": one.id}, 202)


def main(argv: list[str] | None = None) -> None:
    """Play a provider on the loopback address until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m stack.providers")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument(
        "--callback", required=True, help="Where receipts go, e.g. http://127.0.0.1:8104/v1/receipts/sms"
    )
    options = parser.parse_args(argv)
    secret = os.environ["SANTUN_RECEIPT_SECRET"]  # no argument: those are seen by everybody on the machine

    async def serve() -> None:
        async with httpx.AsyncClient(timeout=10) as client:
            app = create_app(Provider(options.callback, secret), client)
            await uvicorn.Server(uvicorn.Config(app, host=LOOPBACK, port=options.port, log_level="warning")).serve()

    asyncio.run(serve())


if __name__ == "__main__":
    main()
