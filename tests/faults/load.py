"""Work that goes on while faults come and go: deaths are reported and certified, lists are paid, over public HTTP only.

Every command is repeated under its key until it is answered, so that at the end each of them must be found once. Lanes
stand still at a gate between two commands while the invariants are looked at.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from faults.calls import Calls
from faults.canaries import Canaries
from faults.desk import VILLAGE
from faults.payday import Batch, Payday
from kit.testing import eventually
from stack import bank

ELDERS = 3
AKTA_YEAR = "14012026"


@dataclass
class Done:
    """What the load has brought about: all of it is looked for afterwards."""

    deaths: list[str] = field(default_factory=list)
    """Persons whose death was reported."""
    certified: int = 0
    months: int = 0
    transfers: Counter[str] = field(default_factory=Counter)
    """References in the files that the bank had, each with how often."""
    orders: list[bank.Order] = field(default_factory=list)
    """Those files, as the bank read them."""
    steps: int = 0

    def copy(self) -> "Done":
        """As it is now."""
        return replace(self, deaths=list(self.deaths), transfers=Counter(self.transfers), orders=list(self.orders))

    def since(self, known: "Done") -> "Done":
        """What was done after `known` was copied."""
        return Done(
            self.deaths[len(known.deaths) :], self.certified - known.certified, self.months - known.months,
            self.transfers - known.transfers, self.orders[len(known.orders) :], self.steps - known.steps,
        )  # fmt: skip


class Load:
    """Two lanes: the counter of the kelurahan, and the money."""

    def __init__(self, calls: Calls, canaries: Canaries, chance: random.Random) -> None:
        self.calls, self.canaries, self.chance = calls, canaries, chance
        self.done = Done()
        self._open = asyncio.Event()
        self._waiting: set[str] = set()
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._akta = 1_000

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Load"]:
        """The lanes work as long as the block runs."""
        self._begin()
        try:
            yield self
        finally:
            await self._end()

    @asynccontextmanager
    async def forgetting(self, known: Done) -> AsyncIterator[Done]:
        """Everybody goes home; what was done after `known` (given to the block) was never done; then others begin anew."""
        self.check()
        await self._end()
        forgotten, steps = self.done.since(known), self.done.steps
        self.done = replace(known.copy(), steps=steps)
        yield forgotten
        self._begin()

    def _begin(self) -> None:
        self._open.set()
        for name, lane in {"counter": self._counter, "money": self._money}.items():
            self._lanes[name] = asyncio.create_task(lane(), name=name)

    async def _end(self) -> None:
        for task in self._lanes.values():
            task.cancel()
        await asyncio.gather(*self._lanes.values(), return_exceptions=True)
        self._waiting.clear()

    async def moved(self, steps: int, within: float = 150.0) -> None:
        """Wait until the lanes have done so much more."""
        aim = self.done.steps + steps
        await eventually(lambda: self._reached(aim), within=within)

    async def ordered(self, known: Done, within: float = 150.0) -> None:
        """Wait until the bank has one more file than it had."""
        await eventually(lambda: self._has_orders(len(known.orders) + 1), within=within)

    @asynccontextmanager
    async def still(self, within: float = 180.0) -> AsyncIterator[None]:
        """Every command under way is answered and none begins, as long as the block runs."""
        self._open.clear()
        await eventually(self._all_wait, within=within)
        try:
            yield
        finally:
            self._open.set()

    def check(self) -> None:
        """Raise what ended a lane."""
        for task in self._lanes.values():
            if task.done():
                task.result()
                raise AssertionError(f"the lane {task.get_name()} ended")

    async def _reached(self, aim: int) -> bool:
        self.check()
        return self.done.steps >= aim

    async def _has_orders(self, aim: int) -> bool:
        self.check()
        return len(self.done.orders) >= aim

    async def _all_wait(self) -> bool:
        self.check()
        return self._waiting == set(self._lanes)

    async def _step(self, lane: str, work: Callable[[], Awaitable[object]]) -> None:
        if not self._open.is_set():
            self._waiting.add(lane)
            await self._open.wait()
            self._waiting.discard(lane)
        await work()
        self.done.steps += 1

    async def _counter(self) -> None:
        while True:
            await self._step("counter", self.death)
            await asyncio.sleep(0)

    async def _money(self) -> None:
        while True:
            payday = Payday(self.calls, self.canaries)
            await self._step("money", lambda payday=payday: payday.open(ELDERS))
            for _ in range(self.chance.randint(2, len(payday.months))):
                await self._month(payday)

    async def _month(self, payday: Payday) -> None:
        """One list from its rights to the answer of the bank, which now and then returns a payment."""
        await self._step("money", payday.month)
        batch = await payday.draft()
        for step in (payday.freeze, payday.approve, payday.fund, partial(self._export, payday), payday.send):
            await self._step("money", lambda step=step: step(batch))
        sent = [transfer.reference for order in batch.orders for transfer in order.transfers]
        back = {self.chance.choice(sent): "BE01"} if len(sent) == ELDERS and self.chance.random() < 0.2 else {}
        await self._step("money", lambda: payday.upload(batch, bank.Faults(returned=back)))
        await self._step("money", lambda: payday.apply(batch))
        outcomes = sum((Counter(file["outcomes"]) for file in batch.applied), Counter[str]())
        assert set(outcomes) == {"matched"}, outcomes
        self.done.months += 1

    async def _export(self, payday: Payday, batch: Batch) -> None:
        """In one step with its being remembered: between two steps the load may be copied."""
        await payday.export(batch)
        self.given(batch)

    def given(self, batch: Batch) -> None:
        """The bank has the files of this list."""
        self.done.orders += batch.orders
        self.done.transfers.update(transfer.reference for order in batch.orders for transfer in order.transfers)

    async def person(self) -> str:
        """Somebody is registered; the id."""
        born = self.canaries.birthday()
        person = await self.calls.do("op_desa", "registry", "/v1/persons", {
            "name": self.canaries.name(), "birth_date": born.isoformat(), "sex": "P", "region_code": VILLAGE,
            "nik": self.canaries.nik(born, "P"), "reason": "diperiksa",
        })  # fmt: skip
        return str(person["id"])

    async def death(self) -> str:
        """Somebody has died, and now and then the akta comes at once; the person."""
        person = await self.person()
        death = await self.calls.do("op_desa", "registry", "/v1/deaths", {
            "person_id": person, "source": "rt", "died_on": "2026-01-14", "region_code": VILLAGE,
        })  # fmt: skip
        self.done.deaths.append(person)
        if self.chance.random() < 0.3:
            self._akta += 1
            akta = {
                "akta_no": f"3276-KM-{AKTA_YEAR}-{self._akta:04d}",
                "issuer_code": "32.76",
                "issued_on": "2026-01-18",
            }
            path = f"/v1/deaths/{death['id']}:certify"
            await self.calls.do("verifikator", "registry", path, akta, version=death["version"])
            self.done.certified += 1
        return person
