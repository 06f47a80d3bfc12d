"""A watch over every statement: a database that says nothing at all, not even that it is gone, is given up.

PostgreSQL ends statements by its own time-outs, but across a link that is half open nobody hears of it, and the driver
waits for ever, also for its own cancelling. So the connection itself is cut off from here; what waited on it fails as on
any lost connection: the caller hears 503, a consumer tries again, the pool opens another.
"""

import asyncio
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine

_patience: WeakKeyDictionary[Any, float] = WeakKeyDictionary()


def be_patient(driver: Any, seconds: float) -> None:
    """Until this connection of the driver goes back to its pool its statements may take so long."""
    _patience[driver] = seconds


def watch(engine: AsyncEngine, seconds: float) -> None:
    """Cut a connection off when a statement, a commit or a rollback on it takes longer than this."""
    target, running = engine.sync_engine, dict[int, asyncio.TimerHandle]()

    def begin(driver: Any) -> None:
        end(driver)
        wait = _patience.get(driver, seconds)
        running[id(driver)] = asyncio.get_running_loop().call_later(wait, driver.terminate)

    def end(driver: Any) -> None:
        timer = running.pop(id(driver), None)
        if timer is not None:
            timer.cancel()

    def before(connection: Connection, *_: object) -> None:
        begin(connection.connection.driver_connection)

    def after(connection: Connection, *_: object) -> None:
        end(connection.connection.driver_connection)

    def back(_: Any, record: Any) -> None:
        end(record.driver_connection)
        if record.driver_connection is not None:
            _patience.pop(record.driver_connection, None)

    def watched(step: Callable[[Any], None]) -> Callable[[Any], None]:
        """A step of the dialect that tells no event of its end."""

        def under_watch(pooled: Any) -> None:
            driver = pooled.driver_connection
            begin(driver)
            try:
                step(pooled)
            finally:
                end(driver)

        return under_watch

    event.listen(target, "before_cursor_execute", before)
    event.listen(target, "after_cursor_execute", after)
    event.listen(target, "checkin", back)  # after a statement that failed
    for name in ("do_commit", "do_rollback"):
        setattr(target.dialect, name, watched(getattr(target.dialect, name)))
