"""A whole service inside a test's own process: real database, real token checks, HTTP without a socket.

Tests get it from the fixture `service_factory`; nobody else comes in.
"""

import asyncio
import json
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from kit import clock as office_clock
from kit.events import topics
from kit.events.consumer import Consumer
from kit.events.envelope import attributes, encode
from kit.events.parked import Message
from kit.ids import new_id
from kit.runtime import Runtime
from kit.service import Processes, Service
from kit.settings import Base
from pydantic import BaseModel

from stack.backends import Backends
from stack.identities import Identity, directory, scopes_of
from stack.idp import Keys, Provider
from stack.kafka import partitions
from stack.members import member
from stack.places import CONTRACTS

ISSUER = "http://issuer.test"
CLIENT = "santun-console"


class BusinessClock:
    """The movable clock of one running service."""

    def __init__(self, runtime: Runtime, file: Path) -> None:
        self._runtime = runtime
        self._file = file

    def now(self) -> datetime:
        """The business instant."""
        return self._runtime.clock.now()

    def set(self, to: datetime) -> None:
        """Move business time to this instant (aware); it runs on from there."""
        office_clock.move(self._file, to)

    def advance(self, by: timedelta) -> None:
        """Move business time on."""
        self.set(self.now() + by)


class Announced(BaseModel):
    """One event of the outbox."""

    id: UUID
    name: str
    type: str
    topic: str
    key: UUID
    sequence: int
    data: dict[str, Any]
    headers: dict[str, Any]


