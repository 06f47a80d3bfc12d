"""Messages from the broker and receipts of providers: an event, a report, or the reader's own refusal."""

import json
from datetime import UTC, datetime
from typing import Any

from fuzz.effort import fuzzed, storable
from hypothesis import example, given
from hypothesis import strategies as st
from kit.events.envelope import BrokenEnvelope, Event, attributes, decode, encode
from kit.ids import new_id
from notifications.receipts.commands import signed
from notifications.receipts.reading import Report, Unreadable, read

VALUE: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=12)
    | st.sampled_from(["delivered", "failed", "\x00", "\ud800", "131026", "01a202c6-8cbc-7675-8418-2a1c7c53717a", "x" * 300]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
NAMES = (
    "specversion",
    "id",
    "source",
    "type",
    "time",
    "sequence",
    "partitionkey",
    "subject",
    "traceparent",
    "correlationid",
)
WORDS = st.sampled_from([
    "", "1.0", "2.0", "-1", "1_000", " 7", "٣", "9" * 19, "9" * 5_000, "+5", "0x1", "2026-08-03", "2026-08-03T01:02:03", "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59.999999-23:59", "2026-W01-1T00:00:00Z", "\x00", "01a202c6-8cbc-7675-8418-2a1c7c53717a", "{01a202c68cbc767584182a1c7c53717a}",
])  # fmt: skip


def good() -> tuple[bytes, list[tuple[str, bytes]]]:
    key = new_id()
    return str(key).encode(), encode(
        attributes(
            id=new_id(), source="/registry", type="org.santun.registry.death.certified.v1", key=key, sequence=7, schema="urn:x",
            classification="internal", headers={"time": datetime(2026, 8, 3, tzinfo=UTC).isoformat()},
        )
    )  # fmt: skip


def judged(key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]) -> None:
    """The property: an event whose parts the inbox can hold, or BrokenEnvelope."""
    try:
        event = decode("registry.death", key, value, headers)
    except BrokenEnvelope:
        return
    assert isinstance(event, Event)
    assert event.time.tzinfo is not None
    assert 0 <= event.sequence < 2**63
    assert storable(
        [event.type, event.source, event.subject, event.correlation_id, event.causation_id, *event.headers.values()]
    )
    assert event.time.astimezone(UTC)


@given(
    st.binary(max_size=60),
    st.lists(st.tuples(st.text(max_size=12), st.binary(max_size=30)), max_size=6),
    st.binary(max_size=40),
)
@fuzzed
def test_any_bytes_are_an_event_or_a_broken_envelope(
    value: bytes, headers: list[tuple[str, bytes]], key: bytes
) -> None:
    judged(key, value, headers)
    judged(None, None, headers)


@given(
    st.dictionaries(
        st.sampled_from(NAMES), WORDS | st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=3
    ),
    VALUE,
)
@fuzzed
def test_an_event_with_some_attributes_changed_is_read_or_broken(changed: dict[str, str], data: Any) -> None:
    key, headers = good()
    spoilt = [(name, changed.get(name[3:], value.decode()).encode()) for name, value in headers]
    judged(key, json.dumps(data).encode(), spoilt)
    judged(changed.get("partitionkey", "x").encode(), b"{}", spoilt)
    judged(None, b"{}", spoilt)


@given(st.dictionaries(st.sampled_from([*NAMES, "data", "data_base64"]), VALUE, max_size=4))
@example({"source": "\ud800"})
@fuzzed
def test_a_structured_event_is_read_or_broken(changed: dict[str, Any]) -> None:
    key, headers = good()
    whole = {name[3:]: value.decode() for name, value in headers if name.startswith("ce_")} | {"data": {}}
    body = json.dumps(whole | changed).encode()
    judged(key, body, [("content-type", b"application/cloudevents+json")])
    judged(None, body, [("content-type", b"application/cloudevents+json; charset=utf-8")])


OWN = st.fixed_dictionaries({}, optional={"id": VALUE, "reference": VALUE, "status": VALUE, "error": VALUE})
STATUS = st.fixed_dictionaries(
    {}, optional={"id": VALUE, "status": VALUE, "errors": VALUE | st.lists(st.fixed_dictionaries({"code": VALUE}))}
)
META = st.fixed_dictionaries(
    {"value": st.fixed_dictionaries({"statuses": st.lists(STATUS, max_size=3) | VALUE}) | VALUE}
)
RECEIPT = (
    VALUE
    | st.fixed_dictionaries({"receipts": st.lists(OWN | VALUE, max_size=4) | VALUE})
    | st.fixed_dictionaries(
        {"entry": st.lists(st.fixed_dictionaries({"changes": st.lists(META, max_size=2) | VALUE}), max_size=2)}
    )
)


@given(RECEIPT)
@example({"receipts": [{"id": "a\x00", "status": "delivered"}]})
@example({"receipts": [{"id": "\ud800", "status": "delivered"}]})
@example({"entry": [{"changes": [{"value": {"statuses": [{"id": "", "status": "sent"}]}}]}]})
@example({"entry": [{"changes": [{"value": {"statuses": [{"id": "a\x00", "status": "failed"}]}}]}]})
@fuzzed
def test_a_receipt_is_reports_that_can_be_stored_or_unreadable(body: Any) -> None:
    try:
        reports = read(json.loads(json.dumps(body)))
    except Unreadable:
        return
    for one in reports:
        assert isinstance(one, Report)
        assert one.provider_ref is None or 0 < len(one.provider_ref) <= 120
        assert one.code is None or len(one.code) <= 40
        assert one.provider_ref is not None or one.reference is not None
        assert storable([one.provider_ref, one.code])


@given(st.binary(max_size=40), st.text(st.characters(codec="latin-1"), max_size=80))
@fuzzed
def test_no_header_is_a_signature_by_chance_and_none_breaks_the_check(body: bytes, header: str) -> None:
    assert not signed(body, header, "a-secret-of-the-test")
    assert not signed(body, "sha256=" + header, "a-secret-of-the-test")
