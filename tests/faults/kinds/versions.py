"""Services of two versions side by side: some announce what their readers do not know yet, then go back to what was."""

import asyncio
from collections.abc import AsyncIterator

from faults.ground import Ground, fault
from faults.kinds.crashes import SERVICES
from faults.newer import SUFFIX
from kit.testing import eventually

NEWER_WORK = 6


@fault("newer versions of services beside older ones", steps=0)
async def side_by_side(ground: Ground) -> AsyncIterator[None]:
    """Readers ignore new fields, attributes and versions and lose nothing; the older producer goes on where it stopped."""
    newer = ground.chance.sample(SERVICES[:2], ground.chance.choice((1, 2)))
    ground.said += newer
    before = await _told(ground, newer)
    await asyncio.gather(*(ground.stack.put_newer(service) for service in newer))
    await ground.load.moved(NEWER_WORK)
    await eventually(lambda: _all_told(ground, newer, before), within=120)
    yield
    await asyncio.gather(*(asyncio.to_thread(ground.stack.part(service).stop) for service in newer))
    await ground.stack.start(*newer)


async def _told(ground: Ground, services: list[str]) -> dict[str, int]:
    """How many events of a next version each service has announced."""
    counted = "SELECT count(*) FROM outbox WHERE type LIKE '%' || $1"
    return {service: (await ground.stack.sql(service, counted, SUFFIX))[0][0] for service in services}


async def _all_told(ground: Ground, services: list[str], before: dict[str, int]) -> bool:
    ground.load.check()
    return all(count > before[service] for service, count in (await _told(ground, services)).items())