class Running:
    """One service with its own database and topics. `service`, `runtime`, `settings`, `app` and `clock` are public."""

    def __init__(self, parts: Backends, service: Service, runtime: Runtime, database: str, clock_file: Path) -> None:
        self.parts = parts
        self.service = service
        self.runtime = runtime
        self.settings: Base = runtime.settings
        self.database = database
        self.app = service.app(runtime)
        self.clock = BusinessClock(runtime, clock_file)
        self._processes = Processes(service, runtime)
        self._owner: asyncpg.Connection | None = None
        self._clients: list[httpx.AsyncClient] = []
        self._sequences: dict[UUID, int] = {}
        self._offsets: dict[Any, int] = {}
        self._offset = 0
        self._stop = asyncio.Event()
        self._life: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, parts: Backends, which: str | Service, settings: Mapping[str, object]) -> "Running":
        """Make database and settings, open the application's lifespan; `settings` overrides what the test needs."""
        service = member(which) if isinstance(which, str) else which
        database = await asyncio.to_thread(parts.create_database, service.name, folder=service.migrations)
        clock_file = parts.folder / f"{database}.clock"
        given: dict[str, object] = {
            "profile": "test",
            "database_url": parts.app_url(database, service.name),
            "database_owner_url": parts.owner_url(database, service.name),
            "database_pool_size": 5,
            "kafka_bootstrap": parts.bootstrap,
            "topic_prefix": f"{secrets.token_hex(4)}.",
            "issuer": ISSUER,
            "jwks_url": _jwks(parts.folder).as_uri(),
            "contracts_dir": CONTRACTS,
            "clock_file": clock_file,
            "log_level": "warning",
        }
        runtime = service.runtime(service.settings(**{**given, **settings}))  # type: ignore[arg-type]
        running = cls(parts, service, runtime, database, clock_file)
        await running._open()
        return running

    def client(
        self,
        who: str | None = None,
        *,
        regions: Iterable[str] | None = None,
        scopes: Iterable[str] | None = None,
        roles: Iterable[str] | None = None,
        client: str = CLIENT,
        **claims: Any,
    ) -> httpx.AsyncClient:
        """An HTTP client signed in as a person of the demonstration, a role, or (None) nobody.

        `regions`, `scopes`, `roles` and any claim (`sub`, `person_id`, `unit`) replace what the person has. A POST gets
        a new Idempotency-Key unless it brings one. Closed with the service; `async with` closes it earlier.
        """
        headers = {}
        if who is not None:
            identity = identity_of(who, regions=regions, scopes=scopes, roles=roles, claims=claims)
            headers["authorization"] = f"Bearer {token(self.parts.folder, identity, client)}"
        made = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url=f"http://{self.service.name}.test",
            headers=headers,
            event_hooks={"request": [_with_key]},
        )
        self._clients.append(made)
        return made

    async def sql(self, query: str, *args: Any) -> list[asyncpg.Record]:
        """Run a statement as the database's owner, past every check of the application: for assertions only."""
        if self._owner is None:
            self._owner = await asyncpg.connect(self.parts.owner_url(self.database, self.service.name))
        return list(await self._owner.fetch(query, *args))

    async def outbox(self, name: str | None = None) -> list[Announced]:
        """The announced events in order, or those of one short name such as `death.certified`."""
        rows = await self.sql("SELECT id, topic, key, type, sequence, payload, headers FROM outbox ORDER BY pos")
        events = [
            Announced(
                id=row["id"],
                name=_short(row["type"]),
                type=row["type"],
                topic=row["topic"].removeprefix(self.settings.topic_prefix),
                key=row["key"],
                sequence=row["sequence"],
                data=json.loads(row["payload"]),
                headers=json.loads(row["headers"]),
            )
            for row in rows
        ]
        return [event for event in events if name in {None, event.name, event.type}]

    async def deliver(
        self,
        event: str,
        data: BaseModel | Mapping[str, Any],
        *,
        key: UUID,
        sequence: int | None = None,
        id: UUID | None = None,
        parking: bool = False,
    ) -> UUID:
        """Hand an event (short name or wire type) to the consumer path as if Kafka had brought it; its id.

        Whatever the handler raises is raised here; with `parking` the consumer treats it as it does in operation.
        Without `sequence` the key's next number is taken. The same `id` again is a duplicate.
        """
        number = sequence if sequence is not None else self._sequences.get(key, 0) + 1
        self._sequences[key] = max(number, self._sequences.get(key, 0))
        contract = self.runtime.contracts.of_type(event) or self.runtime.contracts.event(event)
        body = data.model_dump(mode="json", exclude_none=True) if isinstance(data, BaseModel) else dict(data)
        chosen = id or new_id()
        headers = encode(
            attributes(
                id=chosen,
                source=f"/{contract.owner}",
                type=contract.type,
                key=key,
                sequence=number,
                schema=contract.schema_urn,
                classification=contract.classification,
                headers={"time": self.runtime.clock.now().isoformat()},
            )
        )
        self._offset += 1
        value = json.dumps(body, default=str).encode()
        message = Message(self.runtime.topic(contract.topic), 0, self._offset, str(key).encode(), value, headers)
        if parking:
            await self.consumer.handle([message])
        else:
            await self.consumer._transaction([message], attempt=1)  # noqa: SLF001 - the failure itself, not its parking
        return chosen

    async def hand_over(self, other: "Running", *names: str) -> int:
        """Deliver this service's announced events (all, or those of some names) to another running one; how many it reads.

        In order and repeatable, without Kafka: what the other has seen is a duplicate to it.
        """
        done = 0
        for event in await self.outbox():
            if event.type in other.service.handlers and (not names or event.name in names):
                await other.deliver(event.type, event.data, key=event.key, sequence=event.sequence, id=event.id)
                done += 1
        return done

    @property
    def consumer(self) -> Consumer:
        """The service's consumer; tests drive it by `deliver` and `consume_once`."""
        return self._processes.consumer

    async def relay_once(self) -> int:
        """Publish everything committed to Kafka; how many events went out."""
        await self._topics()
        return await self._processes.relay.once()

    async def consume_once(self) -> int:
        """Handle everything that lies in the service's topics and was not handled by an earlier call; how many messages.

        A service reads what another published when both were made with the same `topic_prefix`.
        """
        from aiokafka import AIOKafkaConsumer, TopicPartition

        await self._topics()
        kafka = AIOKafkaConsumer(bootstrap_servers=self.parts.bootstrap, enable_auto_commit=False)
        await kafka.start()
        handled = 0
        try:
            known = await partitions(self.parts.bootstrap, self.consumer.topics)
            places = [TopicPartition(topic, part) for topic, parts in known.items() for part in parts]
            kafka.assign(places)
            ends = await kafka.end_offsets(places)
            for place in places:
                at = self._offsets.get(place, 0)
                kafka.seek(place, at)
                while at < ends[place]:
                    records = (await kafka.getmany(place, timeout_ms=1000)).get(place, [])
                    messages = [Message(r.topic, r.partition, r.offset, r.key, r.value, r.headers) for r in records]
                    if messages:
                        await self.consumer.handle(messages)
                        at = messages[-1].offset + 1
                        handled += len(messages)
                self._offsets[place] = at
        finally:
            await kafka.stop()
        return handled

    async def run_job(self, name: str) -> None:
        """Run one of the service's jobs once. Raises KeyError when it has none of this name."""
        jobs = {job.name: job for job in self.service.jobs}
        await jobs[name].run(self.runtime)

    async def close(self) -> None:
        """Close everything and forget the database."""
        for client in self._clients:
            await client.aclose()
        self._stop.set()
        if self._life is not None:
            await self._life
        if self._owner is not None:
            await self._owner.close()
        await self.runtime.close()
        await asyncio.to_thread(self.parts.drop_database, self.database)

    async def _open(self) -> None:
        """Open the application's lifespan in a task of its own: what is opened there must be closed there."""
        opened = asyncio.Event()

        async def live() -> None:
            async with self.app.router.lifespan_context(self.app):
                opened.set()
                await self._stop.wait()

        self._life = asyncio.create_task(live())
        await asyncio.wait(
            {self._life, waiting := asyncio.create_task(opened.wait())}, return_when=asyncio.FIRST_COMPLETED
        )
        waiting.cancel()
        if not opened.is_set():
            await self._life

    async def _topics(self) -> None:
        await asyncio.to_thread(lambda: self.parts.kafka)
        await topics.create(
            self.settings.kafka(), self.runtime.contracts, prefix=self.settings.topic_prefix, partitions=2
        )


