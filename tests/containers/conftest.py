"""One system in containers for all tests here; they need a container engine and are run by `make test-containers`."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from containers.compose import Compose, free_port, signed_in


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    """The demonstration, started as a newcomer starts it, with its story told; gone afterwards."""
    https, http = free_port(), free_port()
    given = {
        "SANTUN_HTTPS_PORT": str(https), "SANTUN_HTTP_PORT": str(http), "SANTUN_ORIGIN": f"https://localhost:{https}",
    }  # fmt: skip
    compose = Compose("santun-test", given, tmp_path_factory.mktemp("compose"))
    compose("down", "--volumes", "--remove-orphans")
    try:
        compose("up", "--build", "--wait", "--quiet-pull")
        yield compose
    finally:
        compose("down", "--volumes", "--remove-orphans")


@pytest.fixture(scope="session")
def authority(system: Compose, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The proxy's certificate, which stands for itself."""
    file = tmp_path_factory.mktemp("tls") / "tls.crt"
    file.write_text(system.secret("source/tls.crt") + "\n")
    return file


@pytest.fixture
def outside(system: Compose, authority: Path) -> Iterator[httpx.Client]:
    """Somebody who reaches the system as the world does: by the proxy, over TLS."""
    with httpx.Client(base_url=system.origin, verify=str(authority), timeout=30) as client:
        yield client


@pytest.fixture
def token(outside: httpx.Client) -> Callable[[str], str]:
    """Signs a person of the demonstration in at Keycloak."""

    return partial(signed_in, outside)
