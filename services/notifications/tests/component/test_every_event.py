"""Every event of the rules: the examples of the contracts are understood, told once, and announced without a contact."""

import json
from uuid import UUID

from kit.ids import new_id
from notifications.rules.book import Book


def examples(desk, rule):
    service, _, name = rule.event.partition(".")
    contract = desk.running.runtime.contracts.event(name)
    assert contract.owner == service
    return contract.schema["examples"]


async def test_every_event_plans_messages_and_its_duplicate_plans_none(desk):
    delivered = []
    for rule in Book.load().rules:
        for example in examples(desk, rule):
            if rule.person and example.get(rule.person):
                desk.registry.knows(UUID(example[rule.person]), phone="0812-3456-7890", email="warga@contoh.id")
            key = new_id()
            event = await desk.running.deliver(rule.type, example, key=key)
            delivered.append((rule.type, example, key, event))
    planned = await desk.running.sql("SELECT count(*) AS n FROM message")
    assert planned[0]["n"] >= len(delivered)
    await desk.running.sql("DELETE FROM inbox")
    await desk.running.sql("DELETE FROM stream_position")
    for wire_type, example, key, event in delivered:
        await desk.running.deliver(wire_type, example, key=key, id=event, sequence=1)
    assert (await desk.running.sql("SELECT count(*) AS n FROM message"))[0]["n"] == planned[0]["n"]
    for _ in range(3):
        await desk.work()
    assert "render_failed" not in await desk.states()
    told = json.dumps([event.data for event in await desk.running.outbox()])
    assert "81234567890" not in told
    assert "contoh.id" not in told
