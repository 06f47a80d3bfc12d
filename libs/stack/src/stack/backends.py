"""PostgreSQL and Kafka of one test run: started by the first test that needs them, shared by all its workers.

The process that began the run stops them at its end. A run that was killed is swept away by the next one.
"""

import asyncio
import fcntl
import json
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar

import psutil

from stack import databases, processes
from stack.kafka import Kafka
from stack.places import SERVICES, migrations
from stack.postgres import Postgres, forget, forget_strays

T = TypeVar("T")
RUN: Final = "SANTUN_TEST_RUN"
"""The run's folder; set in the environment by the process that begins a run, found there by its workers."""
_RUNS: Final = Path(tempfile.gettempdir()) / f"santun-tests-{os.getuid()}"


def in_thread(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end from synchronous code, whatever loop the caller may have."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def begin() -> Path | None:
    """Begin a run in this process: its new folder, or None when this process is a worker of a run that began elsewhere."""
    if RUN in os.environ and Path(os.environ[RUN]).is_dir():
        return None
    sweep()
    _RUNS.mkdir(mode=0o700, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=_RUNS))
    mine = psutil.Process()
    (folder / "run.json").write_text(json.dumps({"pid": mine.pid, "started": mine.create_time()}))
    os.environ[RUN] = str(folder)
    return folder


def end(folder: Path) -> None:
    """Stop what this run started and forget it."""
    os.environ.pop(RUN, None)
    # Nothing of a test run is kept, so nothing has to be written out in order: SIGQUIT is PostgreSQL's "at once".
    for name, how in (("kafka/kafka.pid.json", signal.SIGKILL), ("postgres/postgres.pid.json", signal.SIGQUIT)):
        if (child := processes.known(folder / name)) is not None:
            processes.stop(child, by=how, within=5)
    for file in folder.glob("*/data/**/*.json"):  # whole systems that tests of faults started
        if (child := processes.known(file)) is not None:
            processes.stop(child, by=signal.SIGKILL, within=5)
    forget(folder / "postgres")
    shutil.rmtree(folder, ignore_errors=True)


def sweep() -> None:
    """End the runs whose process is gone: killed, or a machine that went down."""
    for folder in _RUNS.glob("*-*"):
        try:
            run = json.loads((folder / "run.json").read_text())
            alive = abs(psutil.Process(run["pid"]).create_time() - run["started"]) < 2
        except psutil.NoSuchProcess:
            alive = False
        except (OSError, ValueError, KeyError):
            continue  # just being made
        if not alive:
            before = os.environ.get(RUN)
            end(folder)
            if before:
                os.environ[RUN] = before
    forget_strays(Path(tempfile.gettempdir()))


class Backends:
    """The real parts of this run, each started on first use; whoever measures wants a `durable` PostgreSQL."""

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self.folder = folder
        self.durable = durable
        with self._locked("state"):
            file = folder / "state.json"
            if not file.exists():
                ports = {
                    "postgres": processes.free_port(),
                    "kafka": processes.free_port(),
                    "controller": processes.free_port(),
                }
                words = {
                    "superuser": secrets.token_hex(16),
                    "owner": secrets.token_hex(16),
                    "app": secrets.token_hex(16),
                }
                processes.write_private(file, json.dumps({"ports": ports, "passwords": words}))
            state = json.loads(file.read_text())
        self._ports: dict[str, int] = state["ports"]
        self._passwords: dict[str, str] = state["passwords"]

    @cached_property
    def postgres(self) -> Postgres:
        """The running PostgreSQL, with the two roles of every service."""
        postgres = Postgres(
            self.folder / "postgres", self._ports["postgres"], self._passwords["superuser"], durable=self.durable
        )
        with self._locked("postgres"):
            if not postgres.alive:
                postgres.start()
                words = (self._passwords["owner"], self._passwords["app"])
                in_thread(databases.make_roles(postgres, dict.fromkeys(SERVICES, words)))
        return postgres

    @property
    def bootstrap(self) -> str:
        """The address Kafka has or will have; `kafka` starts it."""
        return f"127.0.0.1:{self._ports['kafka']}"

    @cached_property
    def kafka(self) -> Kafka:
        """The running Kafka."""
        kafka = Kafka(self.folder / "kafka", self._ports["kafka"], self._ports["controller"], heap_mb=256)
        with self._locked("kafka"):
            if not kafka.alive:
                kafka.start()
        return kafka

    def owner_url(self, database: str, service: str) -> str:
        """Connection URL of the service's owner role."""
        return self.postgres.url(database, databases.owner(service), self._passwords["owner"])

    def app_url(self, database: str, service: str) -> str:
        """Connection URL of the service's application role."""
        return self.postgres.url(database, databases.app(service), self._passwords["app"])

    def migrated_template(self, service: str, folder: Path | None = None) -> str:
        """The name of a database with the service's newest shape, made once a run; copy it, do not use it."""
        folder = folder or migrations(service)
        name = f"template_{service}_{databases.shape(folder)}"
        done = self.folder / f"{name}.done"
        with self._locked(name):
            if not done.exists():
                in_thread(self._make_template(name, service, folder))
                done.touch()
        return name

    async def _make_template(self, name: str, service: str, folder: Path) -> None:
        words = (self._passwords["owner"], self._passwords["app"])
        await databases.make_roles(self.postgres, {service: words})
        await databases.drop_database(self.postgres, name)
        await databases.make_database(self.postgres, name, service)
        await databases.migrate(folder, self.owner_url(name, service))

    def create_database(self, service: str, *, migrated: bool = True, folder: Path | None = None) -> str:
        """A new database of the service's own, migrated or empty; its name. Drop it with `drop_database`."""
        template = self.migrated_template(service, folder) if migrated else None
        name = f"t_{service}_{secrets.token_hex(5)}"
        in_thread(databases.make_database(self.postgres, name, service, template))
        return name

    def drop_database(self, name: str) -> None:
        """Forget a database of a test."""
        in_thread(databases.drop_database(self.postgres, name))

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        with (self.folder / f"{name}.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
