"""Journeys over whole services as processes; each module that needs a stack has one of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.collector import Collector, collecting
from private_stack import PrivateStack


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder runs over processes, and a machine at work takes its time to start them."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("e2e")
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    """Where the services of the module's stack send their traces."""
    with collecting() as running:
        yield running


@pytest.fixture(scope="module")
def stack(collector: Collector) -> Iterator[PrivateStack]:
    """The whole system, for one module alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SANTUN_OTLP_ENDPOINT", collector.endpoint)
        with PrivateStack() as running:
            yield running
