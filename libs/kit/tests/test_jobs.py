"""What is due is done again and again: a database or neighbour that goes away only delays it, a defect is told."""

import asyncio

import asyncpg
import pytest
from kit.errors import Unavailable
from kit.runtime import Runtime
from kit.service import Job, Processes
from sample_service import SAMPLE


@pytest.mark.parametrize(
    "lost",
    [
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.InternalClientError("another operation is in progress"),
        asyncpg.TooManyConnectionsError("sorry, too many clients already"),
        ConnectionResetError(),
        Unavailable("registry"),
    ],
    ids=lambda lost: type(lost).__name__,
)
async def test_a_job_that_loses_what_it_stands_on_is_tried_again(sample: Runtime, lost: Exception) -> None:
    processes, tries = Processes(SAMPLE, sample), 0

    async def unlucky(_: Runtime) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise lost
        processes.stop.set()

    async with asyncio.timeout(20):
        await processes._repeat(Job("unlucky", 0.01, unlucky))
    assert tries == 2


async def test_a_defect_in_a_job_is_told(sample: Runtime) -> None:
    async def broken(_: Runtime) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await Processes(SAMPLE, sample)._repeat(Job("broken", 0.01, broken))
