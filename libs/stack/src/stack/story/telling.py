"""The order of the chapters, and how they are told on a running stack."""

import asyncio
from collections.abc import Awaitable, Callable

from stack.office import Office, Place
from stack.story import batch, claims, deaths, elders, false_death, institution, list_import, programmes
from stack.story.teller import Memory, Teller
from stack.trouble import Say

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


def run(place: Place, say: Say, *, families: int = 20_000, claims_count: int = 200) -> Memory:
    """Tell the story on a running stack, with at least six claims. Raises Trouble with the service's own words when a step is refused."""
    return asyncio.run(_tell(place, say, Memory(families=families, claims_count=claims_count)))


async def _tell(place: Place, say: Say, memory: Memory) -> Memory:
    office = Office(place)
    try:
        teller = Teller(office, say)
        for chapter in CHAPTERS:
            await chapter(teller, memory)
        return memory
    finally:
        await office.close()
