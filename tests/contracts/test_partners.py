"""The partners' page does what it says: its program is run against a real broker, its links lead somewhere."""

import asyncio
import json
import re
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from kit.events import envelope
from registry.deaths.api import NewDeath
from stack.contracts import catalogue
from stack.kafka import Kafka
from stack.places import ROOT

PAGE = (ROOT / "docs" / "partners.md").read_text()
CLAIM = next(entry for entry in catalogue.events() if entry.name == "claim.filed")


async def test_a_dozen_lines_and_an_sdk_of_cloudevents_are_enough_to_subscribe(kafka: Kafka):
    topic = f"partners-{uuid4()}"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])
    await admin.close()
    key = UUID(CLAIM.schema["examples"][0]["claim_id"])
    ids = [UUID(f"0199a3c4-9d1e-7c02-8a51-3f1f0c7b2e{n:02x}") for n in range(3)]
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, compression_type="gzip") as producer:
        for number, event_id in enumerate(ids, 1):
            attributes = envelope.attributes(
                id=event_id, source="/disbursement", type=CLAIM.type, key=key, sequence=number,
                schema=CLAIM.schema["$id"], classification="confidential", headers={"time": "2026-07-21T02:00:00Z"},
            )  # fmt: skip
            value = json.dumps(CLAIM.schema["examples"][0]).encode()
            await producer.send_and_wait(topic, value, key=str(key).encode(), headers=envelope.encode(attributes))

    told: asyncio.Queue = asyncio.Queue()
    names: dict = {}
    program = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len([line for line in program[1].splitlines() if line.strip()]) <= 12
    exec(program[1], names)
    following = asyncio.create_task(names["follow"](kafka.bootstrap, topic, f"group-{uuid4()}", told.put))
    try:
        seen = [await asyncio.wait_for(told.get(), 30) for _ in ids]
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    assert [event.get_id() for event in seen] == [str(event_id) for event_id in ids]
    assert [event.get_extension("sequence") for event in seen] == ["0000000001", "0000000002", "0000000003"]
    assert seen[0].get_data() == CLAIM.schema["examples"][0]


@pytest.mark.parametrize("page", ["docs/partners.md", "docs/events.md", "docs/glossary.md", "contracts/README.md"])
def test_the_links_of_the_page_lead_somewhere(page: str):
    here = (ROOT / page).parent
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", (ROOT / page).read_text()):
        assert target.startswith("https://") or (here / target).exists(), target


def test_the_command_of_the_page_is_one_that_the_registry_understands():
    body = json.loads(re.search(r"-d '(\{.*?\})'", PAGE)[1])
    assert NewDeath.model_validate_json(json.dumps(body)).client_ref == "RS-2026-000123"


def test_the_page_and_the_catalogue_agree_on_retention():
    days = {str(topic["retention_days"]) for topic in catalogue.topics()}
    assert days == set(re.findall(r"Topics keep (\d+) days", PAGE))
