"""Notifications in process: its database, a stand-in for registry's answers about contacts, a provider that misbehaves."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from kit.errors import Unavailable
from notifications.channels.outlets import Accepted, Outcome, Outgoing
from notifications.channels.webhook import Webhook
from notifications.messages.contacts import Contacts
from notifications.messages.states import Channel
from stack.providers import Provider, create_app, signature
from stack.running import Running

NOON = datetime(2026, 7, 1, 5, 0, tzinfo=UTC)
SECRET = "demonstration-only-receipt-signature"
JOBS = ("prepare-messages", "send-messages", "message-clock", "provider-receipts")


@dataclass
class Registry:
    """The neighbour: what it would answer about contacts."""

    people: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    questions: int = 0
    down: bool = False

    def knows(self, person: UUID, **answer: Any) -> None:
        contacts = [{"kind": kind, "value": answer.pop(kind)} for kind in ("phone", "wa", "email") if kind in answer]
        self.people[person] = {"person_id": str(person), "contacts": contacts, "language": "id", **answer}

    async def ask(self, path: str, body: Any) -> Any:
        assert path == "/v1/contacts:batch-get"
        self.questions += 1
        if self.down:
            raise Unavailable("registry")
        wanted = [UUID(id) for id in body["person_ids"]]
        return {"items": [self.people[person] for person in wanted if person in self.people]}


@dataclass
class Post:
    """A mail server that takes everything."""

    name: str = "smtp"
    per_minute: int = 1000
    mails: list[Outgoing] = field(default_factory=list)

    async def send(self, outgoing: Outgoing) -> Outcome:
        self.mails.append(outgoing)
        return Accepted(f"<{outgoing.message_id}@dinsos.example>")

    async def ask(self, reference: UUID, provider_ref: str | None) -> Outcome | None:
        return None

    async def close(self) -> None:
        return None


@dataclass
class Desk:
    """Everything a test of notifications needs at hand."""

    running: Running
    registry: Registry
    provider: Provider
    post: Post

    async def work(self, *jobs: str) -> None:
        for job in jobs or JOBS:
            await self.running.run_job(job)

    async def states(self) -> dict[str, int]:
        rows = await self.running.sql("SELECT state, count(*) AS n FROM message GROUP BY state")
        return {row["state"]: row["n"] for row in rows}

    async def receipts(self, *, newest_first: bool = False) -> list[int]:
        """Let the provider post what it has lined up, and apply it."""
        transport = httpx.ASGITransport(self.running.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://notifications.test") as client:
            await self.provider.send_receipts(client, newest_first=newest_first)
        await self.work("provider-receipts")
        return self.provider.answers

    async def receipt(self, body: bytes, secret: str = SECRET, provider: str = "sms") -> httpx.Response:
        async with self.running.client() as client:
            return await client.post(f"/v1/receipts/{provider}", content=body, headers=signature(body, secret))


@pytest_asyncio.fixture
async def desk(service_factory: Callable[..., Awaitable[Running]]) -> AsyncIterator[Desk]:
    """Notifications at noon, with an SMS provider, no WhatsApp, and a mail server."""
    running = await service_factory("notifications", receipt_secret=SECRET)
    running.clock.set(NOON)
    registry, post = Registry(), Post()
    provider = Provider("http://notifications.test/v1/receipts/sms", SECRET)
    sms = Webhook(name="sms", channel=Channel.SMS, url="http://provider.test", token="t", seconds=0.5)
    await sms._client.aclose()
    sms._client = httpx.AsyncClient(transport=Slow(create_app(provider)), base_url="http://provider.test")
    wiring = running.runtime.wiring
    wiring.contacts = Contacts(registry)
    wiring.outlets = {Channel.SMS: sms, Channel.EMAIL: post}
    yield Desk(running, registry, provider, post)
    await sms.close()


class Slow(httpx.ASGITransport):
    """In-process HTTP knows no time-out: a provider's silence (502 of the simulator) becomes one."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        if request.method == "POST" and answer.status_code == 502:
            raise httpx.ReadTimeout("silence", request=request)
        return answer


@pytest.fixture
def now() -> datetime:
    return NOON
