"""Processes that die: at each named point, by kill -9 at any moment, one or several, or stand still for a while."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

from faults.ground import Ground, Inflict, fault
from faults.lists import bring_list
from kit.failpoints import POINTS

SERVICES = ("registry", "disbursement", "grants", "notifications")
BEARERS = {
    "api": ("registry", "disbursement"),
    "relay": ("registry", "disbursement"),
    "consumer": ("disbursement", "notifications"),
    "import": ("registry",),
    "run": ("disbursement",),
    "worker": ("notifications",),
    "sealer": ("registry", "disbursement"),
}
"""Which services pass the points of a part under this load."""
ONCE = ("run", "import", "worker")
"""Parts whose points are passed too seldom to die the second or third time."""
DEATH_COMES_WITHIN = 150.0


def _crash(point: str) -> Inflict:
    part = point.split(".", maxsplit=1)[0]

    async def inflict(ground: Ground) -> AsyncIterator[None]:
        service = ground.choose(*BEARERS[part])
        count = ground.choose("1") if part in ONCE else ground.choose("1", "2", "3")
        await ground.stack.restart_armed(service, f"{point}:{count}", ready=part in {"api", "run", "import"})
        bringing = asyncio.create_task(bring_list(ground.calls, ground.chance)) if part == "import" else None
        await ground.stack.died(service, within=DEATH_COMES_WITHIN)
        yield
        await ground.stack.start(service)
        if bringing is not None:
            await bringing

    return inflict


for _point in POINTS:
    fault(f"crash {_point}", steps=0)(_crash(_point))


def _kill(service: str) -> Inflict:
    async def inflict(ground: Ground) -> AsyncIterator[None]:
        ground.stack.kill(service)
        yield
        await ground.stack.start(service)

    return inflict


for _service in SERVICES:
    fault(f"kill -9 {_service}", steps=0)(_kill(_service))


@fault("kill -9 of two services at once", steps=0)
async def two(ground: Ground) -> AsyncIterator[None]:
    """Two die in the same instant."""
    both = ground.chance.sample(SERVICES, 2)
    ground.said += both
    ground.stack.kill(*both)
    yield
    await ground.stack.start(*both)


@fault("kill -9 of every service at once", steps=0)
async def all_services(ground: Ground) -> AsyncIterator[None]:
    """All four die in the same instant."""
    ground.stack.kill(*SERVICES)
    yield
    await ground.stack.start(*SERVICES)


@fault("kill -9 of everything: services, broker, database", steps=0)
async def everything(ground: Ground) -> AsyncIterator[None]:
    """The machine goes down."""
    ground.stack.kill()
    yield
    await asyncio.to_thread(ground.stack.system.start, ground.stack.said.append)


@fault("a process stands still", steps=1)
async def frozen(ground: Ground) -> AsyncIterator[None]:
    """A slow consumer at its worst: the whole process stops for longer than its session with the broker lasts."""
    pid = ground.stack.pid(ground.choose("disbursement", "notifications"))
    os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(ground.chance.choice((3, 12)))  # as long as the fault lasts, not a wait for something
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@fault("a process is ten times slower", steps=0)
async def slowed(ground: Ground) -> AsyncIterator[None]:
    """It gets a tenth of its time: it falls behind, keeps its place in the group, and catches up."""
    pid = ground.stack.pid(ground.choose("disbursement", "notifications", "registry"))
    for _ in range(ground.chance.choice((10, 30))):
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(0.45)  # as long as the fault lasts
        finally:
            os.kill(pid, signal.SIGCONT)
        await asyncio.sleep(0.05)
    yield
