"""One system in containers for all tests here; they need a container engine and are run by `make test-containers`."""

import time
from collections.abc import Callable, Iterator
from functools import partial

import httpx
import pytest
from containers.compose import Compose, signed_in, started

FACTS: list[str] = []
"""What the tests measured beside what they proved; said at the end of the run."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was measured."""
    for fact in FACTS:
        terminalreporter.write_line(fact)


@pytest.fixture(scope="session")
def measured() -> Callable[[str], None]:
    """Keeps a sentence for the end of the run."""
    return FACTS.append


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory, measured: Callable[[str], None]) -> Iterator[Compose]:
    """The demonstration, started as a newcomer starts it, with its story told; gone afterwards."""
    begun = time.monotonic()
    with started("santun-test", tmp_path_factory.mktemp("compose"), {}) as compose:
        measured(
            f"built {compose.built:.0f} s, {compose.image_mib():.0f} MiB; up --wait {time.monotonic() - begun - compose.built:.0f} s"
        )
        yield compose


@pytest.fixture(scope="session")
def authority(system: Compose, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file of the proxy's certificate."""
    return system.authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def outside(system: Compose, authority: str) -> Iterator[httpx.Client]:
    """Somebody who reaches the system as the world does: by the proxy, over TLS."""
    with httpx.Client(base_url=system.origin, verify=authority, timeout=30) as client:
        yield client


@pytest.fixture
def token(outside: httpx.Client) -> Callable[[str], str]:
    """Signs a person of the demonstration in at Keycloak."""

    return partial(signed_in, outside)
