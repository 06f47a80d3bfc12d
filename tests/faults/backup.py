"""A backup of the whole database server, as an operator keeps it: a copy of its files, and its log as it is written.

The receiver of the log is a synchronous standby: whatever a service was told is committed has arrived here. So a server
that is lost with all its disks loses nothing that was answered.
"""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from kit.ids import new_id
from kit.testing import eventually
from private_stack import PrivateStack
from stack import postgres
from stack.postgres import Postgres

RECEIVER = "archive"
"""Name of the receiver as a standby, and of its slot."""


class Backup:
    """The copy and the log, beside the server's data and not in them."""

    def __init__(self, stack: PrivateStack) -> None:
        self._stack = stack
        self._server: Postgres = stack.system.postgres
        self.folder = self._server.home / f"backup-{new_id().hex[-8:]}"
        self.base, self.log = self.folder / "base", self.folder / "log"
        self._receiver: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Receive the log from now on, then copy the files while work goes on."""
        for folder in (self.folder, self.log):
            folder.mkdir(mode=0o700)
            self._give(folder)
        slot = ["-D", self.log, "-d", self._address, "--slot", RECEIVER]
        self._run("pg_receivewal", *slot, "--create-slot", "--if-not-exists")
        with (self.folder / "receiver.out").open("ab") as said:
            self._receiver = subprocess.Popen(
                [self._tool("pg_receivewal"), *slot, "--synchronous"], stdout=said, stderr=said, **self._as_server
            )
        self._run("pg_basebackup", "-D", self.base, "-d", self._address, "--checkpoint=fast", "--wal-method=stream")

    async def demand(self) -> None:
        """From now on a commit is answered when the receiver has it on disk too.

        Said after the copy was made, so that the restored server does not wait for a receiver that is not there.
        """
        await self._stack.sql("registry", f"ALTER SYSTEM SET synchronous_standby_names = '{RECEIVER}'")
        await self._stack.sql("registry", "SELECT pg_reload_conf()")
        await eventually(self._in_step, within=60)

    async def mark(self) -> str:
        """Name this moment in the log, so that the server can be restored to it."""
        name = f"moment-{new_id().hex[-8:]}"
        await self._stack.sql("registry", "SELECT pg_create_restore_point($1)", name)
        return name

    def lose_server(self) -> None:
        """The server dies and nothing of its data is left."""
        self._stack.kill("PostgreSQL")
        self.end()
        lost = self._server.data.with_name("lost")
        self._server.data.rename(lost)  # what its orphans still write goes there
        shutil.rmtree(lost, ignore_errors=True)

    def restore(self, moment: str = "") -> None:
        """Put the copy where the data were, to be brought to the end of the received log, or to a moment of it.

        The last segment was still being written: it has another name. Nobody may look in before the end of the recovery:
        a server that only reads would be taken for one that is back.
        """
        segment = f"{self.log}/%f"
        settings = [
            f'restore_command = \'cp "{segment}" "%p" 2>/dev/null || cp "{segment}.partial" "%p"\'',
            "hot_standby = off",
            f"recovery_target_name = '{moment}'",  # also when empty: the copy may know the moment of an earlier restore
            "recovery_target_action = 'promote'",
        ]
        with (self.base / "postgresql.auto.conf").open("a") as file:
            file.writelines(f"{line}\n" for line in settings)
        signal = self.base / "recovery.signal"
        signal.touch()
        self._give(signal)
        self.base.rename(self._server.data)

    def end(self) -> None:
        """Stop receiving."""
        if self._receiver is not None:
            self._receiver.terminate()
            self._receiver.wait(timeout=20)
            self._receiver = None

    async def _in_step(self) -> bool:
        rows = await self._stack.sql("registry", "SELECT sync_state FROM pg_stat_replication WHERE application_name = $1", RECEIVER)  # fmt: skip
        return [row["sync_state"] for row in rows] == ["sync"]

    @property
    def _address(self) -> str:
        return f"{self._server.url()}?application_name={RECEIVER}"

    @property
    def _as_server(self) -> dict[str, object]:
        uid, gid = self._server._user or (None, None)
        return {"env": self._server._env(), "user": uid, "group": gid, "cwd": self.folder}

    def _run(self, tool: str, *words: str | Path) -> None:
        done = subprocess.run(
            [self._tool(tool), *words], check=False, capture_output=True, text=True, **self._as_server
        )
        assert done.returncode == 0, f"{tool}: {done.stderr}"

    @staticmethod
    def _tool(name: str) -> Path:
        return postgres._binaries() / name

    def _give(self, path: Path) -> None:
        if self._server._user:
            os.chown(path, *self._server._user)


@asynccontextmanager
async def backed_up(stack: PrivateStack) -> AsyncIterator[Backup]:
    """A server whose backup goes along with its work; forgotten at the end."""
    backup = Backup(stack)
    try:
        await asyncio.to_thread(backup.begin)
        await backup.demand()
        yield backup
    finally:
        backup.end()
        shutil.rmtree(backup.folder, ignore_errors=True)
