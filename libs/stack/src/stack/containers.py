"""The system in containers, as who runs it on a server reaches it: `docker compose` with the files of `deploy/`.

Which project and which files is compose's own business: COMPOSE_PROJECT_NAME, COMPOSE_FILE, COMPOSE_ENV_FILES.
"""

import json
import subprocess
from collections.abc import Iterator
from shutil import which
from typing import Any, Final

from stack import journal, watched
from stack.findings import Finding, fine
from stack.places import ROOT, SERVICES
from stack.trouble import Trouble

_FOLDER: Final = ROOT / "deploy"
_ASK: Final = (
    "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8000/metrics', timeout=10).read().decode())"
)
_JOBS: Final = ("prepare", "databases", "topics", "story", *(f"migrate-{service}" for service in SERVICES))
_RECENT: Final = "5m"


def compose(*words: str) -> subprocess.CompletedProcess[str]:
    """What `docker compose` answers. Raises Trouble when there is none."""
    if which("docker") is None:
        raise Trouble("There is no docker on this machine.", "Run it where the containers run.")
    return subprocess.run(
        ["docker", "compose", *words], cwd=_FOLDER, check=False, capture_output=True, text=True, errors="replace"
    )


def _listed() -> list[dict[str, Any]]:
    """Every container of the project. Raises Trouble when compose does not answer."""
    said = compose("ps", "--all", "--format", "json")
    if said.returncode != 0:
        raise Trouble(f"docker compose does not answer: {said.stderr.strip()[:300]}", "See: deploy/README.md")
    return [json.loads(line) for line in said.stdout.splitlines() if line.startswith("{")]


def examine() -> list[Finding]:
    """Look at every container and at what the services say of themselves."""
    found = _listed()
    if not found:
        return [Finding("Santun does not run in containers", "Start it: cd deploy; docker compose up --wait")]
    return [finding for one in found for finding in (_job(one) if one["Service"] in _JOBS else _process(one))]


def _job(one: dict[str, Any]) -> Iterator[Finding]:
    name = one["Service"]
    if one["State"] == "exited" and one["ExitCode"]:
        words = compose("logs", "--no-log-prefix", "--tail", "30", name).stdout.strip()
        yield Finding(f"{name}: ended with {one['ExitCode']}\n{words}", "Mend it, then: docker compose up --wait")
    else:
        yield fine(f"{name}: {'ended well' if one['State'] == 'exited' else one['State']}")


def _process(one: dict[str, Any]) -> Iterator[Finding]:
    name, look = one["Name"], f"See: docker compose logs --tail 50 {one['Service']}"
    health = one.get("Health") or "running"
    if one["State"] != "running":
        yield Finding(f"{name}: {one['Status']}", look)
        return
    yield fine(f"{name}: {health}") if health in {"running", "healthy"} else Finding(f"{name}: {health}", look)
    if one["Service"].partition("-")[0] not in SERVICES:
        return
    recent = compose("logs", "--no-log-prefix", "--since", _RECENT, one["Service"]).stdout.splitlines()
    if errors := sum(journal.is_error(line) for line in recent):
        yield Finding(f"{name}: {errors} errors in its log within five minutes", look)
    said = compose("exec", "-T", one["Service"], "python", "-c", _ASK)
    if said.returncode:
        yield Finding(f"{name}: does not say how it is", look)
    else:
        yield from watched.late(name, said.stdout)


def lines(part: str = "", *, trace: str = "", count: int = 50, follow: bool = False) -> Iterator[str]:
    """Log lines as `journal.lines` gives them: the last `count`, or all that carry a trace id, in the order of their time."""
    names = [one["Service"] for one in _listed() if not part or one["Service"] == part]
    if not names:
        raise Trouble(f"No container is called {part!r}." if part else "Nothing runs.", "See: docker compose ps --all")
    past: list[tuple[str, str]] = []
    for name in sorted(set(names)):
        tail = ("--tail", "all" if trace else str(count))
        kept = [line for line in compose("logs", "--no-log-prefix", *tail, name).stdout.splitlines() if trace in line]
        past += [(journal.time_of(line), journal.shown(name, line, several=not part)) for line in kept]
    yield from (text for _, text in sorted(past, key=lambda entry: entry[0]))
    if follow:
        yield from _new(part, trace)


def _new(part: str, trace: str) -> Iterator[str]:
    """Lines as they come, until the caller has enough."""
    words = ["docker", "compose", "logs", "--follow", "--tail", "0", *([part] if part else ())]
    with subprocess.Popen(words, cwd=_FOLDER, stdout=subprocess.PIPE, text=True, errors="replace") as process:
        try:
            for line in process.stdout or ():
                name, _, text = line.rstrip("\n").partition(" | ")
                if trace in text:
                    yield journal.shown(name.strip(), text, several=not part)
        finally:
            process.terminate()
