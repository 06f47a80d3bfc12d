"""Is the process alive, and can it do its work? `/health/live`, `/health/ready`, `/version`, `/metrics`.

Readiness names every dependency. Only what a request cannot do without makes it 503; a late relay or consumer is said
(`degraded`) and alarmed, since the service still takes in work.
"""

import asyncio
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse, Response
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from kit import metrics
from kit.errors import Unavailable
from kit.figures import Figures

if TYPE_CHECKING:
    from kit.service import Service

_FRESH_SECONDS = 2.0
_DATABASE_SECONDS = 3.0
LATE_SECONDS = 60.0
LEAST_DAYS_AHEAD = 2

_STATE = text("""
SELECT (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(o.created_at)), 0)
        FROM outbox AS o
        WHERE o.xid >= (SELECT pg_snapshot_xmin(coalesce(max(snapshot), '1:1:')::pg_snapshot) FROM relay_cursor)
          AND NOT pg_visible_in_snapshot(o.xid, (SELECT coalesce(max(snapshot), '1:1:')::pg_snapshot FROM relay_cursor))
       )::float8 AS outbox_seconds,
       (SELECT count(*) FROM parked WHERE state = 'parked') AS parked,
       (SELECT count(*) FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'outbox'::regclass AND c.relname > 'outbox_' || to_char(current_date, 'YYYYMMDD')
          AND c.relname ~ '_[0-9]{8}$') AS days_ahead,
       EXISTS (SELECT 1 FROM outbox_default) OR EXISTS (SELECT 1 FROM inbox_default) AS spilled
""")


def draining(app: FastAPI) -> bool:
    """Whether the process was told to stop: no new work, finish what is in hand."""
    processes = getattr(app.state, "processes", None)
    return processes is not None and bool(processes.stop.is_set())


class Health:
    """Looks at the parts at most every two seconds, however often it is asked."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._seen: tuple[bool, dict[str, Any]] | None = None
        self._at = float("-inf")
        self._lock = asyncio.Lock()

    async def look(self) -> tuple[bool, dict[str, Any]]:
        """Whether the service is ready, and the state of each part."""
        async with self._lock:
            if self._seen is None or monotonic() - self._at > _FRESH_SECONDS:
                self._seen, self._at = await self._look(), monotonic()
            return self._seen

    async def _look(self) -> tuple[bool, dict[str, Any]]:
        app, runtime = self._app, self._app.state.runtime
        parts: dict[str, Any] = {}
        processes = getattr(app.state, "processes", None)
        database = await self._database(parts)
        keys = await self._keys(parts) if processes is None or "api" in processes.parts else True
        if processes is not None and "relay" in processes.parts:
            quiet = monotonic() - processes.relay.last_round
            parts["relay"] = {
                "ok": quiet < LATE_SECONDS,
                "leads": processes.relay.leader,
                "seconds_since_round": round(quiet, 1),
            }
        if processes is not None and processes.consumer.topics and processes.consumer.connected:
            age = monotonic() - processes.consumer.last_poll
            parts["consumer"] = {"ok": age < LATE_SECONDS, "seconds_since_poll": round(age, 1)}
        offset: timedelta = runtime.clock.offset()
        if runtime.settings.clock_file is not None:
            parts["clock"] = {"ok": True, "movable": True, "moved_seconds": round(offset.total_seconds())}
        return database and keys, parts

    async def _database(self, parts: dict[str, Any]) -> bool:
        try:
            async with asyncio.timeout(_DATABASE_SECONDS), self._app.state.runtime.engine.connect() as connection:
                row = (await connection.execute(_STATE)).one()
        except (SQLAlchemyError, OSError, TimeoutError) as lost:
            parts["database"] = {"ok": False, "error": type(lost).__name__}
            return False
        late, ahead = row.outbox_seconds > LATE_SECONDS, row.days_ahead >= LEAST_DAYS_AHEAD
        metrics.relay_lag_seconds.set(row.outbox_seconds)
        metrics.parked_messages.set(row.parked)
        parts["database"] = {"ok": True}
        parts["outbox"] = {"ok": not late, "oldest_unpublished_seconds": round(row.outbox_seconds, 1)}
        parts["parked"] = {"ok": row.parked == 0, "messages": row.parked}
        parts["partitions"] = {"ok": ahead and not row.spilled, "days_ahead": row.days_ahead, "spilled": row.spilled}
        return True

    async def _keys(self, parts: dict[str, Any]) -> bool:
        tokens = self._app.state.tokens
        try:
            await tokens.warm()
        except Unavailable:
            parts["keys"] = {"ok": False}
            return False
        parts["keys"] = {"ok": True, "age_seconds": round(tokens.keys_age or 0)}
        return True


def router(app: FastAPI, service: "Service") -> APIRouter:
    """The pages that orchestrators, dashboards and people watch; public inside the house, closed at the proxy."""
    pages = APIRouter(include_in_schema=False)
    health, figures = Health(app), Figures(service.figures)

    @pages.get("/version")
    async def version() -> dict[str, str]:
        return {"service": service.name, "version": app.version}

    @pages.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "ok"}

    @pages.get("/health/ready")
    async def ready() -> JSONResponse:
        good, parts = await health.look()
        if draining(app):
            return JSONResponse({"status": "draining", "parts": parts}, 503)
        status = "unavailable" if not good else "ok" if all(part["ok"] for part in parts.values()) else "degraded"
        body = {"status": status, "profile": app.state.runtime.settings.profile, "parts": parts}
        return JSONResponse(body, 200 if good else 503)

    @pages.get("/metrics")
    async def prometheus() -> Response:
        good, _ = await health.look()
        processes = getattr(app.state, "processes", None)
        if processes is not None:
            metrics.consumer_lag_seconds.set(processes.consumer.lag())
            if good and "work" in processes.parts:
                await figures.take(app.state.runtime)
        return Response(metrics.exposition(), headers={"Content-Type": metrics.CONTENT_TYPE})

    return pages