def identity_of(
    who: str,
    *,
    regions: Iterable[str] | None = None,
    scopes: Iterable[str] | None = None,
    roles: Iterable[str] | None = None,
    claims: Mapping[str, Any] | None = None,
) -> Identity:
    """A person or machine of the demonstration, or somebody with the role `who`, with some claims replaced.

    Raises KeyError for a name that is neither.
    """
    people, changed = directory(), dict(claims or {})
    base = people.persons.get(who) or people.clients.get(who)
    if base is None:
        base = Identity(sub=who, about=who, roles=(who,), scopes=people.roles[who], regions=("32.76",))
    new_roles = tuple(roles) if roles is not None else base.roles
    own_scopes = scopes_of(new_roles, people.roles) if roles is not None else base.scopes
    unit, person = changed.get("unit", base.unit), changed.get("person_id", base.person_id)
    return Identity(
        sub=str(changed.get("sub", base.sub)),
        about=base.about,
        roles=new_roles,
        scopes=tuple(scopes) if scopes is not None else own_scopes,
        regions=tuple(regions) if regions is not None else base.regions,
        unit=None if unit is None else str(unit),
        person_id=None if person is None else str(person),
    )


@lru_cache(maxsize=4)
def _provider(folder: Path) -> Provider:
    return Provider(ISSUER, Keys(folder / "signing.json"), directory(), {})


def token(folder: Path, identity: Identity, client: str = CLIENT, *, lifetime: int = 3_600) -> str:
    """A signed access token of this test run for an identity."""
    return str(_provider(folder).token(identity, client, lifetime=lifetime)["access_token"])


@lru_cache(maxsize=4)
def _jwks(folder: Path) -> Path:
    file = folder / f"jwks-{secrets.token_hex(4)}.json"
    file.write_text(json.dumps(_provider(folder).keys.public()))
    return file


async def _with_key(request: httpx.Request) -> None:
    if request.method == "POST":
        request.headers.setdefault("Idempotency-Key", str(new_id()))


def _short(wire_type: str) -> str:
    """`death.certified` of `org.santun.registry.death.certified.v1`."""
    return wire_type.split(".", 3)[3].rpartition(".")[0]
