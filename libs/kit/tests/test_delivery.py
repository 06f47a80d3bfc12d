"""What is committed is published once per id and in order, and has its effect once."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from kit.auth.actor import Actor
from kit.db.uow import Line, UnitOfWork
from kit.events import parked
from kit.events.consumer import Together, Transient
from kit.events.envelope import Event, attributes, encode
from kit.events.parked import Message
from kit.events.relay import Relay
from kit.events.schemas import ContractBroken
from kit.ids import new_id
from kit.runtime import Runtime
from kit.service import Processes, Service
from kit.testing.eventually import eventually
from sample_service import SAMPLE, BrokenHandler, Thing, tell
from sqlalchemy import text

SYSTEM = Actor.system("test")


async def rows(runtime: Runtime, sql: str) -> list[tuple[object, ...]]:
    async with runtime.begin(SYSTEM) as uow:
        return [tuple(row) for row in await uow.execute(text(sql))]


async def published(runtime: Runtime, count: int) -> list[tuple[UUID, int]]:
    """(key, sequence) as a foreign consumer reads them."""
    consumer = AIOKafkaConsumer(
        runtime.topic("sample.thing"), bootstrap_servers=runtime.settings.kafka_bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    found: list[tuple[UUID, int]] = []
    try:
        async with asyncio.timeout(20):
            while len(found) < count:
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    found += [(UUID(r.key.decode()), int(dict(r.headers)["ce_sequence"])) for r in batch]
    finally:
        await consumer.stop()
    return found


async def consume(runtime: Runtime, until: str, expected: int, service: Service = SAMPLE) -> None:
    """Run the consumer until the query counts what is expected."""
    stop = asyncio.Event()
    running = asyncio.create_task(Processes(service, runtime).consumer.run(stop))

    async def done() -> bool:
        return (await rows(runtime, until))[0][0] == expected

    try:
        await eventually(done, within=20)
    finally:
        stop.set()
        await running


async def test_concurrent_writers_lose_nothing_and_reorder_nothing(sample: Runtime) -> None:
    things = [await tell(sample) for _ in range(5)]
    stop = asyncio.Event()
    relay = Processes(SAMPLE, sample).relay
    relaying = asyncio.create_task(relay.run(stop))
    slow = asyncio.create_task(_slow_writer(sample, things[0]))
    await asyncio.gather(*(_write(sample, thing, 20) for thing in things for _ in range(2)))
    await slow
    found = await published(sample, 5 + 5 * 2 * 20 + 1)
    stop.set()
    await relaying
    for thing in things:
        sequences = [s for key, s in found if key == thing.id]
        assert sequences == list(range(1, len(sequences) + 1))


async def _write(runtime: Runtime, thing: Thing, times: int) -> None:
    for amount in range(times):
        await tell(runtime, thing, amount=amount)


async def _slow_writer(runtime: Runtime, thing: Thing) -> None:
    async with runtime.begin(SYSTEM, origin="api") as uow:
        await uow.execute(text("SELECT pg_current_xact_id(), pg_sleep(0.3)"))
        from kit.db.uow import lock

        row = await lock(uow, Thing, thing.id, None)
        await uow.save(row)
        await uow.announce(row, "thing.changed", {"thing_id": str(row.id), "amount_idr": 0})


class Hurried(Relay):
    """A relay beside which somebody commits at the very end of its first round that finds nothing."""

    late: Callable[[], Awaitable[object]] | None = None

    async def _round(self, connection: Any, producer: Any) -> int:
        sent = await super()._round(connection, producer)
        if not sent and self.late is not None:
            late, self.late = self.late, None
            await late()
            self.wake()
        return sent


async def test_what_is_committed_while_the_relay_looks_does_not_wait_for_the_next_poll(sample: Runtime) -> None:
    settings = sample.settings
    relay = Hurried(
        database_url=settings.database_url.get_secret_value(), kafka=settings.kafka(),
        contracts=sample.contracts, service="sample", poll_seconds=600,
    )  # fmt: skip
    relay.late = partial(tell, sample)
    stop = asyncio.Event()
    running = asyncio.create_task(relay.run(stop))
    try:
        assert len(await published(sample, 1)) == 1
    finally:
        stop.set()
        await running


async def test_every_event_twice_has_one_effect(sample: Runtime) -> None:
    thing = await tell(sample)
    for amount in (1, 2, 3):
        await tell(sample, thing, amount=amount)
    relay = Processes(SAMPLE, sample).relay
    assert await relay.once() == 4
    assert await relay.once() == 0
    assert await relay.replay(datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(hours=1)) == 4
    await consume(sample, "SELECT count(*) FROM effect", 4)
    assert await rows(sample, "SELECT sequence FROM effect ORDER BY sequence") == [(1,), (2,), (3,), (4,)]


async def test_events_taken_together_come_in_order_and_a_bad_one_falls_out_alone(sample: Runtime) -> None:
    good, bad = await tell(sample), await tell(sample)
    for amount in (1, 2, 3):
        await tell(sample, good, amount=amount)
    await tell(sample, bad, amount=13)
    await tell(sample, bad, amount=14)
    runs: list[list[tuple[UUID, int]]] = []

    async def apply(uow: UnitOfWork, events: Sequence[Event]) -> None:
        runs.append([(event.key, event.sequence) for event in events])
        if any(event.data["amount_idr"] == 13 for event in events):
            raise BrokenHandler
        ids, keys = [event.id for event in events], [event.key for event in events]
        numbers = [event.sequence for event in events]
        await (await uow.driver()).execute(
            "INSERT INTO effect SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[])", ids, keys, numbers
        )

    await Processes(SAMPLE, sample).relay.once()
    service = replace(SAMPLE, handlers=dict.fromkeys(SAMPLE.handlers, Together(apply)))
    await consume(sample, "SELECT count(*) FROM parked", 2, service)
    effects = await rows(sample, "SELECT key, sequence FROM effect ORDER BY key, sequence")
    assert sorted(effects) == sorted([*((good.id, number) for number in (1, 2, 3, 4)), (bad.id, 1)])
    assert any(len([number for key, number in run if key == good.id]) == 4 for run in runs)
    async with sample.begin(SYSTEM) as uow:
        assert [waiting.reason for waiting in await parked.listing(uow)] == ["handler_failed", "behind_parked"]


@pytest.mark.parametrize(
    ("failing", "error", "passes"),
    [
        ("SELECT pg_terminate_backend(pg_backend_pid())", None, True),
        ("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'deadlock_detected'; END $$", None, True),
        ("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'invalid_password'; END $$", None, True),
        ("SELECT 1 / 0", asyncpg.DivisionByZeroError, False),
        ("SELECT $1::uuid", asyncpg.DataError, False),
    ],
)
async def test_a_lost_database_is_waited_for_also_where_the_driver_is_spoken_to(
    sample: Runtime, failing: str, error: type[Exception] | None, *, passes: bool
) -> None:
    async def apply(uow: UnitOfWork, _: Sequence[Event]) -> None:
        await (await uow.driver()).execute(failing, *(["no uuid"] if "$1" in failing else []))

    service = replace(SAMPLE, handlers=dict.fromkeys(SAMPLE.handlers, Together(apply)))
    key = str(new_id())
    headers = encode(
        attributes(
            id=new_id(), source="/sample", type=next(iter(SAMPLE.handlers)), key=UUID(key), sequence=1, schema="",
            classification="internal", headers={"time": "2026-01-05T02:03:04Z"},
        )
    )  # fmt: skip
    value = json.dumps({"thing_id": key, "amount_idr": 1}).encode()
    message = Message(sample.topic("sample.thing"), 0, 0, key.encode(), value, headers)
    with pytest.raises(Transient if passes else error or Exception):
        await Processes(service, sample).consumer._transaction([message], attempt=1)


async def test_a_poison_message_blocks_its_key_and_nothing_else(sample: Runtime) -> None:
    poisoned, healthy = await tell(sample), await tell(sample)
    await tell(sample, poisoned, amount=13)
    await tell(sample, poisoned, amount=14)
    await tell(sample, healthy, amount=15)
    await Processes(SAMPLE, sample).relay.once()
    await consume(sample, "SELECT count(*) FROM parked", 2)
    effects = await rows(sample, "SELECT key, sequence FROM effect ORDER BY key, sequence")
    assert sorted(effects) == sorted([(poisoned.id, 1), (healthy.id, 1), (healthy.id, 2)])
    async with sample.begin(SYSTEM) as uow:
        waiting = await parked.listing(uow)
    assert [(p.reason, p.detail) for p in waiting] == [("handler_failed", "BrokenHandler"), ("behind_parked", "")]


async def test_parked_messages_are_redriven_in_order_once_mended(
    sample: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    thing = await tell(sample)
    await tell(sample, thing, amount=13)
    await tell(sample, thing, amount=14)
    await Processes(SAMPLE, sample).relay.once()
    await consume(sample, "SELECT count(*) FROM parked", 2)
    consumer = Processes(SAMPLE, sample).consumer

    async def mended(uow: object, event: object) -> None:
        await uow.execute(  # type: ignore[attr-defined]
            text("INSERT INTO effect VALUES (:id, :key, :s)"),
            {"id": event.id, "key": event.key, "s": event.sequence},  # type: ignore[attr-defined]
        )

    monkeypatch.setitem(consumer._handlers, "org.santun.sample.thing.changed.v1", mended)
    assert await consumer.redrive(sample.topic("sample.thing"), str(thing.id), by="operator") == 2
    assert await rows(sample, "SELECT sequence FROM effect ORDER BY sequence") == [(1,), (2,), (3,)]
    assert await rows(sample, "SELECT count(*) FROM parked WHERE state = 'parked'") == [(0,)]


async def test_messages_that_are_no_events_are_parked_unread(sample: Runtime) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=sample.settings.kafka_bootstrap)
    await producer.start()
    for value in (b"not json", b"[1]", b'{"nik": "3276010101900001"}', b"\xff\xfe", b"{" * 3000):
        await producer.send_and_wait(sample.topic("sample.thing"), value, key=str(new_id()).encode())
    await producer.stop()
    await consume(sample, "SELECT count(*) FROM parked", 5)
    kept = str(await rows(sample, "SELECT payload_enc, headers_enc, detail, reason FROM parked"))
    assert "3276010101900001" not in kept
    assert await rows(sample, "SELECT count(*) FROM effect") == [(0,)]


async def test_a_payload_that_breaks_its_contract_is_never_announced(sample: Runtime) -> None:
    with pytest.raises(ContractBroken):
        async with sample.begin(SYSTEM) as uow:
            row = Thing()
            await uow.save(row)
            await uow.announce(row, "thing.changed", {"thing_id": str(row.id), "amount_idr": -1})
    assert await rows(sample, "SELECT count(*) FROM thing") == [(0,)]


async def test_a_chunk_is_announced_line_by_line(sample: Runtime) -> None:
    keys = [new_id() for _ in range(2_500)]
    async with sample.begin(SYSTEM) as uow:
        await uow.announce_many(
            "thing.changed", [Line(k, 1, {"thing_id": str(k), "amount_idr": n}) for n, k in enumerate(keys)]
        )
    assert await Processes(SAMPLE, sample).relay.once() == 2_500
    assert [key for key, _ in sorted(await published(sample, 2_500))] == sorted(keys)
