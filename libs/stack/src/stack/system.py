"""The whole system on this machine: its parts in the order they start, stop and are watched.

`cli` comes in here; so do the tests that kill parts. Everything a part leaves behind lies in one data folder.
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import httpx

from stack import databases, environment, jars, places, processes
from stack.kafka import Kafka, groups_ready
from stack.keyring import Keyring, keyring
from stack.places import Ports
from stack.postgres import Postgres
from stack.processes import Child
from stack.trouble import Say, Trouble

SLOW_START: Final = 180.0


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that runs: what a person calls it, where it answers, and how it is started and stopped."""

    name: str
    port: int
    log: Path
    start: Callable[[], float]
    stop: Callable[[], bool]
    child: Callable[[], Child | None]
    ready: Callable[[], str]
    """Empty when it is ready, else what it lacks."""

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        child = self.child()
        return child is not None and child.alive


class System:
    """One stack: a data folder, a set of ports, and the services that run on it."""

    def __init__(
        self,
        data: Path | None = None,
        ports: Ports | None = None,
        members: Sequence[str] | None = None,
        launch: Callable[..., Child] = processes.start,
    ) -> None:
        self._launch = launch
        self.data = data or places.data()
        self.ports = ports or Ports.of_environment()
        self.members = places.members() if members is None else tuple(members)
        self.logs = self.data / "logs"

    @cached_property
    def keys(self) -> Keyring:
        """The secrets, made at the first look."""
        return keyring(self.data)

    @cached_property
    def postgres(self) -> Postgres:
        """The database server."""
        return Postgres(self.data / "postgres", self.ports.postgres, self.keys.postgres)

    @cached_property
    def kafka(self) -> Kafka:
        """The broker."""
        return Kafka(self.data / "kafka", self.ports.kafka, self.ports.kafka_controller)

    @cached_property
    def foundation(self) -> tuple[Part, ...]:
        """What the services stand on, in the order of starting."""
        python = sys.executable
        maildir, secrets = self.data / "mail", self.data / "secrets.json"
        parts = [
            _server("PostgreSQL", self.postgres, self.ports.postgres),
            _server("Kafka", self.kafka, self.ports.kafka),
            self._program(
                "identity provider",
                self.ports.idp,
                [
                    python, "-m", "stack.idp", "--port", str(self.ports.idp),
                    "--keys", self.data / "idp.json", "--secrets", secrets,
                ],
                health=True,
            ),
            self._program("mail", self.ports.smtp, [python, "-m", "stack.mail", "--port", str(self.ports.smtp), "--folder", maildir]),
        ]  # fmt: skip
        if "notifications" in self.members:
            parts += [self._gateway(channel, port) for channel, port in self.ports.gateways.items()]
        return tuple(parts)

    @cached_property
    def services(self) -> tuple[Part, ...]:
        """The four services, one process each."""
        return tuple(
            self._program(
                name, self.ports.service(name), [sys.executable, "-m", name, "all"], health=True, env=self.environment(name)
            )
            for name in self.members
        )  # fmt: skip

    @property
    def parts(self) -> tuple[Part, ...]:
        """Everything, in the order of starting."""
        return (*self.foundation, *self.services)

    def needed_ports(self) -> dict[str, int]:
        """Every port that a start needs, with the name a person knows it by."""
        return {"Kafka controller": self.ports.kafka_controller} | {part.name: part.port for part in self.parts}

    def environment(self, service: str) -> dict[str, str]:
        """The variables a service's process is started with."""
        return environment.of_service(service, keys=self.keys, ports=self.ports, postgres=self.postgres, data=self.data)

    def url(self, name: str) -> str:
        """The address of a service's API, or of the identity provider (`idp`)."""
        return environment.base_url(self.ports.idp if name == "idp" else self.ports.service(name))

    @property
    def token_url(self) -> str:
        """Where people and machines sign in."""
        return f"{self.url('idp')}/token"

    def client_secret(self, client: str) -> str:
        """What a machine signs in with."""
        return self.keys.clients[client]

    @property
    def clock(self) -> Path:
        """The file that all services read their business time from."""
        return self.data / "clock"

    def survivors(self) -> Iterator[Part]:
        """Parts of an earlier start that still run (it was killed)."""
        return (part for part in self.parts if part.alive)

    def start(self, say: Say) -> None:
        """Start everything and wait until all of it is ready. Raises Trouble; what was started then still runs."""
        self.data.mkdir(parents=True, exist_ok=True)
        leftovers = list(self.survivors())
        if leftovers:
            say(f"An earlier start was cut off; stopping what it left: {', '.join(part.name for part in leftovers)}")
            self.stop(say)
        processes.demand_free(self.needed_ports())
        if not jars.complete():
            say("Fetching Apache Kafka (46 jars, 44 MB, checked against their hashes; only this once)")
        _together(self.foundation, say, then={"PostgreSQL": self.make_databases, "Kafka": self.make_topics})
        _together(self.services, say)

    def make_databases(self, say: Say) -> None:
        """Databases, roles and tables: made where they are missing, brought to their newest shape where they are older."""

        async def work() -> list[str]:
            await databases.make_roles(self.postgres, self.keys.databases)
            changed = []
            for service in self.members:
                folder, mark = places.migrations(service), self.data / "run" / f"{service}.shape"
                made = await databases.make_database(self.postgres, service, service)
                shape = databases.shape(folder)
                if made or not mark.exists() or mark.read_text() != shape:
                    await databases.migrate(folder, environment.owner_url(service, self.keys, self.postgres))
                    mark.write_text(shape)
                    changed.append(service)
            return changed

        began = time.monotonic()
        changed = asyncio.run(work())
        if changed:
            say(f"The databases of {', '.join(changed)} are at their newest shape ({time.monotonic() - began:.1f} s)")

    def make_topics(self, say: Say) -> None:
        """The topics of the catalogue: made where they are missing, never changed."""
        from kit.events import topics
        from kit.events.schemas import Contracts

        async def work() -> list[str]:
            made = await topics.create({"bootstrap_servers": self.kafka.bootstrap}, Contracts(places.CONTRACTS))
            await groups_ready(self.kafka.bootstrap)
            return made

        made = asyncio.run(work())
        if made:
            say(f"{len(made)} topics made on Kafka")

    def stop(self, say: Say) -> None:
        """Stop everything in order: services first, so that what they still hold reaches database and broker."""
        _stop_together(self.services, say)
        _stop_together(self.foundation, say)

    def _gateway(self, channel: str, port: int) -> Part:
        """A simulated provider of one channel; it reports to notifications what became of each message."""
        callback = f"{self.url('notifications')}/v1/receipts/{channel}"
        argv = [sys.executable, "-m", "stack.providers", "--port", str(port), "--callback", callback]
        secret = {"SANTUN_RECEIPT_SECRET": self.keys.receipt_secret}
        return self._program(f"{channel} gateway", port, argv, env=dict(os.environ) | secret)

    def _program(
        self,
        name: str,
        port: int,
        argv: Sequence[str | Path],
        *,
        health: bool = False,
        env: dict[str, str] | None = None,
    ) -> Part:
        slug = name.replace(" ", "-")
        log, file = self.logs / f"{slug}.log", self.data / "run" / f"{slug}.json"

        def unready() -> str:
            return _health(port) if health else "" if processes.listening(port) else "it does not answer"

        def start() -> float:
            child = self._launch(name, argv, file=file, log=log, env=env, cwd=places.ROOT)
            return processes.wait_ready(child, lambda: not unready(), within=SLOW_START, log=log)

        def stop() -> bool:
            child = processes.known(file)
            return processes.stop(child, within=25) if child else True

        return Part(name, port, log, start, stop, lambda: processes.known(file), unready)


