"""Traps that relays and inboxes of others fell into, each laid on purpose and not by chance."""

import asyncio
from uuid import UUID

from aiokafka import AIOKafkaConsumer
from kit.auth.actor import Actor
from kit.db.uow import Line, lock
from kit.events import inbox
from kit.events.consumer import Message
from kit.events.envelope import Event, attributes, decode, encode
from kit.ids import new_id
from kit.runtime import Runtime
from kit.service import Processes
from sample_service import SAMPLE, Thing, tell
from sqlalchemy import text

SYSTEM = Actor.system("test")
MANY = 3_000
"""More than fits one batch of the producer."""


async def sequences(runtime: Runtime, key: UUID, count: int) -> list[int]:
    """The sequences of a key as a foreign reader sees them, once so many messages have come."""
    reader = AIOKafkaConsumer(
        runtime.topic("sample.thing"), bootstrap_servers=runtime.settings.kafka_bootstrap, auto_offset_reset="earliest"
    )
    await reader.start()
    found: list[int] = []
    try:
        async with asyncio.timeout(30):
            while len(found) < count:
                for batch in (await reader.getmany(timeout_ms=200)).values():
                    found += [int(dict(r.headers)["ce_sequence"]) for r in batch if r.key.decode() == str(key)]
    finally:
        await reader.stop()
    return found


async def test_who_began_first_and_wrote_last_is_told_last(sample: Runtime) -> None:
    """A transaction has its number before it waits for the row: the order of numbers is not the order of the row."""
    thing = await tell(sample)
    async with sample.begin(SYSTEM, origin="api") as early:
        await early.execute(text("SELECT pg_current_xact_id()"))
        await tell(sample, thing, amount=2)
        row = await lock(early, Thing, thing.id, None)
        await early.save(row)
        await early.announce(row, "thing.changed", {"thing_id": str(row.id), "amount_idr": 3})
    await Processes(SAMPLE, sample).relay.once()
    assert await sequences(sample, thing.id, 3) == [1, 2, 3]


async def test_a_database_that_came_back_from_a_dump_is_told_on(sample: Runtime) -> None:
    """A dump keeps the cursor and not the count of transactions that it speaks of."""
    thing = await tell(sample)
    await Processes(SAMPLE, sample).relay.once()
    async with sample.begin(SYSTEM) as uow:
        await uow.execute(text("UPDATE relay_cursor SET snapshot = '900000000:900000000:'"))
    await tell(sample, thing, amount=2)
    relay = Processes(SAMPLE, sample).relay
    assert await relay.once() >= 1
    assert await relay.once() == 0, "and the new cursor stands"
    assert set(await sequences(sample, thing.id, 3)) == {1, 2}


async def test_more_than_one_batch_holds_is_told_whole(sample: Runtime) -> None:
    """A full batch refuses the next message without a word."""
    thing = await tell(sample)
    lines = [Line(thing.id, number, {"thing_id": str(thing.id), "amount_idr": number}) for number in range(2, MANY + 1)]
    async with sample.begin(SYSTEM) as uow:
        await uow.announce_many("thing.changed", lines)
    assert await Processes(SAMPLE, sample).relay.once() == MANY
    assert await sequences(sample, thing.id, MANY) == list(range(1, MANY + 1))


async def test_readers_that_take_in_the_same_events_crosswise_do_not_block_each_other(sample: Runtime) -> None:
    """Two members of a group after a rebalance: the same ids from opposite ends, in transactions that overlap."""

    async def take(chunk: list[tuple[Message, Event]]) -> int:
        async with sample.begin(SYSTEM) as uow:
            _, fresh, _ = await inbox.take_in(uow, chunk, SAMPLE.handlers, blocked=())
            return len(fresh)

    for _ in range(10):
        events = [_event(sample) for _ in range(1_500)]
        taken = await asyncio.gather(take(events), take(events[::-1]))
        assert sorted(taken) == [0, len(events)]


def _event(runtime: Runtime) -> tuple[Message, Event]:
    contract, key = runtime.contracts.event("thing.changed"), new_id()
    headers = encode(
        attributes(
            id=new_id(), source="/sample", type=contract.type, key=key, sequence=1, schema=contract.schema_urn,
            classification=contract.classification, headers={"time": "2026-01-01T00:00:00Z"},
        )
    )  # fmt: skip
    message = Message(contract.topic, 0, 0, str(key).encode(), b"{}", headers)
    event = decode(message.topic, message.key, message.value, message.headers)
    return message, event
