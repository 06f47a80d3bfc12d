"""Renders the AsyncAPI 3.0 document of each service from the catalogue: channels, messages by reference, operations."""

from collections.abc import Mapping
from typing import Any

import yaml

from stack.contracts import catalogue
from stack.contracts.catalogue import EventEntry
from stack.places import CONTRACTS, SERVICES

TITLES = {
    "registry": "Registry: people, families, deaths, imports",
    "disbursement": "Disbursement: programmes, rights, claims, payments, budget",
    "grants": "Grants: social-welfare institutions and their accreditation",
    "notifications": "Notifications: what became of each message",
}
_NOTE = "# Rendered from contracts/catalog.yaml by `python -m stack.contracts render`; do not edit.\n"
_HEADERS = (
    "id", "source", "type", "subject", "time", "dataschema", "partitionkey", "sequence", "dataclassification",
)  # fmt: skip
_OPTIONAL = ("correlationid", "causationid", "traceparent", "recordedtime", "deprecated", "deprecationsunset")


def rendered() -> dict[str, str]:
    """Path below `contracts/` to text, for every service."""
    return {
        f"{service}/asyncapi.yaml": _NOTE
        + yaml.safe_dump(document(service), sort_keys=False, allow_unicode=True, width=110)
        for service in SERVICES
    }


def document(service: str) -> dict[str, Any]:
    """The AsyncAPI document of one service: what it publishes, and which topics of others it reads."""
    topics = catalogue.topics()
    own = [topic for topic in topics if topic["owner"] == service]
    read = [topic for topic in topics if topic["owner"] != service and service in topic["readers"]]
    entries = [entry for entry in catalogue.events() if entry.owner == service]
    channels = {topic["topic"]: _channel(topic, entries) for topic in own}
    channels |= {t["topic"]: {"$ref": f"../{t['owner']}/asyncapi.yaml#/channels/{t['topic']}"} for t in read}
    operations = {f"publish-{t['topic']}": _operation("send", t) for t in own}
    operations |= {f"read-{t['topic']}": _operation("receive", t) for t in read}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": f"Santun {TITLES[service]}",
            "version": "1.0.0",
            "description": "CloudEvents 1.0 on Kafka in binary mode. At least once; order and sequence per key only.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": {f"{entry.name}.v{entry.version}": _message(entry) for entry in entries},
            "messageTraits": {
                "cloudevent": {"headers": headers(), "correlationId": {"location": "$message.header#/ce_correlationid"}}
            },
        },
    }


def headers() -> dict[str, Any]:
    """The Kafka headers of the envelope."""
    names = {f"ce_{name}": {"type": "string"} for name in ("specversion", *_HEADERS, *_OPTIONAL)}
    names["ce_specversion"] = {"type": "string", "const": "1.0"}
    return {
        "type": "object",
        "description": "The envelope (contracts/envelope.schema.json), one header per attribute.",
        "required": ["ce_specversion", *(f"ce_{name}" for name in _HEADERS), "content-type"],
        "properties": names | {"content-type": {"type": "string", "const": "application/json"}},
    }


def _channel(topic: Mapping[str, Any], entries: list[EventEntry]) -> dict[str, Any]:
    names = [f"{entry.name}.v{entry.version}" for entry in entries if entry.topic["topic"] == topic["topic"]]
    return {
        "address": topic["topic"],
        "description": topic["description"],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"kafka": {"partitions": topic["partitions"], "bindingVersion": "0.5.0"}},
        "x-key": topic["key"],
        "x-retention-days": topic["retention_days"],
        "x-classification": topic["classification"],
        "x-readers": list(topic["readers"]),
    }


def _operation(action: str, topic: Mapping[str, Any]) -> dict[str, Any]:
    verb = "Publishes" if action == "send" else "Reads"
    return {
        "action": action,
        "summary": f"{verb} {topic['topic']}.",
        "channel": {"$ref": f"#/channels/{topic['topic']}"},
    }


def _message(entry: EventEntry) -> dict[str, Any]:
    path = entry.entry["schema"].removeprefix(f"{entry.owner}/")
    message = {
        "name": entry.type,
        "title": entry.schema["title"],
        "summary": entry.entry["description"],
        "traits": [{"$ref": "#/components/messageTraits/cloudevent"}],
        "payload": {"$ref": path},
        "bindings": {"kafka": {"key": {"type": "string", "format": "uuid"}, "bindingVersion": "0.5.0"}},
        "examples": [{"payload": example} for example in entry.schema["examples"]],
        "x-sentence-id": entry.entry["sentence_id"],
        "x-sentence-en": entry.entry["sentence_en"],
    }
    if "sunset" in entry.entry:
        message |= {"deprecated": True, "x-sunset": str(entry.entry["sunset"])}
    return message


def stale() -> list[str]:
    """The rendered files that differ from what the catalogue says now."""
    return [
        path
        for path, text in rendered().items()
        if not (CONTRACTS / path).exists() or (CONTRACTS / path).read_text("utf-8") != text
    ]
