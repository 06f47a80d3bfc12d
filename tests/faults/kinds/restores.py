"""The database server is lost with all its disks and comes back from its backup: whole, or as of an earlier moment."""

import asyncio
from collections.abc import AsyncIterator

from faults.backup import backed_up
from faults.ground import Ground, fault
from faults.kinds.servers import published_anew
from faults.payday import TODAY
from kit.testing import eventually
from stack import bank

AFTER_THE_COPY = 6
"""So much work is only in the received log, not in the copy."""
UNDONE = 8
"""So much work will never have happened."""


@fault("the database server is lost and restored to the end of its log", steps=0)
async def lost(ground: Ground) -> AsyncIterator[None]:
    """Nothing that was answered is missing, so nobody has to do anything but restore; the services wait for it."""
    async with backed_up(ground.stack) as backup:
        await ground.load.moved(AFTER_THE_COPY)
        await asyncio.to_thread(backup.lose_server)
        yield
        await asyncio.to_thread(backup.restore)
        await ground.stack.start("PostgreSQL")
        await eventually(lambda: _writable(ground), within=60)


@fault("the database server is restored to an earlier moment", steps=0)
async def earlier(ground: Ground) -> AsyncIterator[None]:
    """Work after the moment has never happened here, though topics and bank know of it.

    So the topics are made again and filled from the outboxes, and the bank's answers about what is unknown now become
    somebody's task: nothing is booked by them.
    """
    async with backed_up(ground.stack) as backup:
        await ground.load.moved(AFTER_THE_COPY)
        async with ground.load.still():
            moment = await backup.mark()
            known = ground.load.done.copy()
        await ground.load.moved(UNDONE)
        await ground.load.ordered(known)
        async with ground.load.forgetting(known) as forgotten:
            await asyncio.to_thread(backup.lose_server)
            yield
            ground.said.append(f"{forgotten.steps} steps forgotten, {len(forgotten.orders)} orders at the bank")

            async def restore() -> None:
                await asyncio.to_thread(backup.restore, moment)
                await ground.stack.start("PostgreSQL")

            await published_anew(ground, meanwhile=restore)
            await _nothing_of(ground, forgotten.deaths)
            for order in forgotten.orders:
                await _unknown(ground, order)


async def _writable(ground: Ground) -> bool:
    rows = await ground.stack.sql("registry", "SELECT NOT pg_is_in_recovery()")
    return bool(rows[0][0])


async def _nothing_of(ground: Ground, people: list[str]) -> None:
    """Nobody knows anything of what was done after the moment: no service kept what another one forgot."""
    assert people, "nothing was undone: this would prove nothing"
    for service, query in (
        ("registry", "SELECT count(*) FROM person WHERE id = ANY($1::uuid[])"),
        *((name, "SELECT count(*) FROM stream_position WHERE key = ANY($1::uuid[])") for name in ground.stack.members),
    ):
        rows = await ground.stack.sql(service, query, people)
        assert rows[0][0] == 0, f"{service} knows of what has never happened"


async def _unknown(ground: Ground, order: bank.Order) -> None:
    content = bank.answer(order, bank.Format.CAMT054, TODAY.date())
    file = await ground.calls.do("recon_officer", "disbursement", "/v1/result-files?format=camt054", content=content)
    path = f"/v1/result-files/{file['id']}:apply"
    done = await ground.calls.do("recon_officer_2", "disbursement", path, {}, version=file["version"])
    assert "matched" not in done["outcomes"], done["outcomes"]
