"""The system in containers as the tests hold it: a project of its own on ports of its own, with the demonstration's settings."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from stack.identities import directory
from stack.places import ROOT, SERVICES
from stack.processes import free_port

FILE = ROOT / "deploy" / "docker-compose.yml"
LONG = 900.0


def signed_in(client: httpx.Client, person: str) -> str:
    """An access token of a person of the demonstration, from Keycloak through the proxy."""
    people = directory()
    form = {"grant_type": "password", "client_id": people.console, "username": person, "password": people.password}
    return _token(client, form, None)


def machine(client: httpx.Client, name: str, secret: str) -> str:
    """An access token of a machine."""
    return _token(client, {"grant_type": "client_credentials"}, (name, secret))


def _token(client: httpx.Client, form: dict[str, str], auth: tuple[str, str] | None) -> str:
    while True:
        answer = client.post("/auth/realms/santun/protocol/openid-connect/token", data=form, auth=auth)
        if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
            break
        time.sleep(float(answer.headers["retry-after"]))  # the door lets ten a second in
    assert answer.status_code == httpx.codes.OK, answer.text
    return str(answer.json()["access_token"])


def officer(client: httpx.Client, person: str) -> Callable[[], dict[str, str]]:
    """The header of a person who signs in once."""
    token = signed_in(client, person)
    return lambda: {"Authorization": f"Bearer {token}"}


@contextmanager
def meanwhile(step: Callable[[], object], pause: float = 0.0) -> Iterator[None]:
    """Do a step again and again beside the block, with a pause before each; the last one ends before the block is left."""
    stop = threading.Event()

    def again() -> None:
        while not stop.wait(pause):
            step()

    worker = threading.Thread(target=again)
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join()


@dataclass
class Compose:
    """One project of `docker compose`; `given` are lines of its .env in place of the example's, None leaves one out."""

    project: str
    given: Mapping[str, str | None]
    folder: Path
    files: Sequence[Path] = (FILE,)
    built: float = 0.0
    """Seconds that building the images took (layers that are there are taken)."""

    def __post_init__(self) -> None:
        example = (ROOT / "deploy" / ".env.example").read_text()
        settings = dict(line.split("=", 1) for line in example.splitlines() if "=" in line and not line.startswith("#"))
        self.settings = {name: value for name, value in (settings | dict(self.given)).items() if value is not None}
        self.env = self.folder / f"{self.project}.env"
        self.env.write_text("".join(f"{name}={value}\n" for name, value in self.settings.items()))

    @property
    def origin(self) -> str:
        """The address of the proxy."""
        return self.settings["SANTUN_ORIGIN"]

    def __call__(self, *words: str, check: bool = True, text: str | None = None, within: float = LONG) -> str:
        """What `docker compose` says, its progress too. Raises AssertionError with its words when it fails."""
        done = self._run(words, check=check, text=text, within=within)
        return done.stdout + done.stderr

    def _run(
        self, words: Sequence[str], *, check: bool = True, text: str | None = None, within: float = LONG
    ) -> subprocess.CompletedProcess[str]:
        files = [part for file in self.files for part in ("-f", str(file))]
        done = subprocess.run(
            ["docker", "compose", "-p", self.project, *files, "--env-file", str(self.env), *words],
            check=False, capture_output=True, text=True, input=text, timeout=within,
            env={name: value for name, value in os.environ.items() if not name.startswith(("SANTUN_", "COMPOSE_"))},
        )  # fmt: skip
        assert not check or done.returncode == 0, (
            f"compose {' '.join(words)}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        )
        return done

    def listed(self, *words: str) -> list[dict[str, Any]]:
        """Every running container, each copy of a doubled service too; with `--all` ended ones as well."""
        return [json.loads(line) for line in self("ps", *words, "--format", "json").splitlines()]

    def containers(self) -> dict[str, dict[str, Any]]:
        """Every container of the project by the name of its service, ended ones too."""
        return {one["Service"]: one for one in self.listed("--all")}

    def script(self, name: str, *words: str, text: str = "") -> str:
        """What one of the scripts of `deploy/` says of this project. Raises AssertionError with its words when it fails."""
        done = subprocess.run(
            [ROOT / "deploy" / name, *words], check=False, capture_output=True, text=True, input=text,
            env={**os.environ, "COMPOSE_PROJECT_NAME": self.project, "COMPOSE_ENV_FILES": str(self.env)},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    def lose(self, *volumes: str) -> None:
        """Destroy volumes that no container uses."""
        names = [f"{self.project}_{volume}" for volume in volumes]
        subprocess.run(["docker", "volume", "rm", *names], check=True, capture_output=True)

    def authority(self, folder: Path) -> str:
        """A file with the proxy's certificate, which stands for itself."""
        file = folder / "tls.crt"
        file.write_text(self.secret("source/tls.crt") + "\n")
        return str(file)

    def image_mib(self) -> float:
        """The size of the services' image."""
        words = ["docker", "image", "inspect", "-f", "{{.Size}}", self.settings.get("SANTUN_IMAGE", "santun:0.1.0")]
        return int(subprocess.run(words, check=True, capture_output=True, text=True).stdout) / (1 << 20)

    def inspect(self, service: str) -> dict[str, Any]:
        """All that the engine knows of a container."""
        id = self.containers()[service]["ID"]
        found = subprocess.run(["docker", "inspect", id], check=True, capture_output=True, text=True).stdout
        first: dict[str, Any] = json.loads(found)[0]
        return first

    def secret(self, name: str) -> str:
        """One of the secrets, as an administrator reads it."""
        code = f"print(open('/secrets/{name}').read())"
        words = ("run", "--rm", "--no-deps", "-T", "--entrypoint", "python", "prepare", "-c", code)
        return self._run(words).stdout.strip()

    def sql(self, database: str, query: str) -> list[list[str]]:
        """Rows of a query, asked by the database's administrator."""
        words = ("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-F", "\t", "-h", "/var/run/postgresql", "-d", database)
        said = self("exec", "-T", "postgres", *words, text=query)  # an argument holds no ten thousand ids
        return [line.split("\t") for line in said.splitlines() if line]

    def verify(self) -> None:
        """Every invariant of every service holds."""
        for service in SERVICES:
            said = self("exec", "-T", service, "python", "-m", service, "verify")
            assert "VIOLATED" not in said, said


def state(id: str) -> dict[str, Any]:
    """What the engine knows of the process of a container and of its health."""
    words = ["docker", "inspect", "-f", "{{json .State}}", id]
    found: dict[str, Any] = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    return found


def healthy_again(id: str, before: int) -> bool:
    """Another process than before runs there and is healthy; until it starts, the engine calls the container unhealthy."""
    found = state(id)
    return found["Pid"] not in {0, before} and found["Health"]["Status"] == "healthy"


@contextmanager
def started(
    project: str,
    folder: Path,
    given: Mapping[str, str | None],
    files: Sequence[Path] = (FILE,),
    before: Callable[[Compose], object] = lambda _: None,
) -> Iterator[Compose]:
    """A project on free ports, started as a newcomer starts it and gone afterwards; `before` is done before the start."""
    https, http = free_port(), free_port()
    ports = {
        "SANTUN_HTTPS_PORT": str(https),
        "SANTUN_HTTP_PORT": str(http),
        "SANTUN_ORIGIN": f"https://localhost:{https}",
    }
    compose = Compose(project, ports | dict(given), folder, files)
    compose("down", "--volumes", "--remove-orphans")
    try:
        begun = time.monotonic()
        compose("build")
        compose.built = time.monotonic() - begun
        before(compose)
        compose("up", "--wait")
        yield compose
    finally:
        compose("down", "--volumes", "--remove-orphans")
