"""One private stack for all fault tests; each test leaves it healed."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from faults.desk import Desk
from private_stack import PrivateStack


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder kills something."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("faults")
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def stack() -> Iterator[PrivateStack]:
    """The stack that is hurt."""
    with PrivateStack() as running:
        yield running


@pytest_asyncio.fixture
async def desk(stack: PrivateStack) -> AsyncIterator[Desk]:
    """People at work on that stack, before and after the fault."""
    at_work = Desk(stack)
    await stack.mend()
    yield at_work
    await at_work.close()
