"""Wait for something that another process or task will do, without sleeping longer than needed."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(predicate: Callable[[], Awaitable[T]], *, within: float = 10.0, every: float = 0.05) -> T:
    """The first true answer of `predicate`; AssertionError with the last answer when `within` seconds have passed.

    An AssertionError inside the predicate counts as "not yet"; any other exception ends the wait.
    """
    deadline = time.monotonic() + within
    while True:
        last: object
        try:
            answer = await predicate()
        except AssertionError as failure:
            last = failure
        else:
            if answer:
                return answer
            last = answer
        if time.monotonic() >= deadline:
            raise AssertionError(f"not so within {within} s; the last answer was {last!r}")
        await asyncio.sleep(every)
