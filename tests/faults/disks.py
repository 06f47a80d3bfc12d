"""A small disk under a folder of the stack, which can be filled to the last byte: a tmpfs that nobody else sees.

Only root may mount. The driver runs itself again in a mount namespace of its own (`alone`), so that a run that is killed
leaves no mount behind and no other program meets one. Where that cannot be, `lacking` says why.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

ALONE = "SANTUN_FAULTS_MOUNTS"
"""Set in a process whose mounts nobody else sees."""
_MB = 1024 * 1024


def alone(module: str) -> None:
    """Replace this process by the same module in a mount namespace of its own, where the machine allows it."""
    if ALONE in os.environ or _refused():
        return
    os.environ[ALONE] = "1"
    unshare = ["unshare", "--mount", "--propagation", "private"]
    os.execvp(unshare[0], [*unshare, sys.executable, "-m", module, *sys.argv[1:]])


def lacking() -> str:
    """Why no disk can be filled here; empty when it can."""
    return "" if ALONE in os.environ else _refused() or "this process does not have its mounts for itself"


@cache
def _refused() -> str:
    if os.geteuid() != 0:
        return "only root can mount a small disk"
    if shutil.which("unshare") is None:
        return "there is no unshare on this machine"
    tried = ["unshare", "--mount", "--propagation", "private", "mount", "-t", "tmpfs", "none", "/mnt"]
    done = subprocess.run(tried, check=False, capture_output=True, text=True)
    return "" if done.returncode == 0 else f"no disk can be mounted here: {done.stderr.strip()[:120]}"


class SmallDisk:
    """A disk of few megabytes at a folder that is there: what lay in it lies on the disk meanwhile."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ballast = folder / "ballast"

    def fill(self) -> None:
        """Write until not one more page fits."""
        with self.ballast.open("wb", buffering=0) as ballast, suppress(OSError):
            while ballast.write(bytes(_MB)):
                pass
        with self.ballast.open("ab", buffering=0) as ballast, suppress(OSError):
            while ballast.write(bytes(4096)):
                pass

    @property
    def full(self) -> bool:
        """Whether nothing fits."""
        return shutil.disk_usage(self.folder).free == 0

    @property
    def used(self) -> int:
        """Bytes taken, also by files that have no name (any more)."""
        return shutil.disk_usage(self.folder).used

    def free(self) -> None:
        """There is space again."""
        self.ballast.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path, *, spare_mb: int) -> Iterator[SmallDisk]:
    """Put a disk with so much spare room under a folder that nobody uses just now; nobody may use it at the end either.

    What was changed on the small disk is carried back at the end.
    """
    aside = folder.with_name(f"{folder.name}.aside")
    owner = folder.stat()
    used = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    folder.rename(aside)
    folder.mkdir(mode=0o700)
    options = f"size={used // _MB + spare_mb}m,mode=0700,uid={owner.st_uid},gid={owner.st_gid}"
    _run("mount", "-t", "tmpfs", "-o", options, "none", str(folder))
    try:
        _run("cp", "-a", f"{aside}/.", f"{folder}/")
        disk = SmallDisk(folder)
        yield disk
        disk.free()
        shutil.rmtree(aside)
        aside.mkdir(mode=0o700)
        os.chown(aside, owner.st_uid, owner.st_gid)
        _run("cp", "-a", f"{folder}/.", f"{aside}/")
    finally:
        _run("umount", "--lazy", str(folder))  # also under a server that still runs, because something went wrong
    folder.rmdir()
    aside.rename(folder)


@contextmanager
def small_disk_over(folder: Path, *, megabytes: int) -> Iterator[SmallDisk]:
    """Put an empty disk over a folder that stays in use; what was there before is there again afterwards."""
    owner = folder.stat()
    options = f"size={megabytes}m,mode=0700,uid={owner.st_uid},gid={owner.st_gid}"
    _run("mount", "-t", "tmpfs", "-o", options, "none", str(folder))
    try:
        yield SmallDisk(folder)
    finally:
        _run("umount", "--lazy", str(folder))


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True, text=True)
