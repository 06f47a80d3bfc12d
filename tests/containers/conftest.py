"""One system in containers for all tests here; they need a container engine and are run by `make test-containers`."""

from collections.abc import Callable, Iterator
from functools import partial

import httpx
import pytest
from containers.compose import Compose, signed_in, started


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    """The demonstration, started as a newcomer starts it, with its story told; gone afterwards."""
    with started("santun-test", tmp_path_factory.mktemp("compose"), {}) as compose:
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
