"""Every link between a service and what it stands on: slow, narrow, frozen, deaf, dead, cut, refused."""

import asyncio
from collections.abc import AsyncIterator

from faults.ground import Ground, Inflict, fault
from faults.kinds.crashes import SERVICES
from faults.links import BROKER, REGISTRY, database
from faults.proxy import FAIR, Weather

WEATHERS = {
    "slow": Weather(latency=0.15),
    "narrow": Weather(bytes_per_second=40_000),
    "frozen": Weather(frozen=True),
    "deaf": Weather(deaf=True),
    "refused": Weather(refusing=True),
}
LASTS_SECONDS = (1.0, 3.0, 6.0)
CUTS = 5
SIDES = {"database": tuple(database(service) for service in SERVICES[:2]), "broker": (BROKER,), "registry": (REGISTRY,)}
"""The links of each side; the databases of registry and disbursement are those that the load needs."""


def _weather(kind: str, side: str) -> Inflict:
    async def inflict(ground: Ground) -> AsyncIterator[None]:
        link = ground.choose(*SIDES[side])
        ground.stack.links.change(link, WEATHERS[kind])
        if kind == "refused":
            ground.stack.links.cut(link)
        try:
            await asyncio.sleep(ground.chance.choice(LASTS_SECONDS))  # as long as the fault lasts
            yield
        finally:
            ground.stack.links.change(link, FAIR)

    return inflict


def _cut(side: str) -> Inflict:
    async def inflict(ground: Ground) -> AsyncIterator[None]:
        link = ground.choose(*SIDES[side])
        for _ in range(CUTS):
            ground.stack.links.cut(link)
            await asyncio.sleep(ground.chance.random())  # between two cuts
        yield

    return inflict


def _dead(side: str) -> Inflict:
    async def inflict(ground: Ground) -> AsyncIterator[None]:
        ground.stack.links.bereave(ground.choose(*SIDES[side]))
        yield  # nobody mends it: the clients must notice by their own time-outs

    return inflict


for _side in SIDES:
    for _kind in WEATHERS:
        fault(f"{_kind} link to the {_side}", steps=0)(_weather(_kind, _side))
    fault(f"cut link to the {_side}", steps=1)(_cut(_side))
    fault(f"dead link to the {_side}", steps=0)(_dead(_side))
