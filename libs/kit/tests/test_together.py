"""Works beside each other: one failure cuts nobody off, and is told as what it was."""

import asyncio

import pytest
from kit.together import together


async def test_all_come_to_their_end_before_the_first_failure_is_told() -> None:
    ended, failed = [], asyncio.Event()

    async def fails(error: type[Exception]) -> None:
        failed.set()
        raise error

    async def ends(name: str) -> None:
        await failed.wait()
        await asyncio.sleep(0)
        ended.append(name)

    with pytest.raises(KeyError):
        await together([ends("before"), fails(KeyError), fails(OSError), ends("after")])
    assert sorted(ended) == ["after", "before"]


async def test_who_is_told_to_end_ends_all() -> None:
    cut: list[str] = []

    async def endless(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cut.append(name)

    async def ended_soon() -> None:
        async with asyncio.timeout(0.05):
            await together([endless("one"), endless("other")])

    with pytest.raises(TimeoutError):
        await ended_soon()
    assert sorted(cut) == ["one", "other"]
