"""`santun up` and `santun down`: one process holds the stack, starts again what dies, and stops all of it in order."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

import psutil

from stack import jars, processes
from stack.screen import Progress
from stack.system import Part, System
from stack.trouble import Say, Trouble

NEEDED_MB: Final = 1_024
_CALM: Final = 60.0
_TRIES: Final = 5


def _holder_file(system: System) -> Path:
    return system.data / "run" / "up.json"


@contextmanager
def _held(system: System) -> Iterator[None]:
    """Hold the data folder against a second `up`; the system lets go when this process dies, however it dies."""
    system.data.mkdir(parents=True, exist_ok=True)
    with (system.data / "up.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Trouble(
                "Santun is already running from this folder.", "See: make status. Stop it with: make down"
            ) from None
        mine = psutil.Process()
        me = processes.Child("santun up", mine.pid, mine.create_time(), _holder_file(system))
        processes.remember(me)
        try:
            yield
        finally:
            me.file.unlink(missing_ok=True)
            _ready_file(system).unlink(missing_ok=True)


def _ready_file(system: System) -> Path:
    return system.data / "run" / "ready"


def held(system: System) -> bool:
    """Whether a `santun up` holds this folder now."""
    try:
        with (system.data / "up.lock").open("r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def check_room(data: Path) -> None:
    """Raise Trouble when the disk is too full to start."""
    free = psutil.disk_usage(str(data.parent)).free >> 20
    needed = NEEDED_MB if jars.complete() else NEEDED_MB + 100
    if free < needed:
        raise Trouble(
            f"The disk of {data} has {free} MB left; Santun needs about {needed} MB to start.",
            "Make some room, then run the same command again.",
        )


class Supervisor:
    """Holds one system from start to end, and starts again what dies meanwhile."""

    def __init__(self, system: System, say: Say) -> None:
        self.system = system
        self.say = say
        self._deaths: dict[str, list[float]] = {}
        self._over = threading.Event()
        self._trouble: Trouble | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Start everything; stop everything at the end of the block, also after Ctrl-C or a failed start."""
        watcher = threading.Thread(target=self._watch, name="watcher", daemon=True)
        with _held(self.system), _stoppable():
            check_room(self.system.data)
            try:
                self.system.start(self.say)
                watcher.start()
                yield
            finally:
                with _undisturbed():
                    self._over.set()
                    self.say("Stopping")
                    self.system.stop(self.say)

    def ready(self) -> None:
        """Tell other processes that everything, story included, is there."""
        _ready_file(self.system).touch()

    def stay(self) -> None:
        """Stay until Ctrl-C. Raises Trouble when a part dies again and again."""
        while self._trouble is None:
            time.sleep(0.2)
        raise self._trouble

    def _watch(self) -> None:
        """Start again what died, until the end; in a thread of its own, so that the story runs over deaths, too."""
        while not self._over.wait(0.5):
            for part in self.system.parts:
                if not part.alive and not self._over.is_set():
                    try:
                        self._revive(part)
                    except Trouble as trouble:
                        self._trouble = trouble
                        return

    def _revive(self, part: Part) -> None:
        deaths = [at for at in self._deaths.get(part.name, []) if time.monotonic() - at < _CALM]
        self._deaths[part.name] = [*deaths, time.monotonic()]
        if len(deaths) >= _TRIES:
            raise Trouble(
                f"{part.name} ended {len(deaths) + 1} times within a minute. Its last words:\n{processes.last_lines(part.log)}",
                f"See {part.log}, or run: .venv/bin/santun doctor",
            )
        self.say(f"{part.name} ended without being asked to; starting it again")
        try:
            seconds = part.start()
        except Trouble as trouble:
            if not self._over.is_set():
                self.say(str(trouble))
        else:
            self.say(f"{part.name} is ready again ({seconds:.1f} s)")


def start_apart(system: System, *words: str, within: float = 600.0) -> None:
    """Start `santun up` with these options as a process of its own and wait until it is ready. Raises Trouble with its words."""
    if held(system):
        raise Trouble("Santun is already running from this folder.", "See: make status")
    log = system.logs / "up.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    environment = os.environ | {"SANTUN_DATA": str(system.data), "SANTUN_PORT_BASE": str(system.ports.base)}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "stack", "up", *words],
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, env=environment,
        )  # fmt: skip
    deadline = time.monotonic() + within
    while not (_ready_file(system).exists() and held(system)):
        if process.poll() is not None:
            raise Trouble(f"Santun did not start:\n{processes.last_lines(log, 30)}", f"See {log}.")
        if time.monotonic() > deadline:
            raise Trouble(f"Santun was not ready after {within:.0f} s:\n{processes.last_lines(log, 30)}", f"See {log}.")
        time.sleep(0.2)
    process.returncode = 0  # it outlives this object on purpose


def down(system: System, say: Progress) -> None:
    """Stop a running stack from another shell, or what a killed one left."""
    holder = processes.known(_holder_file(system))
    if held(system) and holder is not None and (process := holder.process()) is not None:
        say("Stopping")
        process.terminate()
        deadline = time.monotonic() + 90
        while held(system) and time.monotonic() < deadline:
            time.sleep(0.1)
        if held(system):
            raise Trouble(f"Process {holder.pid} does not stop.", f"Look at it: ps -fp {holder.pid}")
    if any(part.alive for part in system.parts):
        system.stop(say)
    say(f"Santun is stopped; its data stay in {system.data}")


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let SIGTERM and SIGHUP act like Ctrl-C."""

    def interrupt(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let nobody interrupt the orderly stop."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
