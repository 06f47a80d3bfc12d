"""The contracts at run time: the catalogue and one compiled schema per event version.

Producers validate at the outbox insert, consumers before the handler. The files stand in `contracts/`; nothing here
knows what an event means.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml
from pydantic import BaseModel


class ContractBroken(Exception):
    """A payload does not fit its schema. Names the place and the rule, never the value."""

    def __init__(self, event: str, where: str, rule: str) -> None:
        super().__init__(f"{event}: {where or '/'} breaks {rule}")
        self.event, self.where, self.rule = event, where, rule


class UnknownEvent(KeyError):
    """The catalogue has no such event; announcing it is a defect, receiving it is a newer producer."""


@dataclass(frozen=True, slots=True)
class EventContract:
    """One event version: where it goes and what it may hold."""

    name: str
    type: str
    topic: str
    owner: str
    version: int
    schema_urn: str
    classification: str
    schema: Mapping[str, Any]
    validator: Any
    many: Any
    """The validator of a list of payloads: one call for a chunk costs less than one for each payload."""

    def check(self, payload: BaseModel | Mapping[str, Any]) -> dict[str, Any]:
        """The payload as plain JSON data if it fits the schema; raises `ContractBroken`."""
        data = payload.model_dump(mode="json", exclude_none=True) if isinstance(payload, BaseModel) else dict(payload)
        if self.validator.is_valid(data):
            return data
        for error in self.validator.iter_errors(data):
            where = "/" + "/".join(str(part) for part in error.instance_path)
            raise ContractBroken(self.name, where, "/".join(str(part) for part in error.schema_path))
        return data

    def check_many(self, payloads: Sequence[BaseModel | Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """The payloads as plain JSON data if every one fits the schema; raises `ContractBroken` for the first that does not."""
        data = [
            one.model_dump(mode="json", exclude_none=True) if isinstance(one, BaseModel) else one for one in payloads
        ]
        if not self.many.is_valid(data):
            for one in data:
                self.check(one)
        return data


@dataclass(frozen=True, slots=True)
class TopicContract:
    """One topic as declared: automatic creation is off, so this is the only way a topic comes to be."""

    name: str
    owner: str
    partitions: int
    retention_days: int
    classification: str
    readers: tuple[str, ...]


class Contracts:
    """All topics and events of the catalogue, by name and by wire type."""

    def __init__(self, folder: Path) -> None:
        catalogue = yaml.load((folder / "catalog.yaml").read_text(), Loader=yaml.CSafeLoader)
        self.folder = folder
        self.topics: dict[str, TopicContract] = {}
        self._by_name: dict[str, EventContract] = {}
        self._by_type: dict[str, EventContract] = {}
        for topic in catalogue["topics"]:
            self.topics[topic["topic"]] = TopicContract(
                topic["topic"], topic["owner"], topic["partitions"], topic["retention_days"], topic["classification"],
                tuple(topic["readers"]),
            )  # fmt: skip
            for event in topic["events"]:
                contract = _load(folder, topic, event)
                self._by_type[contract.type] = contract
                for name in (
                    contract.name,
                    f"{contract.owner}.{contract.name}",
                    f"{contract.name}.v{contract.version}",
                ):
                    known = self._by_name.get(name)
                    if known is None or known.version < contract.version:
                        self._by_name[name] = contract

    def event(self, name: str) -> EventContract:
        """The newest contract of a short name such as `death.certified`.

        `death.certified.v1` names a version, `registry.audit.sealed` the owner where several share a name. Raises `UnknownEvent`.
        """
        try:
            return self._by_name[name]
        except KeyError:
            raise UnknownEvent(name) from None

    def of_type(self, wire_type: str) -> EventContract | None:
        """The contract of a wire type, or None for one this catalogue does not know."""
        return self._by_type.get(wire_type)

    def __iter__(self) -> Iterator[EventContract]:
        return iter(self._by_type.values())


def _load(folder: Path, topic: Mapping[str, Any], event: Mapping[str, Any]) -> EventContract:
    owner, name, version = topic["owner"], event["name"], event.get("version", 1)
    schema = json.loads((folder / owner / "events" / f"{name}.v{version}.schema.json").read_text())
    forms = (schema, {"type": "array", "items": schema})
    one, many = (jsonschema_rs.Draft202012Validator(form, validate_formats=True) for form in forms)
    return EventContract(
        name=name, type=f"org.santun.{owner}.{name}.v{version}", topic=topic["topic"], owner=owner, version=version,
        schema_urn=str(schema.get("$id", f"urn:santun:{owner}:{name}:{version}.0")),
        classification=event.get("classification", topic["classification"]), schema=schema, validator=one, many=many,
    )  # fmt: skip


@lru_cache(maxsize=8)
def contracts(folder: Path) -> Contracts:
    """The contracts of a folder, read once in a process: whoever uses them only reads."""
    return Contracts(folder)
