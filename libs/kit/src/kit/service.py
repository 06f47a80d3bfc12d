"""One service as data, and the processes it may run as: api, relay, consume, work, or all of them in one.

`docs/adr` says why they are separate processes in production; on one machine `all` runs them as tasks of one process
that stops as a whole when any of them ends.
"""

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, Any

import structlog
import uvicorn
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from kit.auth.actor import Actor
from kit.db import audit
from kit.db.engine import LOST
from kit.db.uow import UnitOfWork
from kit.errors import Unavailable
from kit.events.consumer import Consumer, Handlers
from kit.events.relay import Relay
from kit.figures import Figure
from kit.metrics import job_failures, job_last_success
from kit.runtime import Runtime
from kit.settings import Base

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import APIRouter, FastAPI

log = structlog.get_logger()

PARTITION_DAYS = 14
OUTBOX_RETENTION_DAYS = 30
INBOX_RETENTION_DAYS = 60

Invariant = Callable[[UnitOfWork], Awaitable[list[str]]]
"""Answers what is violated, one plain sentence each, with ids and amounts; an empty list when it holds."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do again and again in one process at a time: a scheduler of commands or a worker with a lease.

    `run` must be safe to repeat and to be killed anywhere. It returns when nothing is left to do now.
    """

    name: str
    every_seconds: float
    run: Callable[[Runtime], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Service:
    """All that makes a service one: its settings, routes, handlers, jobs, and what `wire` builds once."""

    name: str
    title: str
    settings: type[Base]
    migrations: Path
    routers: Sequence["APIRouter"] = ()
    handlers: Handlers = field(default_factory=dict)
    jobs: Sequence[Job] = ()
    invariants: Mapping[str, Invariant] = field(default_factory=dict)
    figures: Sequence[Figure] = ()
    wire: Callable[[Runtime], Any] | None = None
    description: str = ""

    def runtime(self, settings: Base) -> Runtime:
        """Make the long-lived objects of one process."""
        runtime = Runtime(self.name, settings)
        if self.wire is not None:
            runtime.wiring = self.wire(runtime)
        return runtime

    def app(self, runtime: Runtime, *, api: bool = True) -> "FastAPI":
        """Make the HTTP application on a runtime; without `api` only its pages of health and figures."""
        from kit.http.app import create_app  # reads this module's types

        return create_app(self, runtime, api=api)


def settle_in() -> None:
    """Take what the process has loaded out of the sight of the garbage collector: it stays to the end anyway.

    Otherwise each full collection walks through all modules, models and schemas again; a bulk command makes so many
    objects that this was a third of its time. Nothing grows: what comes later is collected as before.
    """
    gc.collect()
    gc.freeze()


class Processes:
    """The running parts of one process, their readiness, and their orderly end."""

    def __init__(self, service: Service, runtime: Runtime) -> None:
        self.service = service
        self.runtime = runtime
        self.stop = asyncio.Event()
        self.parts: frozenset[str] = frozenset()
        self.relay = Relay(
            database_url=runtime.settings.database_url.get_secret_value(),
            kafka=runtime.settings.kafka(),
            contracts=runtime.contracts,
            service=service.name,
        )
        self.consumer = Consumer(
            runtime,
            service.handlers,
            group=f"{runtime.settings.topic_prefix}santun.{service.name}",
            instance=runtime.settings.instance or None,
        )

    async def run(self, parts: Sequence[str]) -> None:
        """Run the named parts until a signal; then readiness goes off, work in hand is finished, connections close.

        Whatever runs, somebody can ask on `port` how it is: without `api` there is nothing else to ask.
        """
        self.parts = frozenset(parts)
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, self.stop.set)
        await prepare(self.runtime)
        settle_in()
        runners = {"relay": self._relay, "consume": self._consume, "work": self._work}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._guarded(self._http), name="http")
                for part in self.parts - {"api"}:
                    group.create_task(self._guarded(runners[part]), name=part)
        finally:
            await self.runtime.close()

    async def _guarded(self, runner: Callable[[], Awaitable[None]]) -> None:
        """A part that ends, for whatever reason, ends the process: half a service must not look like a whole one."""
        try:
            await runner()
        finally:
            self.stop.set()

    async def _http(self) -> None:
        app = self.service.app(self.runtime, api="api" in self.parts)
        app.state.processes = self
        settings = self.runtime.settings
        config = uvicorn.Config(
            app, host=settings.host, port=settings.port, log_config=None, access_log=False, server_header=False,
            date_header=True, timeout_keep_alive=30, timeout_graceful_shutdown=settings.drain_seconds, lifespan="on",
            h11_max_incomplete_event_size=64 * 1024,
        )  # fmt: skip
        server = _Server(config)
        serving = asyncio.ensure_future(server.serve())
        stopping = asyncio.ensure_future(self.stop.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        server.should_exit = True
        await serving

    async def _relay(self) -> None:
        self.runtime.on_announce(self.relay.wake)
        await self.relay.run(self.stop)

    async def _consume(self) -> None:
        await self.consumer.run(self.stop)
        await self.stop.wait()

    async def _work(self) -> None:
        jobs = [*self.service.jobs, *KIT_JOBS]
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(self._repeat(job), name=job.name)

    async def _repeat(self, job: Job) -> None:
        """Run a job at its pace, in one process at a time; a failure is counted, logged, and tried again."""
        while not self.stop.is_set():
            try:
                await run_job(self.runtime, job)
            except (SQLAlchemyError, Unavailable, *LOST) as lost:
                log.warning("job_waits", job=job.name, error=type(lost).__name__)
            except Exception as failed:  # a defect in one job must not stop the others; it is counted and alarmed
                job_failures.labels(name=job.name).inc()
                log.exception("job_failed", job=job.name, error=type(failed).__name__)
                if self.runtime.settings.profile == "test":
                    raise
            try:
                async with asyncio.timeout(job.every_seconds):
                    await self.stop.wait()
            except TimeoutError:
                continue


class _Server(uvicorn.Server):
    """Leaves the signals to `Processes`, which stops all parts together."""

    @contextmanager
    def capture_signals(self) -> "Iterator[None]":
        yield


async def prepare(runtime: Runtime) -> None:
    """Make partitions ahead; waits for the database, since a process may start before it."""
    for attempt in range(60):
        try:
            await make_partitions(runtime)
            return
        except (SQLAlchemyError, OSError) as lost:
            if attempt == 59:  # noqa: PLR2004 - one minute
                raise
            log.warning("database_not_there", error=type(lost).__name__)
            await asyncio.sleep(1)


async def make_partitions(runtime: Runtime) -> None:
    """Make the partitions of the next fourteen days and drop those past retention."""
    async with runtime.begin(Actor.system("partitions")) as uow:
        await uow.execute(text("SELECT santun_make_partitions(:days)"), {"days": PARTITION_DAYS})
        await uow.execute(
            text("SELECT santun_drop_partitions(:outbox, :inbox)"),
            {"outbox": OUTBOX_RETENTION_DAYS, "inbox": INBOX_RETENTION_DAYS},
        )
        await uow.execute(text("DELETE FROM idempotency WHERE expires_at < now()"))


async def run_job(runtime: Runtime, job: Job) -> bool:
    """Run a job once unless another process runs it now; False when it was left to that one."""
    async with runtime.engine.connect() as connection:
        guard = {"key": f"santun.job.{job.name}"}
        got = (
            await connection.execute(text("SELECT pg_try_advisory_lock(hashtextextended(:key, 0))"), guard)
        ).scalar_one()
        await connection.commit()
        if not got:
            return False
        try:
            await job.run(runtime)
        finally:
            await connection.execute(text("SELECT pg_advisory_unlock(hashtextextended(:key, 0))"), guard)
            await connection.commit()
    job_last_success.labels(name=job.name).set(time())
    return True


async def _seal(runtime: Runtime) -> None:
    while await audit.seal(runtime) >= audit.LIMIT:
        pass


KIT_JOBS = (Job("audit-sealer", 1.0, _seal), Job("partitions", 3600.0, make_partitions))
"""What every service does besides its own jobs."""
