"""What a fault is done to, and how it is found again: the registry of the kinds of faults."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from faults.calls import Calls
from faults.desk import Desk
from faults.links import LinkedStack
from faults.load import Load

Inflict = Callable[["Ground"], AsyncIterator[None]]
Lacking = Callable[[], str]
"""Why a kind of fault cannot be inflicted on this machine; empty when it can."""


@dataclass
class Ground:
    """The stack under load, and the chance that decides everything."""

    stack: LinkedStack
    desk: Desk
    calls: Calls
    load: Load
    chance: random.Random
    quiet_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    """When the invariants were last seen to hold, by the clock of the machine."""
    said: list[str] = field(default_factory=list)
    """What the present fault chose, for the report of a failure."""

    def choose(self, *among: str) -> str:
        """One of these, noted."""
        chosen = self.chance.choice(among)
        self.said.append(chosen)
        return chosen


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault: `inflicted` hurts at its beginning and heals at its end."""

    name: str
    inflict: Inflict
    steps: int
    """How much work is done while it lasts; 0: nothing can be, or the fault itself waits."""
    lacking: Lacking

    def inflicted(self, ground: Ground) -> AbstractAsyncContextManager[None]:
        """The fault as a block."""
        return asynccontextmanager(self.inflict)(ground)


KINDS: dict[str, Kind] = {}


def _nothing() -> str:
    return ""


def fault(name: str, *, steps: int = 3, lacking: Lacking = _nothing) -> Callable[[Inflict], Inflict]:
    """Register a kind: a generator that hurts, yields once, and heals."""

    def register(inflict: Inflict) -> Inflict:
        assert name not in KINDS, name
        KINDS[name] = Kind(name, inflict, steps, lacking)
        return inflict

    return register
