"""A chunk of events planned together is what the same events are one by one: messages, events told, traces, audit."""

import json
import random
from datetime import timedelta

import pytest
from kit.auth.actor import Actor
from kit.events.envelope import Event
from kit.ids import new_id
from kit.telemetry import span
from notifications.consumers import HANDLERS
from notifications.messages import commands, planning
from notifications.rules.book import Book

RULES = Book.load().by_type()
CONSUMER = Actor.system("consumer")
MESSAGES = "SELECT to_jsonb(m) AS row FROM message AS m ORDER BY id"
TRACES = "SELECT message_id AS id, to_jsonb(d) - 'no' - 'message_id' AS row FROM decision AS d ORDER BY no"
ENTRIES = """SELECT aggregate_id AS id, to_jsonb(a) - 'pos' - 'xid' - 'at' - 'aggregate_id' AS row FROM audit AS a ORDER BY pos"""
TOLD = """
SELECT key AS id, to_jsonb(o) - 'pos' - 'xid' - 'id' - 'key' - 'topic' - 'created_at' AS row FROM outbox AS o
 WHERE topic LIKE '%notifications.message' ORDER BY pos
"""
OF_THE_MOMENT = ("id", "created_at", "updated_at", "business_at", "at")


def events(contracts, now, seed):
    """Examples of every rule, each thrice with other times, so that supersede keys meet; some too old, some twice."""
    chance = random.Random(seed)
    made = []
    for wire_type in RULES:
        for number in range(3):
            example = chance.choice(contracts.of_type(wire_type).schema["examples"])
            id = new_id()
            made.append(
                Event(
                    id=id, type=wire_type, source="/x", key=new_id(), sequence=number + 1, data=example,
                    time=now - timedelta(hours=chance.choice((0, 1, 1, 5, 300))),
                    correlation_id=chance.choice(("", "a-correlation")),
                    traceparent=chance.choice(("", "malformed", f"00-{id.hex}-0123456789abcdef-01")),
                )
            )  # fmt: skip
    chance.shuffle(made)
    return made + made[:5]


async def one_by_one(uow, given):
    for event in given:
        for letter in await planning.letters_for(uow, [event], RULES, uow.runtime.wiring):
            with uow.because(event):
                await commands.plan(uow, letter.envelope, letter.ways)


async def seen(running):
    """What stands in the tables, each message by what it is about and not by its id, and without the moment."""
    names = {}
    messages = []
    for record in await running.sql(MESSAGES):
        row = json.loads(record["row"])
        names[row["id"]] = "/".join(str(row[name]) for name in ("event_id", "recipient", "template", "channel"))
        messages.append(plain(row, names))
    found = {"message": sorted(messages)}
    for table, query in (("decision", TRACES), ("audit", ENTRIES), ("outbox", TOLD)):
        of_message = {}
        for record in await running.sql(query):
            if str(record["id"]) in names:
                of_message.setdefault(names[str(record["id"])], []).append(plain(json.loads(record["row"]), names))
        found[table] = of_message
    return found


def plain(row, names):
    row = {name: value for name, value in row.items() if name not in OF_THE_MOMENT}
    if "headers" in row:
        cause = row["headers"]
        cause.pop("time")
        cause["traceparent"] = cause["traceparent"].split("-")[1]
        if cause["causationid"].replace("-", "") != cause["traceparent"]:
            cause["traceparent"] = "a new one"
    if "trace_id" in row and row["aggregate"] == "message":
        row["trace_id"] = len(row["trace_id"])
    text = json.dumps(row, sort_keys=True)
    for id, name in names.items():
        text = text.replace(id, name)
    return text


@pytest.mark.parametrize("seed", [1, 2])
async def test_together_is_one_by_one(service_factory, now, seed):
    alone, together = [await service_factory("notifications") for _ in range(2)]
    given = events(alone.runtime.contracts, now, seed)
    for running in (alone, together):
        running.clock.set(now)
        async with running.runtime.begin(CONSUMER, origin="consumer") as uow:
            if running is alone:
                await one_by_one(uow, given)
            else:
                with span("a chunk"):
                    await HANDLERS["org.santun.disbursement.payment.settled.v1"].func(uow, given)
    one, other = await seen(alone), await seen(together)
    states = {json.loads(row)["state"] for row in one["message"]}
    assert states == {"planned", "expired", "superseded"}
    for table in one:
        assert one[table] == other[table], table


async def test_the_same_events_in_another_chunk_plan_nothing(service_factory, now):
    running = await service_factory("notifications")
    running.clock.set(now)
    given = events(running.runtime.contracts, now, 3)
    counts = []
    for chunk in (given, given[::-1], given[:1]):
        async with running.runtime.begin(CONSUMER, origin="consumer") as uow:
            counts.append(await planning.plan_for(uow, chunk, RULES, running.runtime.wiring))
    assert counts[0] >= len(RULES)
    assert counts[1:] == [0, 0]
