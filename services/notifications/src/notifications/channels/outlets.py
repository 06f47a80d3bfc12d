"""The port to the outside: what a channel is given, and the four things it may answer. Nothing here has retries.

The worker alone comes in, outside of any transaction. An `Outgoing` holds an address for the length of one call; its
text form shows neither address nor text, so that no log can.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One call: to whom, what, and the reference under which it can be asked for later."""

    reference: UUID
    """The attempt: the same call is never made twice under it."""
    message_id: UUID
    """The message: stays the same over attempts, the Message-ID of a mail is made from it."""
    to: str = field(repr=False)
    subject: str = field(repr=False)
    body: str = field(repr=False)
    locale: str = "id"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took it."""

    provider_ref: str


@dataclass(frozen=True, slots=True)
class RefusedForNow:
    """Clearly not taken; may be tried again, not before `retry_after`. `pause` asks for silence of the whole channel."""

    code: str
    retry_after: timedelta = timedelta(0)
    pause: bool = False


@dataclass(frozen=True, slots=True)
class RefusedForGood:
    """Clearly not taken, and never will be. `dead_address`: the address itself is at fault and is not used again."""

    code: str
    dead_address: bool = False


@dataclass(frozen=True, slots=True)
class Silent:
    """Bytes were sent and no answer came: nobody knows."""

    code: str


Outcome = Accepted | RefusedForNow | RefusedForGood | Silent


class Outlet(Protocol):
    """One way out. `name` is the provider as receipts name it."""

    name: str
    per_minute: int
    """Calls a minute that the contract with the provider allows, over all workers."""

    async def send(self, outgoing: Outgoing) -> Outcome:
        """Make the call once. Never raises for what the other side does."""
        ...

    async def ask(self, reference: UUID, provider_ref: str | None) -> Outcome | None:
        """What became of an earlier call; None when the provider cannot tell."""
        ...

    async def close(self) -> None:
        """Give connections back."""
        ...
