"""The story of the demonstration, told through the public APIs by the persons who would do it.

Kota Depok, March 2023: a family list is imported, a death stops a monthly aid, two hundred heirs claim the death benefit,
a batch is paid, one payment comes back and is repaired, one death was false, one institution is registered. `run` may be
repeated at any time: every request carries the same idempotency key, so nothing happens twice.
"""

import asyncio
from collections.abc import Awaitable, Callable

from stack.office import Office
from stack.story import batch, claims, deaths, elders, false_death, institution, list_import, programmes
from stack.story.teller import Memory, Teller
from stack.system import Say, System

CHAPTERS: tuple[Callable[[Teller, Memory], Awaitable[None]], ...] = (
    list_import.tell,
    programmes.tell,
    elders.tell,
    deaths.tell,
    claims.tell,
    batch.tell,
    false_death.tell,
    institution.tell,
)
"""In the order of the calendar; each leaves in the memory what the next ones need."""


def run(system: System, say: Say, *, families: int = 20_000, claims_count: int = 200) -> Memory:
    """Tell the story on a running stack. Raises Trouble with the service's own words when a step is refused."""
    return asyncio.run(_tell(system, say, Memory(families=families, claims_count=claims_count)))


async def _tell(system: System, say: Say, memory: Memory) -> Memory:
    office = Office(system)
    try:
        teller = Teller(office, say)
        for chapter in CHAPTERS:
            await chapter(teller, memory)
        return memory
    finally:
        await office.close()
