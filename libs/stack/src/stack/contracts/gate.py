"""The compatibility gate: what may change inside a released event version, and what needs a new one.

The log is replayed and services deploy in any order, so a change must work for new readers of old events and old
readers of new ones. Everything not named as allowed is refused. Checked against `contracts/baseline.json`, which
`python -m stack.contracts release` moves.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

import jsonschema_rs

from stack.contracts.catalogue import EventEntry

NEW_VERSION = "needs a new version"
NEW_TYPE = "needs a new type on a new topic"
DEPRECATE = "is never removed: deprecate it and leave it out of the next version"

_WORDS = frozenset({"title", "description", "examples", "$schema", "$id", "$defs", "properties", "items", "required"})


def released(entries: Iterable[EventEntry]) -> dict[str, Any]:
    """What the baseline remembers of every event: place, key, sunset, shape and examples."""
    return {
        entry.type: {
            "topic": entry.topic["topic"],
            "key": entry.topic["key"],
            "sunset": str(entry.entry.get("sunset", "")),
            "still_read_by": list(entry.entry.get("still_read_by", ())),
            "schema": normal(entry.schema),
            "examples": entry.schema["examples"],
        }
        for entry in entries
    }


def normal(schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The schema without words for people, references resolved, lists without order sorted."""
    root = schema if root is None else root
    if "$ref" in schema:
        return normal(root["$defs"][str(schema["$ref"]).rpartition("/")[2]], root)
    made = {key: value for key, value in schema.items() if key not in _WORDS}
    for sortable in ("enum", "x-values"):
        if sortable in made:
            made[sortable] = sorted(made[sortable])
    if "required" in schema:
        made["required"] = sorted(schema["required"])
    if "properties" in schema:
        made["properties"] = {name: normal(child, root) for name, child in sorted(schema["properties"].items())}
    if "items" in schema:
        made["items"] = normal(schema["items"], root)
    return made


def breaks(baseline: Mapping[str, Any], entries: Iterable[EventEntry], today: date) -> list[str]:
    """Every change since the baseline that would break a reader, one sentence each."""
    present = {entry.type: entry for entry in entries}
    found = []
    for wire_type, old in baseline.items():
        entry = present.get(wire_type)
        if entry is None:
            if not (old["sunset"] and date.fromisoformat(old["sunset"]) <= today and not old["still_read_by"]):
                found.append(f"{wire_type} is gone before its announced sunset, or somebody still reads it")
            continue
        if (entry.topic["topic"], entry.topic["key"]) != (old["topic"], old["key"]):
            found.append(f"{wire_type}: another topic or key {NEW_TYPE}")
        new = normal(entry.schema)
        found += [f"{wire_type}{change}" for change in changes(old["schema"], new)]
        found += [f"{wire_type}: {fault}" for fault in _examples(old, new, entry.schema["examples"])]
    return found


def changes(old: Mapping[str, Any], new: Mapping[str, Any], where: str = " /") -> Iterator[str]:
    """What differs between two normal schemas beyond what is allowed inside a version."""
    for keyword in sorted((old.keys() | new.keys()) - _WORDS - {"x-values"}):
        if old.get(keyword) != new.get(keyword):
            yield f"{where}: another {keyword} {NEW_VERSION}"
    if lost := set(old.get("x-values", ())) - set(new.get("x-values", ())):
        yield f"{where}: known values {sorted(lost)} are gone; {NEW_VERSION}"
    if "x-values" in new and "x-values" not in old and old:
        yield f"{where}: a list of known values where any was possible {NEW_VERSION}"
    yield from _properties(old, new, where)
    if "items" in old and "items" in new:
        yield from changes(old["items"], new["items"], f"{where}[]/")
    elif ("items" in old) != ("items" in new):
        yield f"{where}: another items {NEW_VERSION}"


def _properties(old: Mapping[str, Any], new: Mapping[str, Any], where: str) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    must_before, must_after = set(old.get("required", ())), set(new.get("required", ()))
    for name in before.keys() - after.keys():
        yield f"{where}{name}: removing it {NEW_VERSION if name in must_before else DEPRECATE}"
    for name in (after.keys() - before.keys()) & must_after:
        yield f"{where}{name}: a new required field {NEW_VERSION}"
    for name in sorted(before.keys() & after.keys()):
        if (name in must_before) != (name in must_after):
            yield f"{where}{name}: making it {'required' if name in must_after else 'optional'} {NEW_VERSION}"
        yield from changes(before[name], after[name], f"{where}{name}/")


def _examples(old: Mapping[str, Any], new: Mapping[str, Any], examples: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The check that costs nothing and knows no rules: old events to the new schema, new events to the old one."""
    for number, example in enumerate(old["examples"], 1):
        if not jsonschema_rs.is_valid(dict(new), example, validate_formats=True):
            yield f"old example {number} does not pass any more"
    known = old["schema"].get("properties", {}).keys()
    for number, example in enumerate(examples, 1):
        seen = {name: value for name, value in example.items() if name in known}
        if not jsonschema_rs.is_valid(dict(old["schema"]), seen, validate_formats=True):
            yield f"new example {number} does not pass the released schema"
