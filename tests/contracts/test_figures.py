"""The figures of every service, asked of its own tables as they are."""

import pytest
from kit import metrics
from kit.figures import Figures
from stack.backends import Backends
from stack.places import SERVICES
from stack.running import Running


@pytest.mark.parametrize("service", SERVICES)
async def test_every_figure_can_be_asked_and_is_told(parts: Backends, service: str):
    running = await Running.start(parts, service, {})
    try:
        figures = running.service.figures
        assert figures
        await Figures(figures).take(running.runtime)
    finally:
        await running.close()
    told = metrics.exposition().decode()
    assert [figure.name for figure in figures if f"# TYPE {figure.name} gauge" not in told] == []
