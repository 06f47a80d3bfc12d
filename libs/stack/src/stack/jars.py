"""The jars of Apache Kafka: a lock of coordinates and SHA-256 digests, and a cache of the user that always matches it.

Only `kafka` comes in. `python -m stack.jars` writes the lock anew when the version below is raised.
"""

import hashlib
import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stack.trouble import Trouble

KAFKA: Final = "4.3.1"
LOCK: Final = Path(__file__).with_name("kafka.lock")
_BINDING: Final = "org.apache.logging.log4j:log4j-slf4j-impl"  # without it a broker cannot say why it does not start


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of the lock: `group:artifact:version sha256`."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def name(self) -> str:
        """The file name in the cache."""
        return f"{self.artifact}-{self.version}.jar"


def locked() -> list[Jar]:
    """The jars of the lock, in its order."""
    lines = (
        line.replace(" ", ":").split(":") for line in LOCK.read_text().splitlines() if line and not line.startswith("#")
    )
    return [Jar(group, artifact, version, digest) for group, artifact, version, digest in lines]


def cache() -> Path:
    """The folder of the user's cache that holds the jars of this version."""
    base = os.environ.get("SANTUN_CACHE") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "santun" / f"kafka-{KAFKA}"


def classpath() -> str:
    """The class path of the broker: every jar of the lock, checked against its digest, fetched where it is missing.

    Raises Trouble when a jar cannot be had or is not the one that was locked.
    """
    jars, folder = locked(), cache()
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(4) as pool:
        missing = [
            jar
            for jar, good in zip(jars, pool.map(lambda jar: _is(folder / jar.name, jar), jars), strict=True)
            if not good
        ]
        list(pool.map(lambda jar: _fetch(jar, folder), missing))
    return os.pathsep.join(str(folder / jar.name) for jar in jars)


def complete() -> bool:
    """Whether every jar is there already (by name; `classpath` checks the digests)."""
    return all((cache() / jar.name).exists() for jar in locked())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is(path: Path, jar: Jar) -> bool:
    return path.exists() and _digest(path) == jar.sha256


def _fetch(jar: Jar, folder: Path) -> None:
    """Fetch one jar beside the cache and move it in only when its digest is right."""
    staging = Path(tempfile.mkdtemp(prefix="fetch-", dir=folder))
    try:
        found = _download(jar, staging)
        if _digest(found) != jar.sha256:
            raise Trouble(
                f"The jar {jar.group}:{jar.artifact}:{jar.version} is not the one that was locked (SHA-256 differs).",
                "Do not go on; ask who runs the Maven repository this machine uses.",
            )
        found.replace(folder / jar.name)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _download(jar: Jar, staging: Path) -> Path:
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext

    settings = GlobalSettings.load()
    own = Path(settings.repo_cache) / jar.group.replace(".", "/") / jar.artifact / jar.version / jar.name
    if _is(own, jar):  # a Maven user has it already
        return Path(shutil.copy(own, staging / jar.name))
    context = MavenContext(repo_cache=staging, timeout=60)
    context.remote_repos = {**settings.repositories, **context.remote_repos}  # an office's own mirror first
    problem: Exception | None = None
    for _ in range(3):
        try:
            return Path(context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve())
        except (OSError, RuntimeError, AssertionError) as error:
            problem = error
            shutil.rmtree(staging, ignore_errors=True)
            staging.mkdir()
    raise Trouble(
        f"A part of Apache Kafka could not be fetched: {jar.group}:{jar.artifact}:{jar.version} ({problem}).",
        "Check the network (Santun needs a Maven repository once, at the first start), then run: make up",
    )


def write_lock() -> None:
    """Resolve Kafka's runtime jars afresh and write the lock."""
    import jgo

    found = jgo.resolve(f"org.apache.kafka:kafka_2.13:{KAFKA}")
    log4j = next(jar.version for jar in found if jar.artifactId == "log4j-core")
    binding = [jar for jar in jgo.resolve(f"{_BINDING}:{log4j}") if jar.artifactId == _BINDING.partition(":")[2]]
    lines = sorted(
        f"{jar.groupId}:{jar.artifactId}:{jar.version} {_digest(Path(jar.resolve()))}" for jar in (*found, *binding)
    )
    LOCK.write_text(
        f"# Apache Kafka {KAFKA} and what it runs with. Made by: python -m stack.jars\n" + "\n".join(lines) + "\n"
    )


if __name__ == "__main__":
    write_lock()
