"""Every test of grants starts at this desk."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest_asyncio
from grants_desk import NOON, Desk
from stack.running import Running


@pytest_asyncio.fixture
async def desk(service_factory: Callable[..., Awaitable[Running]]) -> AsyncIterator[Desk]:
    """Grants on the first of July 2026."""
    running = await service_factory("grants")
    running.clock.set(NOON)
    yield Desk(running)
