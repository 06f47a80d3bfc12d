"""A private stack whose services reach database, broker and registry through links that can be hurt.

Each service has a link to PostgreSQL of its own (`registry-database`, ...); all share the links to Kafka (`broker`: the
broker tells its clients this address) and to the registry's API (`registry-api`). Tests look past the links.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from unittest.mock import patch

from faults.proxy import Links
from private_stack import PrivateStack
from stack import kafka, places, processes
from stack.kafka import Kafka
from stack.processes import Child
from stack.system import System

TESTS = Path(__file__).parents[1]
PASSED_ON = ("PYTHONPATH",)
"""So that the stack of a copy of the tree runs the copy's code."""
BROKER, REGISTRY = "broker", "registry-api"
TEMPORARY = "temporary"
"""Folder below the stack's data in which the registry keeps what is just being uploaded."""


def database(service: str) -> str:
    """The name of a service's link to its database."""
    return f"{service}-database"


class AdvertisedKafka(Kafka):
    """A broker that sends its clients to another port than the one it listens on."""

    advertised = 0

    def start(self, *, within: float = 120.0) -> float:
        """As ever, with the other address in its settings."""
        line = "advertised.listeners=PLAINTEXT://127.0.0.1:"
        settings = kafka._SETTINGS.replace(line + "{port}", f"{line}{self.advertised}")
        assert settings != kafka._SETTINGS
        with patch.object(kafka, "_SETTINGS", settings):
            return super().start(within=within)


class LinkedSystem(System):
    """A system whose services are told the addresses of the links."""

    links: dict[str, tuple[int, int]]
    """Port of each link, and the port behind it."""

    @cached_property
    def kafka(self) -> Kafka:
        """The broker."""
        broker = AdvertisedKafka(self.data / "kafka", self.ports.kafka, self.ports.kafka_controller)
        broker.advertised = self.links[BROKER][0]
        return broker

    def environment(self, service: str) -> dict[str, str]:
        """The variables a service's process is started with."""
        told = super().environment(service)
        told |= {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        told["SANTUN_KAFKA_BOOTSTRAP"] = f"127.0.0.1:{self.links[BROKER][0]}"
        if service == "registry":
            (self.data / TEMPORARY).mkdir(parents=True, exist_ok=True)
            told["TMPDIR"] = str(self.data / TEMPORARY)
        told["SANTUN_REGISTRY_URL"] = f"http://127.0.0.1:{self.links[REGISTRY][0]}"
        near, far = self.links[database(service)]
        name = f"{service.upper()}_DATABASE_URL"
        told[name] = told[name].replace(f"127.0.0.1:{far}/", f"127.0.0.1:{near}/")
        return told


class LinkedStack(PrivateStack):
    """A private stack with links."""

    def __init__(self, launch: Callable[..., Child] = processes.start) -> None:
        self.links = Links()
        super().__init__(launch=launch)

    def _system(self) -> System:
        system = LinkedSystem(Path(self.folder / "data"), self.ports, members=self.members, launch=self.launch)
        behind = {BROKER: self.ports.kafka, REGISTRY: self.ports.service("registry")}
        behind |= {database(service): self.ports.postgres for service in self.members}
        system.links = {name: (processes.free_port(), port) for name, port in behind.items()}
        for name, (near, far) in system.links.items():
            self.links.add(name, near, far)
        return system

    async def put_newer(self, service: str) -> None:
        """Let the next version of a service (`faults.newer`) take the place of the one that runs; waits until it is ready."""
        part = self.part(service)
        await asyncio.to_thread(part.stop)
        environment = self.system.environment(service)
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(TESTS), environment.get("PYTHONPATH", ""))))
        file, argv = (
            self.system.data / "run" / f"{service}.json",
            [sys.executable, "-m", "faults.newer", service, "all"],
        )
        child = await asyncio.to_thread(
            processes.start, service, argv, file=file, log=part.log, env=environment, cwd=places.ROOT
        )
        await asyncio.to_thread(processes.wait_ready, child, lambda: not part.ready(), within=90, log=part.log)

    def __exit__(self, *told: object) -> None:
        super().__exit__(*told)
        self.links.close()
