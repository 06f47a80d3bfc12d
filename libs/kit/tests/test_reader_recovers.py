"""A reader or relay whose innermost step died does not stand still: it begins anew, by itself."""

import asyncio
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
from aiokafka.consumer.fetcher import Fetcher
from kit.auth.actor import Actor
from kit.db.uow import UnitOfWork
from kit.events.consumer import ATTEMPTS
from kit.events.envelope import Event
from kit.runtime import Runtime
from kit.service import Processes, Service
from kit.testing.eventually import eventually
from sample_service import SAMPLE, on_changed, tell
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError


async def takes_it_in(service: Service, sample: Runtime) -> None:
    """The service's reader runs until the message has had its effect, and parks nothing."""
    stop = asyncio.Event()
    running = asyncio.create_task(Processes(service, sample).consumer.run(stop))

    async def taken_in() -> bool:
        async with sample.begin(Actor.system("test")) as uow:
            assert (await uow.execute(text("SELECT count(*) FROM parked"))).scalar_one() == 0
            return (await uow.execute(text("SELECT count(*) FROM effect"))).scalar_one() == 1

    try:
        await eventually(taken_in, within=40)
    finally:
        stop.set()
        await running


async def test_a_fetcher_that_died_is_noticed(sample: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection closed at the wrong moment raises in the library's own task, which nobody awaits."""
    fetch, failed = Fetcher._proc_fetch_request, 0

    async def dying(self: Any, *args: Any) -> Any:
        nonlocal failed
        if failed < 2:
            failed += 1
            raise RuntimeError("the handler is closed")
        return await fetch(self, *args)

    monkeypatch.setattr(Fetcher, "_proc_fetch_request", dying)
    await tell(sample)
    await Processes(SAMPLE, sample).relay.once()
    await takes_it_in(SAMPLE, sample)
    assert failed == 2


async def test_a_database_that_goes_between_two_steps_of_the_driver_ends_no_relay(
    sample: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay, rounds, stop = Processes(SAMPLE, sample).relay, [], asyncio.Event()

    async def lead(_: asyncio.Event) -> None:
        rounds.append(1)
        if len(rounds) == 1:
            raise asyncpg.InternalClientError("another operation is in progress")
        stop.set()

    monkeypatch.setattr(relay, "_lead", lead)
    async with asyncio.timeout(20):
        await relay.run(stop)
    assert len(rounds) == 2


@pytest.mark.parametrize("past_sqlalchemy", [False, True], ids=["through SQLAlchemy", "COPY"])
async def test_a_full_disk_parks_no_message(sample: Runtime, *, past_sqlalchemy: bool) -> None:
    """No message is to blame: it is tried until there is space again, more often than a broken handler would be."""
    tries = 0

    async def full(uow: UnitOfWork, event: Event) -> None:
        nonlocal tries
        tries += 1
        if tries <= ATTEMPTS + 1:
            lost = asyncpg.DiskFullError("could not extend file")
            raise lost if past_sqlalchemy else DBAPIError("INSERT", {}, lost)
        await on_changed(uow, event)

    await tell(sample)
    await Processes(SAMPLE, sample).relay.once()
    service = replace(SAMPLE, handlers=dict.fromkeys(SAMPLE.handlers, full))
    await takes_it_in(service, sample)
