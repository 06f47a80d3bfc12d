"""What a stack has behind it: its log files, the story that was told, its books, and their end."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from shutil import rmtree

from stack import delivered, places, processes
from stack.postgres import forget as forget_postgres
from stack.system import System
from stack.trouble import Say, Trouble


def tell_once(system: System, say: Say) -> None:
    """Run the story through the APIs unless it was told to the end before; a story cut off goes on where it stopped.

    `stack.story.run(system, say)` is safe to repeat: every step carries its own idempotency key.
    """
    done = system.data / "story.done"
    if done.exists() or find_spec("stack.story") is None:
        return
    say("Telling the story of the demonstration through the APIs")
    import_module("stack.story").run(system, say)
    done.touch()


def files(system: System, part: str = "") -> list[Path]:
    """The log files of one part (`registry`, `kafka`, ...) or of all."""
    found = {p.name.replace(" ", "-").lower(): p.log for p in system.parts} | {"up": system.logs / "up.log"}
    if part and part.lower() not in found:
        raise Trouble(f"Nothing here is called {part!r}.", f"There are: {', '.join(found)}")
    return [found[part.lower()]] if part else list(found.values())


def lines(system: System, part: str = "", *, trace: str = "", count: int = 50, follow: bool = False) -> Iterator[str]:
    """The last `count` lines of the logs (all that carry a trace id when one is given), then new ones while following."""
    opened = [(path, path.open(errors="replace")) for path in files(system, part) if path.exists()]
    several = len(opened) > 1
    past: list[tuple[str, str]] = []
    for path, file in opened:
        kept = [line for line in file if trace in line]
        past += [
            (time_of(line), shown(path.stem, line, several=several)) for line in (kept if trace else kept[-count:])
        ]
    yield from (text for _, text in sorted(past, key=lambda entry: entry[0]))
    while follow:
        new = [shown(path.stem, line, several=several) for path, file in opened for line in file if trace in line]
        yield from new
        if not new:
            time.sleep(0.3)


def _parsed(line: str) -> dict[str, object]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def time_of(line: str) -> str:
    """When a line was written, as it says itself."""
    return str(_parsed(line).get("time", line[:23]))


def shown(name: str, line: str, *, several: bool) -> str:
    """A line of a part for people: JSON lines as time, level, event and the rest as name=value."""
    found = _parsed(line)
    where = f"{name:<14} " if several else ""
    if not found:
        return where + line.rstrip("\n")
    head = [str(found.pop(name, "")) for name in ("time", "level", "event")]
    rest = " ".join(f"{name}={value}" for name, value in found.items() if value not in {"", None})
    return f"{where}{' '.join(head)} {rest}".rstrip()


def verify(system: System) -> bool:
    """Check the invariants of every service; prints them as they come; True when all hold."""
    codes = [service_command(system, service, ["verify"]) for service in system.members]
    urls = {service: system.environment(service)[f"{service.upper()}_DATABASE_URL"] for service in system.members}
    late = asyncio.run(delivered.missing(urls))
    sys.stdout.write(f"{'VIOLATED' if late else 'ok      '}  between services  I3 everything announced has arrived\n")
    sys.stdout.writelines(f"          {line}\n" for line in late)
    return not any(codes) and not late


def service_command(system: System, service: str, arguments: Sequence[str]) -> int:
    """Run a service's own command (`parked list`, `replay`, `check-config`) with this stack's settings; its exit code."""
    if service not in system.members:
        raise Trouble(f"There is no service {service!r}.", f"There are: {', '.join(system.members)}")
    environment = system.environment(service) | {"SANTUN_LOG_LEVEL": "warning"}
    return subprocess.run(
        [sys.executable, "-m", service, *arguments], env=environment, cwd=places.ROOT, check=False
    ).returncode


def forget(system: System) -> None:
    """Delete the data of a stopped stack. Raises Trouble when the folder is none of ours or something still runs."""
    if not system.data.exists():
        return
    if not (system.data / "secrets.json").exists():
        raise Trouble(f"{system.data} does not look like a data folder of Santun; nothing was deleted.")
    if any(part.alive for part in system.parts):
        raise Trouble("Something still runs; nothing was deleted.", "See: make status")
    forget_postgres(system.data / "postgres")
    rmtree(system.data)


def errors_since(path: Path, seconds: float) -> int:
    """How many error lines a JSON log gained in the last `seconds`."""
    if not path.exists() or time.time() - path.stat().st_mtime > seconds:
        return 0
    tail = processes.last_lines(path, 200).splitlines()
    limit = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - seconds))
    return sum(1 for line in tail if is_error(line.strip()) and time_of(line.strip()) >= limit)


def is_error(line: str) -> bool:
    """Whether a JSON log line reports an error."""
    return _parsed(line).get("level") in {"error", "critical"}
