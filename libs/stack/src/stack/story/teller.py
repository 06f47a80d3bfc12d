"""How the story acts: calls with stable keys, several at a time, a clock that only goes forward, waiting for what follows."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from stack.office import Office
from stack.trouble import Say, Trouble

JAKARTA = ZoneInfo("Asia/Jakarta")
FIRST_DAY = datetime(2023, 3, 6, 8, 0, tzinfo=JAKARTA)
"""Monday; the Depok rule of 2023 is in force."""
AT_ONCE = 8
"""Requests under way at once."""
PATIENCE = 240.0

T = TypeVar("T")


@dataclass
class Case:
    """One death of the story and what follows from it. Ids only; the numbers stay in the synthetic list."""

    number: int
    village: str
    deceased_nik: str
    heir_nik: str
    akta_no: str
    deceased_id: str = ""
    heir_id: str = ""
    relationship: str = ""
    death: dict[str, Any] = field(default_factory=dict)
    claim: dict[str, Any] = field(default_factory=dict)


@dataclass
class Memory:
    """What the chapters know of each other's work."""

    families: int
    claims_count: int
    cases: list[Case] = field(default_factory=list)
    elder_niks: list[str] = field(default_factory=list)
    programme: dict[str, Any] = field(default_factory=dict)
    elderly: dict[str, Any] = field(default_factory=dict)
    line_id: str = ""
    batch: dict[str, Any] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    """What a reader may check afterwards: counts and sums by name."""


class Teller:
    """Acts for the persons of the demonstration."""

    def __init__(self, office: Office, say: Say) -> None:
        self.office = office
        self.say = say
        self._gate = asyncio.Semaphore(AT_ONCE)

    def day(self, offset: int, hour: int = 8, minute: int = 0) -> datetime:
        """The instant so many days after the first one, local time; the clock is moved there, never back."""
        at = (FIRST_DAY + timedelta(days=offset)).replace(hour=hour, minute=minute)
        if self.office.now() < at or self.office.now() - at > timedelta(days=365):
            # A fresh clock stands at the real time, years later; only that one jump goes back.
            self.office.move_clock(at.astimezone(UTC))
        return at

    async def do(
        self,
        person: str,
        service: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        key: str,
        version: int | None = None,
    ) -> dict[str, Any]:
        """One command that must succeed. `key` makes it the same command in every telling."""
        async with self._gate:
            found: dict[str, Any] = await self.office.call(
                person, service, "POST", path, version=version, json=dict(body or {}), key=f"cerita-{key}"
            )
        return found

    async def ask(self, person: str, service: str, path: str) -> Any:
        """One question by GET."""
        async with self._gate:
            return await self.office.call(person, service, "GET", path)

    async def each(self, items: Iterable[T], step: Callable[[T], Awaitable[None]]) -> None:
        """The same step for many, a few at a time."""
        await asyncio.gather(*(step(item) for item in items))

    async def until(self, what: str, found: Callable[[], Awaitable[T | None]]) -> T:
        """Ask again until there is an answer. Raises Trouble when it does not come."""
        pause, waited = 0.1, 0.0
        while waited < PATIENCE:
            answer = await found()
            if answer is not None:
                return answer
            await asyncio.sleep(pause)
            waited, pause = waited + pause, min(pause * 1.5, 1.0)
        raise Trouble(f"The story waits in vain for this: {what}.", "See: .venv/bin/santun doctor")


def document(*words: object) -> str:
    """A fingerprint (SHA-256) that stands for a scanned paper of the story."""
    return hashlib.sha256(" ".join(map(str, words)).encode()).hexdigest()


def paper_id(*words: object) -> str:
    """The id of a paper of the story: the same in every telling."""
    return str(uuid5(NAMESPACE_URL, "cerita:" + " ".join(map(str, words))))
