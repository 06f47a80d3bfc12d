from collections.abc import AsyncIterator

import pytest_asyncio
from registry_office import Office


@pytest_asyncio.fixture
async def office(service_factory) -> AsyncIterator[Office]:
    yield Office(await service_factory("registry"))
