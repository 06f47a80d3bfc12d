"""Processes of this machine: start one, wait until it answers, stop it in order, know it again after a crash.

A process is known by its id *and* its start time, so that a stale file of a killed run never points at a stranger.
"""

import json
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from stack.trouble import Trouble

_SAME_START_SECONDS = 2.0
_LAST_LINES = 12
_given: set[int] = set()
_PORT_PATIENCE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Child:
    """A process the stack started: found again by its file after the starter itself was killed."""

    name: str
    pid: int
    started: float
    file: Path

    def process(self) -> psutil.Process | None:
        """The living process, or None when it ended, is a zombie, or its id now belongs to somebody else."""
        try:
            process = psutil.Process(self.pid)
            alive = process.status() != psutil.STATUS_ZOMBIE
            if not alive:
                _reap(self.pid)  # PostgreSQL takes an unreaped server for a living one
            same = abs(process.create_time() - self.started) < _SAME_START_SECONDS
        except psutil.Error:
            return None
        return process if alive and same else None

    @property
    def alive(self) -> bool:
        """Whether the very process that was started still runs."""
        return self.process() is not None


def start(
    name: str,
    argv: Sequence[str | Path],
    *,
    file: Path,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user: tuple[int, int] | None = None,
) -> Child:
    """Start a process of its own session, its output appended to `log`, its identity written to `file`.

    `user` is (uid, gid) to run as. A terminal's Ctrl-C does not reach the child: the starter stops it in order.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(part) for part in argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None,
            cwd=cwd,
            start_new_session=True,
            user=user[0] if user else None,
            group=user[1] if user else None,
            extra_groups=[] if user else None,
        )
    # The child outlives this object on purpose; without this Python warns about it when the object is collected.
    process.returncode = 0
    return adopt(name, process.pid, file)


def adopt(name: str, pid: int, file: Path) -> Child:
    """The process that was just born with this id, remembered in `file`."""
    try:
        started = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        started = time.time()
    child = Child(name, pid, started, file)
    remember(child)
    return child


def remember(child: Child) -> None:
    """Write the child's identity to its file."""
    write_private(child.file, json.dumps({"name": child.name, "pid": child.pid, "started": child.started}))


def known(file: Path) -> Child | None:
    """The child that `file` speaks of, living or not; None without a readable file."""
    try:
        found = json.loads(file.read_text())
        return Child(found["name"], int(found["pid"]), float(found["started"]), file)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def wait_ready(child: Child, ready: Callable[[], bool], *, within: float, log: Path) -> float:
    """Wait until `ready()`; answers the seconds it took.

    Raises Trouble with the last lines of the log when the process ends before, or is not ready `within` seconds.
    """
    began = time.monotonic()
    while not ready():
        waited = time.monotonic() - began
        if not child.alive:
            raise Trouble(f"{child.name} ended while starting. Its last words:\n{last_lines(log)}", f"See {log}.")
        if waited > within:
            raise Trouble(f"{child.name} was not ready after {waited:.0f} s:\n{last_lines(log)}", f"See {log}.")
        time.sleep(0.05)
    return time.monotonic() - began


def stop(child: Child, *, by: signal.Signals = signal.SIGTERM, within: float = 20.0) -> bool:
    """Ask the process to end with the signal `by`; kill it when it is still there after `within` seconds.

    True when it ended by itself. Its file is removed in any case.
    """
    process = child.process()
    orderly = True
    if process is not None:
        try:
            process.send_signal(by)
            _wait_gone(child, within)
            if child.alive:
                orderly = False
                process.kill()
                _wait_gone(child, 5.0)
        except psutil.NoSuchProcess:
            pass
    _reap(child.pid)
    child.file.unlink(missing_ok=True)
    return orderly


def _wait_gone(child: Child, within: float) -> None:
    deadline = time.monotonic() + within
    while child.alive and time.monotonic() < deadline:
        time.sleep(0.05)


def until(condition: Callable[[], bool], *, within: float = 120.0) -> None:
    """Wait until what another process does has happened. Raises TimeoutError when it has not `within` seconds."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() >= deadline:
            raise TimeoutError(f"not so within {within} s")
        time.sleep(0.1)


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except (ChildProcessError, OSError):
        return


def last_lines(log: Path, count: int = _LAST_LINES) -> str:
    """The last lines of a log file, indented; a sentence when there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            lines = file.read().decode(errors="replace").splitlines()[-count:]
    except OSError:
        lines = []
    return "\n".join(f"    {line}" for line in lines) or "    (it said nothing)"


def write_private(file: Path, text: str) -> None:
    """Write a file only its owner can read, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.{os.getpid()}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as output:
        output.write(text)
        output.flush()
        os.fsync(output.fileno())
    fresh.replace(file)


def port_free(port: int) -> bool:
    """Whether nobody listens on this port of the loopback address."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def listening(port: int) -> bool:
    """Whether somebody accepts connections on this port of the loopback address."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def demand_free(ports: Mapping[str, int]) -> None:
    """Raise Trouble that names every busy port, what it is for and, where the system tells, who holds it."""
    deadline = time.monotonic() + _PORT_PATIENCE_SECONDS
    while (
        busy := [(name, port) for name, port in ports.items() if not port_free(port)]
    ) and time.monotonic() < deadline:
        time.sleep(0.1)  # the system needs a moment to take the ports of a killed process back
    if busy:
        lines = "\n".join(f"    Port {port} ({name}) is already used by {_holder(port)}." for name, port in busy)
        raise Trouble(
            f"Some ports Santun needs are taken:\n{lines}",
            "Stop that program, or move Santun elsewhere: SANTUN_PORT_BASE=8300 make up",
        )


def _holder(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
                name = psutil.Process(connection.pid).name() if connection.pid else ""
                return f"process {connection.pid} ({name})" if connection.pid else "another program"
    except psutil.Error:
        pass
    return "another program"


def free_port() -> int:
    """A free port below the range the system hands out by itself, so that no outgoing connection takes it meanwhile.

    Never one it gave before, nor one of a stack at `SANTUN_PORT_BASE` 20000 to 20999: those may not be listened to yet.
    """
    for port in random.SystemRandom().sample(range(24_000, 27_300), 200):
        if port not in _given and port_free(port):
            _given.add(port)
            return port
    raise Trouble("No free port was found between 24000 and 27299.", "Stop some programs and try again.")
