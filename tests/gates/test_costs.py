"""An operation that comes to ask more of the database than it should is found here, not after a year in service.

Statements are counted exactly; log and blocks have a ceiling a little above what they are. A change that lowers one
lowers its gate with it.
"""

import json
from datetime import UTC, datetime
from functools import partial

import pytest
from kit.auth.actor import Actor
from kit.db.uow import Line
from kit.events.consumer import Consumer, Together
from kit.events.envelope import attributes, encode
from kit.events.parked import Message
from kit.ids import new_id
from kit.service import Processes
from sample_service import SAMPLE, tell
from sqlalchemy import text

THING = "org.santun.sample.thing.changed.v1"
SYSTEM = Actor.system("test")


async def test_a_command_is_five_statements(sample):
    cost = await sample.meter.cost(partial(tell, sample.runtime))
    assert cost.verbs == ["BEGIN", "COMMIT", "INSERT", "SELECT", "WITH"], cost.statements
    assert cost.wal <= 2_000, cost.wal
    assert cost.blocks <= 60, cost.blocks


async def test_a_report_of_a_death_over_http_is_nine_statements(service_factory, meter_of):
    registry = await service_factory("registry", database_pool_size=1)
    body = {"source": "rt", "died_on": "2026-01-05", "region_code": "32.76.03.1001", "subject_name": "Warga Contoh"}
    async with registry.client("op_desa", regions=["32.76.03"]) as desk:

        async def report() -> None:
            answer = await desk.post("/v1/deaths", json=body)
            assert answer.status_code == 201, answer.text

        cost = await meter_of(registry.database).cost(report)
    assert len(cost.statements) == 9, cost.statements
    assert cost.wal <= 3_700, cost.wal
    assert cost.blocks <= 70, cost.blocks


async def test_an_idle_poll_of_the_relay_asks_little_and_writes_nothing(sample):
    relay = Processes(SAMPLE, sample.runtime).relay
    connection, producer = await relay._connect(), await relay._producer()
    try:
        await tell(sample.runtime)
        await relay._round(connection, producer)
        cost = await sample.meter.cost(partial(relay._round, connection, producer))
    finally:
        await producer.stop()
        await connection.close()
    # The second form: somebody else in the cluster has written meanwhile, so there might have been something.
    assert cost.verbs in (["SELECT"], ["BEGIN", "COMMIT", "SELECT", "WITH"]), cost.statements
    assert cost.wal == 0
    # The question itself is planned over every day's partition.
    assert cost.blocks <= (40 if cost.verbs == ["SELECT"] else 100), cost.blocks


async def test_a_batch_of_the_relay_writes_its_cursor_and_nothing_else(sample):
    relay = Processes(SAMPLE, sample.runtime).relay
    connection, producer = await relay._connect(), await relay._producer()

    async def fill_and_send() -> None:
        await _announce(sample.runtime, 1_000)
        assert await relay._round(connection, producer) == 1_000

    try:
        filling = await sample.meter.cost(partial(_announce, sample.runtime, 1_000))
        await relay._round(connection, producer)
        cost = await sample.meter.cost(fill_and_send)
    finally:
        await producer.stop()
        await connection.close()
    assert len(cost.statements) - len(filling.statements) == 5, cost.statements
    written = {
        query for query in cost.statements if not query.upper().startswith(("SELECT", "WITH", "BEGIN", "COMMIT"))
    }
    assert len([query for query in written if "relay_cursor" in query]) == 1
    assert not [query for query in written if "UPDATE outbox" in query or "DELETE" in query]


async def test_events_of_a_chunk_are_a_statement(sample):
    cost = await sample.meter.cost(partial(_announce, sample.runtime, 1_000))
    assert cost.verbs == ["BEGIN", "COMMIT", "COPY", "SELECT"], cost.statements
    assert cost.wal <= 1_000 * 450, cost.wal


@pytest.mark.parametrize(("together", "statements", "ceiling"), [(True, 6, 75_000), (False, 105, 75_000)])
async def test_a_chunk_of_a_consumer_is_five_statements_and_its_effects(sample, together, statements, ceiling):
    handlers = dict.fromkeys(SAMPLE.handlers, Together(_together)) if together else SAMPLE.handlers
    consumer = Consumer(sample.runtime, handlers, group="gate")
    cost = await sample.meter.cost(lambda: consumer.handle(_messages(sample.runtime, 100)))
    assert len(cost.statements) == statements, cost.statements
    assert cost.wal <= ceiling, cost.wal


@pytest.mark.parametrize("events", [50, 200])
async def test_a_chunk_of_the_planner_is_as_many_statements_for_many_messages_as_for_few(
    service_factory, meter_of, events
):
    running = await service_factory("notifications", database_pool_size=1)
    contract = running.runtime.contracts.event("payment.settled")
    [example, *_] = contract.schema["examples"]

    def chunk():
        return [
            _message(
                running.runtime.topic(contract.topic), offset, contract.type, datetime.now(UTC).isoformat(),
                lambda key: {**example, "payment_id": key, "person_id": key},
            )
            for offset in range(events)
        ]  # fmt: skip

    cost = await meter_of(running.database).cost(lambda: running.consumer.handle(chunk()))
    once = ["BEGIN", "COMMIT", "COPY", "INSERT", "INSERT", "INSERT", "SELECT", "SELECT", "SELECT", "WITH", "WITH"]
    assert cost.verbs == once, cost.statements
    assert cost.wal <= events * 4_500, cost.wal / events
    assert await running.sql("SELECT count(*) AS n FROM message") == await running.sql(
        "SELECT count(*) AS n FROM inbox"
    )


async def _announce(runtime, count):
    async with runtime.begin(SYSTEM) as uow:
        ids = [new_id() for _ in range(count)]
        await uow.announce_many("thing.changed", [Line(id, 1, {"thing_id": str(id), "amount_idr": 1}) for id in ids])


async def _together(uow, events):
    await uow.execute(
        text("INSERT INTO effect SELECT * FROM unnest(CAST(:i AS uuid[]), CAST(:k AS uuid[]), CAST(:s AS bigint[]))"),
        {"i": [e.id for e in events], "k": [e.key for e in events], "s": [e.sequence for e in events]},
    )


def _messages(runtime, count):
    """New events as Kafka would bring them."""
    topic, at = runtime.topic("sample.thing"), "2026-01-05T02:03:04Z"
    return [_message(topic, n, THING, at, lambda key: {"thing_id": key, "amount_idr": 1}) for n in range(count)]


def _message(topic, offset, wire_type, at, payload):
    key = new_id()
    headers = attributes(
        id=new_id(), source="/sample", type=wire_type, key=key, sequence=1, schema="", classification="internal",
        headers={"time": at},
    )  # fmt: skip
    return Message(topic, 0, offset, str(key).encode(), json.dumps(payload(str(key))).encode(), encode(headers))
