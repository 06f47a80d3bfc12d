"""CloudEvents 1.0 on Kafka, binary mode: headers carry the envelope, the value is the JSON that the schema describes.

Written to the specification; the `cloudevents` SDK is the oracle in the contract tests. Structured mode is read too.
"""

import builtins
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel

SEQUENCE_DIGITS = 10
CONTENT_TYPE = b"application/json"
MAX_VALUE_BYTES = 512 * 1024
_SEQUENCE = re.compile(r"[0-9]{1,18}")
_DEMANDED = ("id", "source", "type", "time", "sequence")
_CONTENT, _FOREIGN = "content-type", ""

V = TypeVar("V", bound=BaseModel)


class BrokenEnvelope(ValueError):
    """The message is no CloudEvent that this system can read; `code` says what is wrong, without any value of it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Event:
    """One event as a consumer sees it."""

    id: UUID
    type: str
    source: str
    key: UUID
    sequence: int
    time: datetime
    data: Mapping[str, Any]
    subject: str = ""
    classification: str = "internal"
    correlation_id: str = ""
    causation_id: str = ""
    traceparent: str = ""
    topic: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def read(self, view: builtins.type[V]) -> V:
        """The data through a consumer's own view: only the fields it uses, others ignored."""
        return view.model_validate(self.data)


def encode(attributes: Mapping[str, str]) -> list[tuple[str, bytes]]:
    """Kafka headers of a binary-mode event: `ce_` before every attribute, UTF-8 values, and the content type."""
    return [*headers_of(attributes), ("content-type", CONTENT_TYPE)]


def headers_of(attributes: Mapping[str, str]) -> list[tuple[str, bytes]]:
    """The headers of some attributes, without those that are empty."""
    return [("ce_" + name, value.encode()) for name, value in attributes.items() if value]


def attributes(
    *,
    id: UUID,
    source: str,
    type: str,
    key: UUID,
    sequence: int,
    schema: str,
    classification: str,
    headers: Mapping[str, str],
) -> dict[str, str]:
    """The attributes of our profile (contracts/envelope.schema.json) for one outbox row."""
    common = of_type(source=source, type=type, schema=schema, classification=classification)
    return common | of_row(id=str(id), key=str(key), sequence=sequence, headers=headers)


def of_type(*, source: str, type: str, schema: str, classification: str) -> dict[str, str]:
    """The attributes that all events of a type share."""
    return {
        "specversion": "1.0", "source": source, "type": type, "dataschema": schema, "dataclassification": classification,
    }  # fmt: skip


def of_row(*, id: str, key: str, sequence: int, headers: Mapping[str, str]) -> dict[str, str]:
    """The attributes that every event has of its own."""
    number = str(sequence).zfill(SEQUENCE_DIGITS)
    return {"id": id, "subject": key, "partitionkey": key, "sequence": number, **headers}


def decode(topic: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> Event:
    """Read a message in binary or structured mode. Raises `BrokenEnvelope`."""
    if value is None:
        raise BrokenEnvelope("no_value")
    if len(value) > MAX_VALUE_BYTES:
        raise BrokenEnvelope("too_large")
    try:
        attrs = {_attribute(name): raw.decode() for name, raw in headers}
    except UnicodeDecodeError:
        raise BrokenEnvelope("header_not_utf8") from None
    structured = attrs.pop(_CONTENT, "").lower().startswith("application/cloudevents")
    attrs.pop(_FOREIGN, None)
    body = _json(value)
    if structured:
        attrs = {k: str(v) for k, v in body.items() if k not in {"data", "data_base64"} and v is not None}
        data = body.get("data")
    else:
        data = body
    if not isinstance(data, dict):
        raise BrokenEnvelope("data_not_object")
    return _event(topic, key, attrs, data)


@lru_cache(maxsize=256)
def _attribute(header: str) -> str:
    """What a header is called among the attributes; every message brings the same dozen names."""
    name = header.lower()
    if name == "content-type":
        return _CONTENT
    return name[3:] if name.startswith("ce_") and name[3:] != _CONTENT else _FOREIGN


def _event(topic: str, key: bytes | None, attrs: Mapping[str, str], data: Mapping[str, Any]) -> Event:
    if attrs.get("specversion") != "1.0":
        raise BrokenEnvelope("specversion")
    for name in _DEMANDED:
        if not attrs.get(name):
            raise BrokenEnvelope(f"no_{name}")
    try:
        time = datetime.fromisoformat(attrs["time"])
        if time.tzinfo is None:
            raise BrokenEnvelope("time_without_zone")
        time.astimezone(UTC)
        if not _SEQUENCE.fullmatch(attrs["sequence"]) or b"\0" in "".join(attrs.values()).encode():
            raise BrokenEnvelope("attribute_malformed")
        return Event(
            id=UUID(attrs["id"]),
            type=attrs["type"],
            source=attrs["source"],
            key=UUID(key.decode() if key else attrs["partitionkey"]),
            sequence=int(attrs["sequence"]),
            time=time,
            data=data,
            subject=attrs.get("subject", ""),
            classification=attrs.get("dataclassification", "internal"),
            correlation_id=attrs.get("correlationid", ""),
            causation_id=attrs.get("causationid", ""),
            traceparent=attrs.get("traceparent", ""),
            topic=topic,
            headers=attrs,
        )
    except (ValueError, KeyError, UnicodeDecodeError, OverflowError) as broken:
        raise broken if isinstance(broken, BrokenEnvelope) else BrokenEnvelope("attribute_malformed") from None


def _json(value: bytes) -> dict[str, Any]:
    try:
        body = json.loads(value)
    except (ValueError, RecursionError):
        raise BrokenEnvelope("not_json") from None
    if not isinstance(body, dict):
        raise BrokenEnvelope("data_not_object")
    return body
