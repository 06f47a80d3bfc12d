"""Producers and readers hold the same contract: a reader's smaller view takes whatever the schema allows."""

import inspect
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import jsonschema_rs
import pytest
from faults.newer import grown
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kit.events.schemas import Contracts
from kit.service import Service
from pydantic import BaseModel
from stack import places
from stack.contracts import catalogue
from stack.contracts.__main__ import baseline
from stack.contracts.catalogue import EventEntry
from stack.members import member
from stack.places import SERVICES

EVENTS = {entry.type: entry for entry in catalogue.events()}
CONTRACTS = Contracts(places.CONTRACTS)
RELEASED = baseline()["events"]


def payloads(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Whatever a schema of our dialect allows."""
    if values := schema.get("enum") or schema.get("x-values"):
        return st.sampled_from(values)
    match schema["type"]:
        case "object":
            must = set(schema.get("required", ()))
            parts = {name: payloads(part) for name, part in schema.get("properties", {}).items()}
            return st.fixed_dictionaries(
                {name: part for name, part in parts.items() if name in must},
                optional={name: part for name, part in parts.items() if name not in must},
            )
        case "array":
            return st.lists(payloads(schema["items"]), max_size=min(3, schema["maxItems"]))
        case "integer":
            return st.integers(schema["minimum"], schema["maximum"])
        case "boolean":
            return st.booleans()
    match schema.get("format"):
        case "uuid":
            return st.uuids().map(str)
        case "date":
            return st.dates(min_value=date(1900, 1, 1)).map(str)
        case "date-time":
            return st.datetimes(datetime(1970, 1, 1), timezones=st.just(UTC)).map(lambda moment: moment.isoformat())  # noqa: DTZ001 - the zone is given beside
    if "pattern" in schema:
        pattern = re.compile(schema["pattern"].replace("$", r"\Z"), re.ASCII)
        return st.from_regex(pattern).filter(lambda text: len(text) <= schema["maxLength"])
    return st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=schema["maxLength"])


def services() -> Iterator[Service]:
    for name in SERVICES:
        yield member(name)


@cache
def views() -> list[tuple[str, EventEntry, type[BaseModel]]]:
    """Which view each handler reads each event through, as its source says."""
    found = []
    for service in services():
        for wire_type, handler in service.handlers.items():
            code = inspect.unwrap(getattr(handler, "func", handler))
            if not hasattr(code, "__code__"):
                continue
            for name in re.findall(r"\.read\((\w+)\)", inspect.getsource(code)):
                view = code.__globals__.get(name)
                if isinstance(view, type) and issubclass(view, BaseModel):
                    found.append((service.name, EVENTS[wire_type], view))
    return found


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_reads_only_what_exists_and_what_the_catalogue_says_it_reads(name: str):
    for wire_type in member(name).handlers:
        assert wire_type in EVENTS
        assert name in EVENTS[wire_type].topic["readers"], f"{name} reads {EVENTS[wire_type].topic['topic']}"


@pytest.mark.parametrize("name", SERVICES)
def test_who_is_named_as_a_reader_reads(name: str):
    topics = {EVENTS[wire_type].topic["topic"] for wire_type in member(name).handlers}
    assert topics == {topic["topic"] for topic in catalogue.topics() if name in topic["readers"]}


def test_every_view_reads_every_example():
    known = views()
    assert known, "no handler reads through a view: this test would prove nothing"
    for _, entry, view in known:
        for example in entry.schema["examples"]:
            view.model_validate(example)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_every_view_reads_whatever_the_schema_allows(data: st.DataObject):
    service, entry, view = data.draw(st.sampled_from(views()))
    payload = data.draw(payloads(dict(entry.schema)))
    assert jsonschema_rs.is_valid(dict(entry.schema), payload, validate_formats=True), (service, entry.type)
    view.model_validate(payload)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_view_ignores_what_a_later_version_adds(data: st.DataObject):
    _, entry, view = data.draw(st.sampled_from(views()))
    example = data.draw(st.sampled_from(entry.schema["examples"]))
    added = data.draw(
        st.dictionaries(st.from_regex(r"new_[a-z]{1,9}\Z"), st.integers() | st.text() | st.booleans(), max_size=3)
    )
    assert (
        view.model_validate(example | added).model_dump(exclude_unset=False, include=set(view.model_fields))
        == view.model_validate(example).model_dump()
    )


@pytest.mark.parametrize("wire_type", sorted(EVENTS))
def test_the_contract_of_every_event_lets_a_newer_producer_through(wire_type: str):
    """Readers check what they get against the contract they know: fields it does not name must not break it."""
    contract = CONTRACTS.of_type(wire_type)
    assert contract is not None
    for example in EVENTS[wire_type].schema["examples"]:
        contract.check(grown(example))


def test_every_view_reads_what_a_newer_producer_says():
    """New fields at every depth, and a new value of every open list: "something else", never an error."""
    for service, entry, view in views():
        contract = CONTRACTS.of_type(entry.type)
        assert contract is not None
        for example in entry.schema["examples"]:
            for payload in (grown(example), *with_new_values(example, dict(entry.schema))):
                contract.check(payload)
                assert view.model_validate(payload), (service, entry.type)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_every_view_and_contract_of_today_takes_what_an_older_producer_says(data: st.DataObject):
    """The log is replayed: what was released once is read for as long as anybody keeps it."""
    _, entry, view = data.draw(st.sampled_from([found for found in views() if found[1].type in RELEASED]))
    contract = CONTRACTS.of_type(entry.type)
    assert contract is not None
    for payload in (data.draw(payloads(RELEASED[entry.type]["schema"])), *RELEASED[entry.type]["examples"]):
        contract.check(payload)
        view.model_validate(payload)


def with_new_values(example: dict[str, Any], schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The same once for each open list among its fields, with a value that nobody knows yet."""
    for name, part in schema["properties"].items():
        if name in example and "x-values" in part:
            yield example | {name: "sesuatu_baru"[: part["maxLength"]]}
