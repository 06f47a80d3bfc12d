"""The long-lived objects of one process of one service: pool, clock, keys, contracts. Made once, passed everywhere."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from kit.auth.actor import Actor
from kit.clock import Clock
from kit.crypto.fields import BlindIndex, FieldCipher
from kit.db.engine import create_engine
from kit.db.uow import First, UnitOfWork, begin
from kit.events.schemas import contracts
from kit.machine import Refusal
from kit.settings import Base


class Runtime:
    """What every part of a process shares. `wiring` holds the service's own long-lived objects (clients, ports)."""

    def __init__(self, name: str, settings: Base) -> None:
        self.name = name
        self.settings = settings
        self.clock = Clock(zone=settings.office_zone, file=settings.clock_file)
        self.contracts = contracts(settings.contracts_dir)
        self.fields = FieldCipher.parse(settings.field_keys.get_secret_value())
        self.index = BlindIndex.parse(settings.index_keys.get_secret_value())
        self.engine: AsyncEngine = create_engine(
            settings.database_url.get_secret_value(), pool_size=settings.database_pool_size, name=name
        )
        self.wiring: Any = None
        self._wake: list[Callable[[], None]] = []

    def topic(self, name: str) -> str:
        """The topic's name on the broker: the declared one behind the prefix that tests use."""
        return self.settings.topic_prefix + name

    def begin(
        self, actor: Actor, *, origin: str = "job", first: First | None = None
    ) -> AbstractAsyncContextManager[UnitOfWork]:
        """Open a unit of work for the actor. `origin` says which part of the process acts: api, consumer or job."""
        return begin(self, actor, origin=origin, first=first)

    def on_announce(self, wake: Callable[[], None]) -> None:
        """Call `wake` after every commit that announced something (the relay of the same process)."""
        self._wake.append(wake)

    def wake_relay(self) -> None:
        """Tell the relay of this process that there is something to publish."""
        for wake in self._wake:
            wake()

    async def record_refusal(self, *, actor: Actor, command: str, ids: Mapping[str, str], refusal: Refusal) -> None:
        """Store a refused command with the ids it named and its reasons, in a transaction of its own (rule K18)."""
        async with self.begin(actor, origin="refusal") as uow:
            reasons = [reason.code for reason in refusal.reasons]
            await uow.append_audit(command, "", None, None, outcome="refused", after=dict(ids), reasons=reasons)

    async def close(self) -> None:
        """Give the connections back."""
        await self.engine.dispose()
