"""The worker of import runs: takes each run as far as it goes without a person. May be killed anywhere and run again.

One process at a time (`kit.service.run_job`); every step is a transaction that leaves the run where the next can begin.
"""

from uuid import UUID

import structlog
from kit.auth.actor import Actor
from kit.failpoints import failpoint
from kit.runtime import Runtime
from kit.service import Job

from registry.imports import applying, commands, parsing, staging, store
from registry.imports.domain import Compare, Finish, Parse, State, Totals
from registry.imports.layout import Unreadable

_WHOLE = frozenset({"compared", "applying"})
"""Phases in which the staging table holds every accepted row."""

log = structlog.get_logger()
RULE = Actor.system("import-worker")
KEPT_DAYS = 30
"""How long an upload stays after its run ended: as long as somebody may ask for its reject file."""


async def work(runtime: Runtime) -> None:
    """Take every waiting run as far as it goes."""
    async with runtime.begin(RULE, origin="import") as uow:
        waiting = await store.waiting(uow)
    for run_id in waiting:
        await advance(runtime, run_id)


async def advance(runtime: Runtime, run_id: UUID) -> None:
    """Do with one run whatever its state asks for, until a person is needed or it is over."""
    steps = {State.RECEIVED: _parse, State.PARSED: _compare, State.APPROVED: _apply}
    while (step := steps.get(await _state(runtime, run_id))) is not None:
        await step(runtime, run_id)


async def _state(runtime: Runtime, run_id: UUID) -> State:
    async with runtime.begin(RULE, origin="import") as uow:
        return State((await store.lock(uow, run_id, None)).state)


async def _parse(runtime: Runtime, run_id: UUID) -> None:
    """Read, seal and stage every line; judge the list as one set; note what was rejected."""
    uploads = commands.uploads_of(runtime)
    try:
        await parsing.stage(runtime, uploads, run_id, RULE)
    except Unreadable as fault:
        async with runtime.begin(RULE, origin="import") as uow:
            await commands.reject(uow, run_id, fault)
        log.info("import_rejected", run_id=str(run_id), reason=fault.code)
        return
    async with runtime.begin(RULE, origin="import") as uow:
        run = await store.lock(uow, run_id, None)
        run.phase = "checking"
        ok, rejected, warned = await staging.check(uow, run_id, run.source)
        failpoint("import.after_rejects")
        run.rows_warned = warned
        await commands.move(uow, run_id, Parse(Totals(run.rows_read, ok, rejected)), None)
    log.info("import_parsed", run_id=str(run_id), ok=ok, rejected=rejected)


async def _compare(runtime: Runtime, run_id: UUID) -> None:
    """Compare with what the source said last, cut into chunks, and hold the list where the brake says so."""
    async with runtime.begin(RULE, origin="import") as uow:
        run = await store.lock(uow, run_id, None)
        full = run.extent == "full"
        difference = await staging.compare(uow, run_id, run.source, run.region_code, full=full)
        run.chunks = await staging.cut(uow, run_id, run.source, run.region_code, gone=full and difference.gone > 0)
        run.phase = "compared"
        run = await commands.move(uow, run_id, Compare(difference), None)
    log.info("import_compared", run_id=str(run_id), state=run.state, new=difference.new, changed=difference.changed)


async def _apply(runtime: Runtime, run_id: UUID) -> None:
    """Apply chunk after chunk, each in its own transaction; then the run is over when all of them add up."""
    if not await _is_staged(runtime, run_id):
        await _restore(runtime, run_id)
    while True:
        async with runtime.begin(RULE, origin="import") as uow:
            run = await store.lock(uow, run_id, None)
            chunk = await store.next_chunk(uow, run_id)
            if chunk is None:
                await commands.move(uow, run_id, Finish(await store.applied(uow, run_id)), None)
                await staging.drop(uow, run_id)
                log.info("import_applied", run_id=str(run_id), chunks=run.chunks)
                return
            await applying.apply_chunk(uow, run, chunk)


async def _is_staged(runtime: Runtime, run_id: UUID) -> bool:
    """Whether the staged rows are all there; a crash of the database empties an unlogged table."""
    async with runtime.begin(RULE, origin="import") as uow:
        run = await store.lock(uow, run_id, None)
        held = await staging.open_staging(uow, run_id)
        if run.phase in _WHOLE:
            if held == run.rows_ok:
                return True
            log.warning("import_staging_lost", run_id=str(run_id), held=held, expected=run.rows_ok)
            await staging.start_over(uow, run_id)
            await store.restart(uow, run_id)
        return False


async def _restore(runtime: Runtime, run_id: UUID) -> None:
    """Stage the kept upload once more. The chunks stay as they were cut: the same file gives the same families."""
    await parsing.stage(runtime, commands.uploads_of(runtime), run_id, RULE)
    async with runtime.begin(RULE, origin="import") as uow:
        run = await store.lock(uow, run_id, None)
        run.rows_ok, run.rows_rejected, run.rows_warned = await staging.check(uow, run_id, run.source)
        run.phase = "compared"


async def forget(runtime: Runtime) -> None:
    """Remove uploads of runs that ended more than KEPT_DAYS days ago."""
    uploads = commands.uploads_of(runtime)
    async with runtime.begin(RULE) as uow:
        for run_id in await store.over_for(uow, KEPT_DAYS):
            uploads.forget(run_id)
            await store.forgotten(uow, run_id)


JOBS = (Job("imports", 2.0, work), Job("import-uploads", 3600.0, forget))
