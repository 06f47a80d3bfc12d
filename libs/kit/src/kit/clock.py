"""The office's clock. The only place that asks the machine what time it is; everything else is given a time.

In the profiles `demonstration` and `test` the clock may be moved through a file, so that a story of years fits one
run. Moved, it still runs at real speed. Settings refuse the file in every other profile.
"""

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

OfficeZone = Literal["Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"]
"""WIB, WITA and WIT: the zones in which an office counts its days."""


class Clock:
    """Business time: `now` in UTC, `today` the civil day of the office's zone."""

    def __init__(self, *, zone: OfficeZone = "Asia/Jakarta", file: Path | None = None) -> None:
        self.zone = ZoneInfo(zone)
        self._file = file
        self._seen: tuple[int, int] | None = None
        self._offset = timedelta()

    def now(self) -> datetime:
        """The business instant, aware, in UTC; a change of the clock file holds from the next call on."""
        return datetime.now(UTC) + self.offset()

    def today(self) -> date:
        """The civil day at the office, on which deadlines and validity are counted."""
        return self.now().astimezone(self.zone).date()

    def offset(self) -> timedelta:
        """How far business time is from real time: zero unless somebody moved the clock."""
        if self._file is not None:
            self._look(self._file)
        return self._offset

    def _look(self, file: Path) -> None:
        try:
            stat = file.stat()
        except FileNotFoundError:
            self._seen, self._offset = None, timedelta()
            return
        if (stat.st_mtime_ns, stat.st_ino) == self._seen:
            return
        words = file.read_text("utf-8").split()
        business = _instant(words[0])
        real = _instant(words[1]) if len(words) > 1 else datetime.fromtimestamp(stat.st_mtime, UTC)
        self._seen, self._offset = (stat.st_mtime_ns, stat.st_ino), business - real


def move(file: Path, to: datetime) -> None:
    """Set the business clock that `file` stands for to the instant `to` (aware), for every process that reads the file.

    The file holds one line: the business instant and the real instant at which it was set. A hand-written file may
    hold the first alone; its own modification time then counts as the second.
    """
    if to.tzinfo is None:
        raise ValueError("an instant needs its offset from UTC")
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.write_text(f"{to.astimezone(UTC).isoformat()} {datetime.now(UTC).isoformat()}\n", "utf-8")
    fresh.replace(file)


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("the clock file needs an instant with its offset from UTC")
    return instant
