"""One private stack for all fault tests; each test leaves it healed."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from faults.desk import Desk
from faults.links import LinkedStack
from faults.payday import TODAY
from nursery import Nursery
from stack.office import move_clock


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder kills something."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("faults")
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def stack() -> Iterator[LinkedStack]:
    """The stack that is hurt: an office on a Monday morning."""
    nursery = Nursery()
    with LinkedStack(nursery.start) as running:
        move_clock(running.system, TODAY)
        yield running
    nursery.close()


@pytest_asyncio.fixture
async def desk(stack: LinkedStack) -> AsyncIterator[Desk]:
    """People at work on that stack, before and after the fault."""
    at_work = Desk(stack)
    await stack.mend()
    yield at_work
    await at_work.close()
