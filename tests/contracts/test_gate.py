"""The gate of events: every row of the table in contracts/README.md, and the contracts of today against the release."""

from copy import deepcopy
from dataclasses import replace
from datetime import date

import pytest
from stack.contracts import catalogue, gate
from stack.contracts.__main__ import baseline
from stack.contracts.catalogue import EventEntry

TODAY = date(2026, 7, 21)
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "urn:santun:registry:thing.changed:1.0",
    "title": "thing.changed v1",
    "description": "A thing changed.",
    "type": "object",
    "required": ["thing_id", "state"],
    "properties": {
        "thing_id": {"description": "The thing.", "type": "string", "format": "uuid", "maxLength": 36},
        "state": {
            "description": "State.",
            "type": "string",
            "pattern": "^[a-z]+$",
            "maxLength": 40,
            "x-values": ["open", "shut"],
        },
        "colour": {"description": "Closed.", "type": "string", "enum": ["red", "white"]},
        "amount_idr": {"description": "Rupiah.", "type": "integer", "minimum": 0, "maximum": 100},
        "codes": {"description": "Codes.", "type": "array", "maxItems": 5, "items": {"type": "string", "maxLength": 9}},
    },
    "examples": [
        {
            "thing_id": "0199a3c4-714a-714a-8906-00cbf382de2a",
            "state": "open",
            "colour": "red",
            "amount_idr": 7,
            "codes": ["a"],
        }
    ],
}


def entry(
    schema: dict | None = None, *, topic: str = "registry.thing", key: str = "thing_id", **words: object
) -> EventEntry:
    named = {"topic": topic, "key": key, "owner": "registry", "classification": "internal"}
    return EventEntry("thing.changed", 1, named, words, schema or SCHEMA)


RELEASED = gate.released([entry()])


def after(edit) -> list[str]:
    schema = deepcopy(SCHEMA)
    edit(schema)
    return gate.breaks(RELEASED, [entry(schema)], TODAY)


ALLOWED = {
    "an optional field": lambda s: s["properties"].update(
        note_code={"description": "New.", "type": "string", "maxLength": 9}
    ),
    "an optional object": lambda s: s["properties"].update(
        more={"description": "New.", "type": "object", "required": ["n"], "properties": {}}
    ),
    "another description": lambda s: s["properties"]["state"].update(description="In better words."),
    "another title": lambda s: s.update(title="thing.changed v1, better"),
    "a value of an open list": lambda s: s["properties"]["state"]["x-values"].append("lost"),
    "another order of required": lambda s: s["required"].reverse(),
    "one more example": lambda s: s["examples"].append(s["examples"][0] | {"state": "shut"}),
    "the same by reference": lambda s: (
        s.update({"$defs": {"colour": s["properties"]["colour"]}}),
        s["properties"].update(colour={"$ref": "#/$defs/colour"}),
    ),
}
REFUSED = {
    "a new required field": lambda s: (s["required"].append("n"), s["properties"].update(n={"type": "integer"})),
    "an optional field made required": lambda s: s["required"].append("colour"),
    "a required field made optional": lambda s: s["required"].remove("state"),
    "a required field gone": lambda s: (s["required"].remove("state"), s["properties"].pop("state")),
    "an optional field gone": lambda s: s["properties"].pop("colour"),
    "a field renamed": lambda s: s["properties"].update(color=s["properties"].pop("colour")),
    "a value added to a closed list": lambda s: s["properties"]["colour"]["enum"].append("blue"),
    "a value gone from a closed list": lambda s: s["properties"]["colour"]["enum"].remove("white"),
    "a value gone from an open list": lambda s: s["properties"]["state"]["x-values"].remove("shut"),
    "an open list closed": lambda s: s["properties"]["state"].update(enum=["open", "shut"]),
    "another type": lambda s: s["properties"]["amount_idr"].update(type="string"),
    "another unit is another name": lambda s: s["properties"].update(amount_sen=s["properties"].pop("amount_idr")),
    "a pattern narrowed": lambda s: s["properties"]["state"].update(pattern="^[a-f]+$"),
    "a pattern widened": lambda s: s["properties"]["state"].update(pattern="^.*$"),
    "a pattern removed": lambda s: s["properties"]["state"].pop("pattern"),
    "a format changed": lambda s: s["properties"]["thing_id"].update(format="date"),
    "a bound narrowed": lambda s: s["properties"]["amount_idr"].update(maximum=50),
    "a bound widened": lambda s: s["properties"]["amount_idr"].update(maximum=500),
    "a length changed": lambda s: s["properties"]["state"].update(maxLength=50),
    "a constant added": lambda s: s["properties"]["state"].update(const="open"),
    "more items": lambda s: s["properties"]["codes"].update(maxItems=6),
    "other items": lambda s: s["properties"]["codes"]["items"].update(type="integer"),
    "closing the object": lambda s: s.update(additionalProperties=False),
    "a new word of the dialect": lambda s: s["properties"]["state"].update({"x-pii": True}),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_inside_a_version_this_may_change(name: str):
    assert after(ALLOWED[name]) == []


@pytest.mark.parametrize("name", REFUSED)
def test_inside_a_version_this_may_not_change(name: str):
    found = after(REFUSED[name])
    assert found
    assert all("org.santun.registry.thing.changed.v1" in sentence for sentence in found)


def test_another_key_or_topic_is_another_event():
    assert gate.breaks(RELEASED, [entry(topic="registry.other")], TODAY)
    assert gate.breaks(RELEASED, [entry(key="other_id")], TODAY)


@pytest.mark.parametrize(
    ("sunset", "readers", "allowed"),
    [("", [], False), ("2026-07-20", [], True), ("2026-07-22", [], False), ("2026-07-20", ["grants"], False)],
    ids=["never announced", "after its sunset", "before its sunset", "still read"],
)
def test_a_version_goes_only_after_its_sunset_and_unread(sunset, readers, allowed):
    announced = gate.released([replace(entry(), entry={"sunset": sunset, "still_read_by": readers})])
    assert (gate.breaks(announced, [], TODAY) == []) is allowed


def test_an_example_that_no_longer_passes_is_found_without_any_rule():
    old = deepcopy(RELEASED)
    old["org.santun.registry.thing.changed.v1"]["examples"][0]["amount_idr"] = 101
    assert gate.breaks(old, [entry()], TODAY) == [
        "org.santun.registry.thing.changed.v1: old example 1 does not pass any more"
    ]


def test_a_new_version_stands_beside_the_old_one():
    second = EventEntry("thing.changed", 2, entry().topic, {}, SCHEMA | {"required": ["thing_id"]})
    assert gate.breaks(RELEASED, [entry(), second], TODAY) == []


def test_the_contracts_of_today_keep_every_promise_of_the_release():
    assert gate.breaks(baseline()["events"], catalogue.events(), date.today()) == []  # noqa: DTZ011 - a civil day


def test_every_event_was_released():
    assert {e.type for e in catalogue.events()} <= baseline()["events"].keys(), "run: python -m stack.contracts release"
