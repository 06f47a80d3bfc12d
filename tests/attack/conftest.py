"""One service per module of attacks: they leave nothing behind, so one is enough."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from attack.doors import SERVICES
from attack.worlds import WORLDS, World
from stack.backends import Backends
from stack.running import Running


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=SERVICES)
async def running(parts: Backends, request: pytest.FixtureRequest) -> AsyncIterator[Running]:
    """Each service once, with an empty database."""
    service = await Running.start(parts, request.param, {})
    yield service
    await service.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=SERVICES)
async def world(
    parts: Backends, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """Each service once, with one object of every type in one village."""
    folder = tmp_path_factory.mktemp("imports")
    running = await Running.start(parts, request.param, {"imports_dir": folder} if request.param == "registry" else {})
    yield await WORLDS[request.param](running)
    await running.close()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many attacks were tried, and how many passed."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, told in getattr(report, "user_properties", ()):
                if name == "attack" and getattr(report, "when", "") == "call":
                    terminalreporter.write_line(f"attack: {told}")
