"""A body that a route's schema accepts, made from the schema alone, with chosen values for fields of chosen names."""

import re
from collections.abc import Mapping
from typing import Any

from attack.doors import NOBODY, Door

WORDS = (
    "diperiksa", "id", "32.76.03.1001", "32.76", "0" * 64, "2026-08", "1.06.05", "LANSIA", "BJB", "BK-1", "1", "0012345678",
    "warga@dinsos.example",
)  # fmt: skip
"""One of these fits every pattern of every document; a new pattern brings its word."""

USUAL = {
    "nik": "3276035703500001", "phone": "081234567890", "mail": "kadis@dinsos.example", "address": "081234567890",
    "on": "2026-07-15", "value": "081234567890", "amount_idr": 2_000_000, "ast": {"v": 1}, "number": "0012345678",
}  # fmt: skip


def filled(door: Door, chosen: Mapping[str, Any] | None = None, *, region: str = "32.76.03.1001") -> Any:
    """A body for this route; every field named in `chosen` is there with that value, optional ones else are not."""
    if door.form is None:
        return None
    return _value(door.form, door.components["schemas"], {"region_code": region, **(chosen or {})})


def _value(schema: Mapping[str, Any], known: Mapping[str, Any], chosen: Mapping[str, Any]) -> Any:
    if "$ref" in schema:
        return _value(known[schema["$ref"].rpartition("/")[2]], known, chosen)
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return _value(schema[choice][0], known, chosen)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            return _object(schema, known, chosen)
        case "array":
            return [_value(schema["items"], known, chosen) for _ in range(schema.get("minItems", 0))]
        case "integer":
            return int(max(schema.get("minimum", 1), 1))
        case "boolean":
            return True
        case "string":
            return _text(schema)
    return {}


def _object(schema: Mapping[str, Any], known: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name, part in schema.get("properties", {}).items():
        if name in chosen:
            found[name] = chosen[name]
        elif name in schema.get("required", ()):
            found[name] = USUAL[name] if name in USUAL else _value(part, known, chosen)
    if schema.get("minProperties"):
        names = known[schema["propertyNames"]["$ref"].rpartition("/")[2]]["enum"]
        found[names[0]] = _value(schema["additionalProperties"], known, chosen)
    return found


def _text(schema: Mapping[str, Any]) -> str:
    ready = {"uuid": NOBODY, "date": "2026-07-15", "date-time": "2026-07-15T08:00:00Z"}
    if schema.get("format") in ready:
        return ready[schema["format"]]
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength", 1_000)
    return next(
        word for word in WORDS if re.search(schema.get("pattern", ""), word) and shortest <= len(word) <= longest
    )
