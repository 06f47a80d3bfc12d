"""Personal data that can be recognised again (I9): every number and name that the tests hand in, sought where none may be.

A canary (kenari) is a value that nobody else has: found in a log, a message, a dead letter or a table that must not hold
it, it shows a leak. Texts are sought in any case of letters, and as the hexadecimal text in which a dump shows bytes.
"""

import asyncio
import gzip
import random
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition
from kit.events.schemas import Contracts
from private_stack import PrivateStack
from stack import places
from stack.kafka import partitions

DISTRICT = "327603"
KIT_TABLES = ("outbox", "inbox", "audit", "audit_seal", "idempotency", "parked", "read_log", "stream_position")
"""Tables of every service in which no personal data may stand in clear."""
_SHOWN = 10
_RUNS = re.compile(r"[0-9]{11,}|[a-z]{9,}")
"""Where a canary can stand: in a run of digits or of letters."""
_HEX = re.compile(r"[0-9a-fA-F]{18,}")


@dataclass
class Canaries:
    """Makes the values and remembers them all."""

    seed: int
    values: set[str] = field(default_factory=set)
    planted: set[str] = field(default_factory=set)
    """Values that a test itself put into a topic: sought everywhere else."""

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)

    def name(self) -> str:
        """A name that nobody bears."""
        rare = "".join(self._chance.choice("bcdfghjkqvwxz") for _ in range(9)).capitalize()
        self.values.add(rare)
        return f"Kenari {rare}"

    def nik(self, born: date, sex: str) -> str:
        """A well-formed NIK; serials begin at 9001, which no office gives out."""
        day = born.day + (40 if sex == "P" else 0)
        return self._kept(f"{DISTRICT}{day:02d}{born:%m%y}{self._chance.randint(9001, 9999)}")

    def birthday(self) -> date:
        """A day on which an elder was born."""
        return date(1930, 1, 1) + timedelta(days=self._chance.randrange(9_000))

    def account(self) -> str:
        """A number of an account."""
        return self._kept(f"77{self._chance.randrange(10**9):09d}{self._chance.randrange(10)}")

    def phone(self) -> str:
        """A mobile number in the national spelling; kept without its first digits, so that every spelling is found."""
        number = f"8129{self._chance.randrange(10**7):07d}"
        self.values.add(number)
        return f"0{number}"

    def _kept(self, value: str) -> str:
        self.values.add(value)
        return value

    def plant(self, value: str) -> str:
        """This value goes into a topic on purpose."""
        self.values.discard(value)
        self.planted.add(value)
        return value

    def found_in(self, text: str, *, planted: bool = True) -> set[str]:
        """The canaries that stand in this text."""
        sought = {value.lower() for value in self.values | (self.planted if planted else set())}
        lengths = sorted({len(value) for value in sought})
        found: set[str] = set()
        for plain in (text.lower(), *_unhexed(text)):
            for run in _RUNS.findall(plain):
                pieces = {run[at : at + size] for size in lengths for at in range(len(run) - size + 1)}
                found |= pieces & sought
        return found


def _unhexed(text: str) -> Iterator[str]:
    """What stands in a dump as the hexadecimal text of bytes, read from either half of a byte."""
    for run in _HEX.findall(text):
        for start in (0, 1):
            part = run[start:]
            yield bytes.fromhex(part[: len(part) // 2 * 2]).decode("latin-1").lower()


async def leaks(stack: PrivateStack, canaries: Canaries) -> list[str]:
    """Every place outside the services' own stores of personal data where a canary was found; empty when none was."""
    found: list[str] = []
    async for place, text in _places(stack):
        seen = canaries.found_in(text, planted=not place.startswith("topic"))
        found += [f"I9 {place}: {_hidden(value)}" for value in sorted(seen)][:_SHOWN]
    return found


async def _places(stack: PrivateStack) -> AsyncIterator[tuple[str, str]]:
    for log in [*stack.system.logs.glob("*.log"), stack.system.postgres.log]:
        yield f"log {log.name}", await asyncio.to_thread(_text, log)
    async for place, content in _messages(stack):
        yield place, content
    for service in stack.members:
        for table in KIT_TABLES:
            rows = await stack.sql(service, f'SELECT t::text AS row FROM "{table}" AS t')
            yield f"table {service}.{table}", "\n".join(row["row"] for row in rows)
        async with httpx.AsyncClient(base_url=stack.system.url(service), timeout=30) as client:
            yield f"metrics of {service}", (await client.get("/metrics")).text


def _text(log: Path) -> str:
    return log.read_text(errors="replace") if log.exists() else ""


async def _messages(stack: PrivateStack) -> AsyncIterator[tuple[str, str]]:
    """Everything that lies in the topics, byte by byte: keys, bodies, headers."""
    bootstrap = stack.system.kafka.bootstrap
    known = await partitions(bootstrap, sorted(Contracts(places.CONTRACTS).topics))
    every = [TopicPartition(topic, number) for topic, numbers in known.items() for number in numbers]
    reader = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    await reader.start()
    try:
        reader.assign(every)
        await reader.seek_to_beginning(*every)
        ends = await reader.end_offsets(every)
        while [place for place in every if await reader.position(place) < ends[place]]:
            for place, records in (await reader.getmany(timeout_ms=500, max_records=5_000)).items():
                yield f"topic {place.topic}", "\n".join(map(_plain, records))
    finally:
        await reader.stop()


def _plain(record: object) -> str:
    parts: Iterable[bytes | None] = (
        record.key,  # type: ignore[attr-defined]
        record.value,  # type: ignore[attr-defined]
        *(value for _, value in record.headers),  # type: ignore[attr-defined]
    )
    return " ".join(_opened(part).decode(errors="replace") for part in parts if part)


def _opened(part: bytes) -> bytes:
    return gzip.decompress(part) if part[:2] == b"\x1f\x8b" else part


def _hidden(value: str) -> str:
    """Enough of a value to find it by, and no more."""
    return f"{value[:4]}{'*' * (len(value) - 4)} ({len(value)} characters)"
