"""Journeys over whole services as processes; each module that needs a stack has one of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from private_stack import PrivateStack


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder runs over processes, and a machine at work takes its time to start them."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("e2e")
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="module")
def stack() -> Iterator[PrivateStack]:
    """The whole system, for one module alone."""
    with PrivateStack() as running:
        yield running
