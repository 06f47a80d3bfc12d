"""What is wrong with a stack now, in plain sentences, each with the next step."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import asyncpg
import psutil

from stack import jars, journal, processes
from stack.supervisor import NEEDED_MB, held
from stack.system import System

_MEMORY_MB: Final = 1_500
_RECENT_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    next_step: str = ""
    good: bool = False


def _fine(what: str, hint: str = "") -> Finding:
    return Finding(what, hint, good=True)


def examine(system: System) -> list[Finding]:
    """Look at everything; what is wrong comes with its next step."""
    return [*_machine(system), *(_running(system) if held(system) else _stopped(system))]


def _machine(system: System) -> Iterator[Finding]:
    folder = system.data if system.data.exists() else system.data.parent
    free = psutil.disk_usage(str(folder)).free >> 20
    room = f"disk: {free} MB free at {folder}"
    yield _fine(room) if free >= NEEDED_MB else Finding(room, "Make room; PostgreSQL stops when the disk is full.")
    if not held(system):
        memory = psutil.virtual_memory().available >> 20
        said = f"memory: {memory} MB available"
        yield (
            _fine(said)
            if memory >= _MEMORY_MB
            else Finding(said, f"Santun needs about {_MEMORY_MB} MB; close some programs.")
        )
    yield _fine(
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
        yield _fine("all ports are free")
    yield Finding("Santun is not running", "Start it with: make up")


def _running(system: System) -> Iterator[Finding]:
    for part in system.parts:
        look = f"See: .venv/bin/santun logs {part.name.replace(' ', '-').lower()}"
        lacks = part.ready() if part.alive else "its process ended"
        yield Finding(f"{part.name}: {lacks}", look) if lacks else _fine(f"{part.name}: ready")
        errors = journal.errors_since(part.log, _RECENT_SECONDS)
        if errors:
            yield Finding(f"{part.name}: {errors} errors in its log within five minutes", look)
    yield from asyncio.run(_parked(system))
    if system.clock.exists():
        yield _fine("the business clock was moved", "Back to real time: .venv/bin/santun clock reset")


async def _parked(system: System) -> list[Finding]:
    """Messages that wait for a person, per service."""
    findings = []
    for service in system.members:
        try:
            connection = await asyncpg.connect(system.postgres.url(service), timeout=3)
        except (OSError, asyncpg.PostgresError):
            findings.append(
                Finding(f"{service}: its database does not answer", "See: .venv/bin/santun logs postgresql")
            )
            continue
        try:
            waiting = int(await connection.fetchval("SELECT count(*) FROM parked WHERE state = 'parked'"))
        except asyncpg.UndefinedTableError:
            waiting = 0
        finally:
            await connection.close()
        if waiting:
            findings.append(
                Finding(f"{service}: {waiting} messages parked", f"See: .venv/bin/santun service {service} parked list")
            )
        else:
            findings.append(_fine(f"{service}: no messages parked"))
    return findings
