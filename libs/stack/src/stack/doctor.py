"""What is wrong with a stack now, in plain sentences, each with the next step."""

from collections.abc import Iterator
from typing import Final

import httpx
import psutil

from stack import jars, journal, processes, watched
from stack.findings import Finding, fine
from stack.supervisor import NEEDED_MB, held
from stack.system import System

_MEMORY_MB: Final = 1_500
_RECENT_SECONDS: Final = 300.0


def examine(system: System) -> list[Finding]:
    """Look at everything; what is wrong comes with its next step."""
    return [*_machine(system), *(_running(system) if held(system) else _stopped(system))]


def _machine(system: System) -> Iterator[Finding]:
    folder = system.data if system.data.exists() else system.data.parent
    free = psutil.disk_usage(str(folder)).free >> 20
    room = f"disk: {free} MB free at {folder}"
    yield fine(room) if free >= NEEDED_MB else Finding(room, "Make room; PostgreSQL stops when the disk is full.")
    if not held(system):
        memory = psutil.virtual_memory().available >> 20
        said = f"memory: {memory} MB available"
        yield (
            fine(said)
            if memory >= _MEMORY_MB
            else Finding(said, f"Santun needs about {_MEMORY_MB} MB; close some programs.")
        )
    yield fine(
        "Apache Kafka's jars are here" if jars.complete() else "Apache Kafka's jars will be fetched at the first start"
    )


def _stopped(system: System) -> Iterator[Finding]:
    survivors = [part.name for part in system.survivors()]
    taken = [f"{port} ({name})" for name, port in system.needed_ports().items() if not processes.port_free(port)]
    if survivors:
        yield Finding(
            f"an earlier start was killed and left: {', '.join(survivors)}",
            "Run: make down (or make up, which does it too)",
        )
    elif taken:
        yield Finding(f"ports taken by others: {', '.join(taken)}", "Choose others: SANTUN_PORT_BASE=8300 make up")
    else:
        yield fine("all ports are free")
    yield Finding("Santun is not running", "Start it with: make up")


def _running(system: System) -> Iterator[Finding]:
    for part in system.parts:
        look = f"See: .venv/bin/santun logs {part.name.replace(' ', '-').lower()}"
        lacks = part.ready() if part.alive else "its process ended"
        yield Finding(f"{part.name}: {lacks}", look) if lacks else fine(f"{part.name}: ready")
        errors = journal.errors_since(part.log, _RECENT_SECONDS)
        if errors:
            yield Finding(f"{part.name}: {errors} errors in its log within five minutes", look)
    for service in system.members:
        yield from _figures(system, service)
    if system.clock.exists():
        yield fine("the business clock was moved", "Back to real time: .venv/bin/santun clock reset")


def _figures(system: System, service: str) -> Iterator[Finding]:
    try:
        answer = httpx.get(f"{system.url(service)}/metrics", timeout=5).raise_for_status()
    except httpx.HTTPError:
        yield Finding(f"{service}: does not say how it is", f"See: .venv/bin/santun logs {service}")
        return
    yield from watched.late(service, answer.text)
