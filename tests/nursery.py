"""Processes of services in no time: forked from a process that has imported the service already.

Importing a service costs two to four seconds of processor; the tests of faults start some two hundred. What is born here is
a process like any other, with its own id, session, environment and log; it dies by SIGKILL as others do. The long runs
(`make faults`, `make soak`) and `make up` start every process from nothing.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from stack import places, processes
from stack.processes import Child

_CHILD = """
import gc, importlib, json, os, signal, sys
import kit.failpoints
main = importlib.import_module(sys.argv[1] + ".__main__")
gc.collect()
gc.freeze()
signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who ends is forgotten at once
for line in sys.stdin:
    born = json.loads(line)
    if child := os.fork():
        print(child, flush=True)
        continue
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    os.environ.clear()
    os.environ.update(born["env"])
    os.chdir(born["cwd"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    log = os.open(born["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.argv = born["argv"]
    importlib.reload(kit.failpoints)
    main.run()
    sys.exit()
"""


class Nursery:
    """One mother process for each service, made at the first start of it."""

    def __init__(self) -> None:
        self._mothers: dict[str, subprocess.Popen[str]] = {}
        self._lock = threading.Lock()

    def start(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        file: Path,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Child:
        """Like `stack.processes.start`, which starts whatever is no service."""
        words = [str(word) for word in argv]
        if words[:2] != [sys.executable, "-m"] or words[2] not in places.SERVICES:
            return processes.start(name, argv, file=file, log=log, env=env, cwd=cwd)
        log.parent.mkdir(parents=True, exist_ok=True)
        born = {"argv": words[2:], "env": dict(env or {}), "cwd": str(cwd or Path.cwd()), "log": str(log)}
        with self._lock:
            mother = self._mother(words[2])
            assert mother.stdin
            assert mother.stdout
            mother.stdin.write(json.dumps(born) + "\n")
            mother.stdin.flush()
            pid = int(mother.stdout.readline())
        return processes.adopt(name, pid, file)

    def _mother(self, service: str) -> "subprocess.Popen[str]":
        if service not in self._mothers:
            self._mothers[service] = subprocess.Popen(
                [sys.executable, "-c", _CHILD, service], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        return self._mothers[service]

    def close(self) -> None:
        """No more births; who lives lives on."""
        for mother in self._mothers.values():
            mother.communicate()
        self._mothers.clear()
