"""Reads `contracts/catalog.yaml` and the schemas it names, for the pages, the gate and the tests."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from stack.places import CONTRACTS

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EventEntry:
    """One event version of the catalogue, with its topic's words beside its own."""

    name: str
    version: int
    topic: Mapping[str, Any]
    entry: Mapping[str, Any]
    schema: Schema

    @property
    def owner(self) -> str:
        """The service that publishes it."""
        return str(self.topic["owner"])

    @property
    def type(self) -> str:
        """The wire type: the attribute `type` of the envelope."""
        return f"org.santun.{self.owner}.{self.name}.v{self.version}"

    @property
    def classification(self) -> str:
        """internal, confidential or restricted: the event's own word, else its topic's."""
        return str(self.entry.get("classification", self.topic["classification"]))


def topics(folder: Path = CONTRACTS) -> list[dict[str, Any]]:
    """Every topic as declared."""
    declared: list[dict[str, Any]] = yaml.safe_load((folder / "catalog.yaml").read_text("utf-8"))["topics"]
    return declared


def events(folder: Path = CONTRACTS) -> Iterator[EventEntry]:
    """Every event version as declared, in the order of the catalogue."""
    for topic in topics(folder):
        for entry in topic["events"]:
            schema = json.loads((folder / entry["schema"]).read_text("utf-8"))
            yield EventEntry(entry["name"], entry["version"], topic, entry, schema)