def _server(name: str, server: Postgres | Kafka, port: int) -> Part:
    def unready() -> str:
        return "" if processes.listening(port) else "it does not answer"

    return Part(name, port, server.log, server.start, server.stop, lambda: server.child, unready)


def _health(port: int) -> str:
    """Empty when /health/ready says so; else its own words."""
    if not processes.listening(port):  # asked some hundred times while a process starts: making a client costs 10 ms
        return "it does not answer"
    try:
        answer = httpx.get(f"{environment.base_url(port)}/health/ready", timeout=3)
    except httpx.HTTPError as error:
        return f"it does not answer ({type(error).__name__})"
    return "" if answer.status_code == httpx.codes.OK else _lacking(answer)


def _lacking(answer: httpx.Response) -> str:
    """The parts of a service that are not ready, by name."""
    try:
        parts = answer.json()["parts"]
        lacking = ", ".join(name for name, found in parts.items() if not found["ok"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"it answers {answer.status_code}"
    return f"not ready: {lacking}" if lacking else "stopping"


def _together(parts: Sequence[Part], say: Say, *, then: Mapping[str, Callable[[Say], None]] | None = None) -> None:
    """Start parts at the same time, say each one when it is ready, and do at once what should follow one (`then`).

    Raises the first Trouble, after stopping what was on its way.
    """

    def one(part: Part) -> None:
        began = time.monotonic()
        part.start()
        say(f"{part.name} is ready on port {part.port} ({time.monotonic() - began:.1f} s)")
        if then and part.name in then:
            then[part.name](say)

    with ThreadPoolExecutor(len(parts) or 1) as pool:
        outcomes = [pool.submit(one, part) for part in parts]
        try:
            for outcome in outcomes:
                outcome.result()
        except (KeyboardInterrupt, Trouble):
            for part in parts:  # so that nobody waits for what will not come
                part.stop()
            raise


def _stop_together(parts: Sequence[Part], say: Say) -> None:
    def one(part: Part) -> None:
        if part.alive:
            orderly = part.stop()
            say(f"{part.name} stopped" if orderly else f"{part.name} did not stop by itself and was killed")

    with ThreadPoolExecutor(len(parts) or 1) as pool:
        list(pool.map(one, parts))
