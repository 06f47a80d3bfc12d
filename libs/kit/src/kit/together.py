"""Work beside each other in which one failure cuts nobody off."""

import asyncio
from collections.abc import Awaitable, Iterable


async def together(works: Iterable[Awaitable[object]]) -> None:
    """Run all to their end; the first failure, in their order, is raised only then, as what it was.

    Neither a task group (cancels the others, tells a group) nor a bare gather (leaves the others running behind the caller).
    """
    for failed in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(failed, BaseException):
            raise failed
