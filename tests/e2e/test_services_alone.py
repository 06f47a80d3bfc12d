"""Each service is whole without its neighbours and without a broker: it migrates, starts, shows itself and stops."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from kit.testing import eventually
from private_stack import existing
from stack import processes
from stack.backends import Backends
from stack.places import ROOT

DRAIN_SECONDS = 10


# One of them in `make test`: what differs between services is what they import, and the walls look at that.
SERVICES = [name if name == "disbursement" else pytest.param(name, marks=pytest.mark.long) for name in existing()]


@pytest.fixture(params=SERVICES)
def alone(request: pytest.FixtureRequest, parts: Backends, tmp_path: Path) -> Iterator[tuple[str, str, dict[str, str]]]:
    """A service's name, its address, and the variables it is started with: its database and nothing else that answers."""
    service = request.param
    database = parts.create_database(service, migrated=False)
    port, nobody = processes.free_port(), processes.free_port()
    own = {
        "PORT": str(port),
        "DATABASE_URL": parts.app_url(database, service),
        "DATABASE_OWNER_URL": parts.owner_url(database, service),
    }
    environment = {
        "PATH": os.environ["PATH"],
        "SANTUN_PROFILE": "development",
        "SANTUN_KAFKA_BOOTSTRAP": f"127.0.0.1:{nobody}",
        "SANTUN_ISSUER": f"http://127.0.0.1:{nobody}",
        "SANTUN_JWKS_URL": f"http://127.0.0.1:{nobody}/jwks",
        "SANTUN_TOKEN_URL": f"http://127.0.0.1:{nobody}/token",
        "SANTUN_CONTRACTS_DIR": str(ROOT / "contracts"),
        "REGISTRY_IMPORTS_DIR": str(tmp_path / "imports"),
        **{f"{service.upper()}_{name}": value for name, value in own.items()},
    }
    yield service, f"http://127.0.0.1:{port}", environment
    parts.drop_database(database)


async def test_a_service_alone_migrates_starts_shows_itself_and_stops(
    alone: tuple[str, str, dict[str, str]], tmp_path: Path
):
    service, url, environment = alone
    for _ in range(2):  # the second finds nothing to do
        done = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-m", service, "migrate"],
            env=environment, cwd=tmp_path, check=False, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    with (tmp_path / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", service, "all", env=environment, cwd=tmp_path, stdout=log, stderr=log
        )
    try:
        async with httpx.AsyncClient(base_url=url, timeout=10) as client:
            await eventually(lambda: _lives(client), within=60)
            assert (await client.get("/version")).json()["service"] == service
            await _shows_its_interface(client)
            ready = await client.get("/health/ready")
            assert ready.json()["parts"]["database"] == {"ok": True}
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(DRAIN_SECONDS + 5):
            code = await process.wait()
        assert code == 0, (tmp_path / "log").read_text()[-3000:]
        assert time.monotonic() - began < DRAIN_SECONDS + 5
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert "Traceback" not in (tmp_path / "log").read_text()


async def _lives(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health/live")).json() == {"status": "ok"}
    except httpx.TransportError:
        return False


async def _shows_its_interface(client: httpx.AsyncClient) -> None:
    """`/openapi.json` has paths; `/docs` and all it loads come from the service itself."""
    document = (await client.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert any(path.startswith("/v1/") for path in document["paths"])
    page = await client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert not re.search(r"https?:|[\"']//", page.text)
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "http" not in page.headers["content-security-policy"]
    loaded = re.findall(r"(?:src|href)=[\"']([^\"']+)", page.text)
    assert {Path(name).suffix for name in loaded} >= {".js", ".css"}
    for name in loaded:
        if name.startswith("data:"):
            continue
        asset = await client.get(httpx.URL(str(client.base_url)).join("/docs").join(name))
        assert asset.status_code == httpx.codes.OK, name
    for script in ("init.js", "swagger-ui.css"):
        assert not re.search(r"https?://(?!www\.w3\.org)", (await client.get(f"/docs/{script}")).text), script
