"""One connection pool per process, with limits on everything."""

from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from kit.db.watch import watch

STATEMENT_TIMEOUT_MS = 30_000
LOCK_TIMEOUT_MS = 5_000
IDLE_TIMEOUT_MS = 30_000
SILENCE_SECONDS = 40.0
"""A database that is silent longer than its own time-outs allow is gone."""
BULK_SECONDS = 900
"""The longest that a statement of a bulk transaction may ask for (`kit.db.bulk.long_statements`)."""

LOST = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What a lost database is called past SQLAlchemy; the last one when it goes between two steps of the driver. A TimeoutError is
an OSError."""


def create_engine(url: str, *, pool_size: int, name: str) -> AsyncEngine:
    """Open a pool on the application role's URL (`postgresql://...`).

    Every statement, lock wait and idle transaction has a time-out in the database itself, so a lost client cannot hold
    rows; one that is silent beyond them is cut off. `pool_size` connections at most; a request that waits 5 s for one is answered 503.
    """
    engine = create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://", 1),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=5,
        hide_parameters=True,  # an error never quotes what was being written
        connect_args={
            "timeout": 5,
            "command_timeout": BULK_SECONDS + 10,  # what goes past SQLAlchemy: COPY, bulk, the hot statements
            "server_settings": {
                "application_name": name,
                "timezone": "UTC",
                "statement_timeout": str(STATEMENT_TIMEOUT_MS),
                "lock_timeout": str(LOCK_TIMEOUT_MS),
                "idle_in_transaction_session_timeout": str(IDLE_TIMEOUT_MS),
            },
        },
    )
    event.listen(engine.sync_engine, "checkout", _demand_open)
    watch(engine, SILENCE_SECONDS)
    return engine


def _demand_open(connection: Any, *_: object) -> None:
    """Give out no connection whose server has hung up.

    The socket has told of it already; to ask the server each time would cost every transaction three round trips.
    """
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError
