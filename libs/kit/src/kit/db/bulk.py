"""Set-based work: chunks, the plan guard, COPY. Used by imports, runs and batches."""

from collections.abc import AsyncIterable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import text

from kit.db.uow import UnitOfWork
from kit.db.watch import be_patient

CHUNK = 5_000
"""Rows per transaction of a bulk command (kernel rule K13)."""

T = TypeVar("T")


def chunks(items: Sequence[T], size: int = CHUNK) -> Iterator[Sequence[T]]:
    """Cut a sequence into pieces of at most `size`, in order."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


async def plan_guard(uow: UnitOfWork) -> None:
    """Forbid nested loops for this transaction: a plan flip once turned 33 s into more than 8 minutes."""
    await uow.execute(text("SELECT set_config('enable_nestloop', 'off', true), set_config('work_mem', '64MB', true)"))


async def long_statements(uow: UnitOfWork, seconds: int) -> None:
    """Let the statements of this bulk transaction run longer than a request may: at most `engine.BULK_SECONDS`."""
    be_patient(await uow.driver(), seconds + 10)
    await uow.execute(text("SELECT set_config('statement_timeout', :ms, true)"), {"ms": str(seconds * 1000)})


async def copy_in(
    uow: UnitOfWork, table: str, columns: Sequence[str], records: Iterable[Sequence[Any]] | AsyncIterable[Sequence[Any]]
) -> int:
    """COPY records into a table in this transaction; returns how many went in."""
    driver = await uow.driver()
    status: str = await driver.copy_records_to_table(table, columns=list(columns), records=records)
    return int(status.rsplit(" ", 1)[-1])
