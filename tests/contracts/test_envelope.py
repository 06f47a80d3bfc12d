"""What the kit writes is a CloudEvent: by our profile, and by the SDK of CloudEvents as an independent reader."""

import json
from datetime import UTC, datetime
from uuid import UUID

import jsonschema_rs
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from kit.events import envelope
from kit.events.schemas import Contracts
from stack.contracts import catalogue
from stack.contracts.catalogue import EventEntry
from stack.places import CONTRACTS

PROFILE = json.loads((CONTRACTS / "envelope.schema.json").read_text())
ID = UUID("0199a3c4-9d1e-7c02-8a51-3f1f0c7b2e44")
KEY = UUID("0199a3c4-714a-714a-8906-00cbf382de2a")
ENTRIES = list(catalogue.events())
CIRCUMSTANCES = {
    "time": "2026-07-21T02:00:00.125000Z",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "correlationid": "0af7651916cd43dd8448eb211c80319c",
}
each_event = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.type)


def written(entry: EventEntry) -> tuple[dict[str, bytes], bytes]:
    contract = Contracts(CONTRACTS).of_type(entry.type) if entry is ENTRIES[0] else None
    attributes = envelope.attributes(
        id=ID, source=f"/{entry.owner}", type=entry.type, key=KEY, sequence=7,
        schema=contract.schema_urn if contract else entry.schema["$id"],
        classification=entry.classification, headers=CIRCUMSTANCES,
    )  # fmt: skip
    return dict(envelope.encode(attributes)), json.dumps(entry.schema["examples"][0]).encode()


def test_the_profile_is_a_schema_and_its_example_passes():
    assert jsonschema_rs.meta.is_valid(PROFILE)
    for example in PROFILE["examples"]:
        assert [
            e.message
            for e in jsonschema_rs.Draft202012Validator(PROFILE, validate_formats=True).iter_errors(
                example | {"datacontenttype": "application/json"}
            )
        ] == []


@each_event
def test_the_headers_that_the_kit_writes_fit_the_profile(entry: EventEntry):
    headers, _ = written(entry)
    attributes = {name.removeprefix("ce_"): value.decode() for name, value in headers.items() if name != "content-type"}
    attributes["datacontenttype"] = headers["content-type"].decode()
    assert [
        e.message for e in jsonschema_rs.Draft202012Validator(PROFILE, validate_formats=True).iter_errors(attributes)
    ] == []


@each_event
def test_the_sdk_of_cloudevents_reads_what_the_kit_writes(entry: EventEntry):
    headers, value = written(entry)
    event = from_binary(KafkaMessage(headers=headers, key=str(KEY).encode(), value=value), JSONFormat())
    assert (event.get_id(), event.get_type(), event.get_source(), event.get_subject()) == (
        str(ID),
        entry.type,
        f"/{entry.owner}",
        str(KEY),
    )
    assert event.get_time() == datetime(2026, 7, 21, 2, 0, 0, 125000, tzinfo=UTC)
    assert event.get_datacontenttype() == "application/json"
    assert event.get_extension("sequence") == "0000000007"
    assert event.get_extension("dataclassification") == entry.classification
    assert event.get_data() == entry.schema["examples"][0]


@pytest.mark.parametrize("write", [to_binary, to_structured], ids=["binary", "structured"])
def test_the_kit_reads_what_the_sdk_writes_in_both_modes(write):
    entry = ENTRIES[0]
    attributes = {
        "id": str(ID), "source": f"/{entry.owner}", "type": entry.type, "subject": str(KEY), "partitionkey": str(KEY),
        "time": datetime(2026, 7, 21, 2, tzinfo=UTC), "datacontenttype": "application/json", "sequence": "0000000007",
        "dataclassification": entry.classification, "correlationid": "abc",
    }  # fmt: skip
    message = write(CloudEvent(attributes=attributes, data=entry.schema["examples"][0]), JSONFormat())
    event = envelope.decode(
        entry.topic["topic"], str(message.key).encode(), message.value, list(message.headers.items())
    )
    assert (event.id, event.key, event.type, event.sequence) == (ID, KEY, entry.type, 7)
    assert event.data == entry.schema["examples"][0]
    assert event.correlation_id == "abc"


def test_the_sequence_sorts_as_text_in_the_order_of_its_numbers():
    numbers = [1, 9, 10, 999, 1_000, 9_999_999_999]
    texts = [
        envelope.attributes(
            id=ID, source="/x", type="t", key=KEY, sequence=n, schema="s", classification="internal", headers={}
        )["sequence"]
        for n in numbers
    ]
    assert texts == sorted(texts)
