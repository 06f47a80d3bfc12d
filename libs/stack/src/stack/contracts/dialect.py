"""The dialect of event schemas: a small part of JSON Schema 2020-12 that every tool reads alike and the gate can judge.

Open objects only, every string, array and integer bounded, money as integers in fields that end in `_idr`, and no field
that could hold personal data.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

KEYWORDS = frozenset(
    [
        "type",
        "properties",
        "required",
        "items",
        "enum",
        "const",
        "pattern",
        "format",
        "minimum",
        "maximum",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "$defs",
        "$ref",
        "description",
        "title",
        "examples",
        "x-values",
        "x-pii",
    ]
)
AT_TOP = frozenset({"$schema", "$id"})
FORMATS = frozenset({"uuid", "date", "date-time"})
LARGEST = 2**53 - 1
"""The largest whole number that every JSON reader keeps exactly."""

PERSONAL_WORDS = frozenset(
    [
        "nik",
        "kk",
        "name",
        "nama",
        "phone",
        "telp",
        "telepon",
        "hp",
        "wa",
        "email",
        "mail",
        "address",
        "alamat",
        "street",
        "jalan",
        "rt",
        "rw",
        "birth",
        "lahir",
        "mother",
        "ibu",
        "father",
        "ayah",
        "sex",
        "gender",
        "religion",
        "agama",
        "disability",
        "disabilitas",
        "diagnosis",
        "photo",
        "foto",
        "lat",
        "lon",
        "latitude",
        "longitude",
        "geo",
        "signature",
        "npwp",
        "rekening",
        "holder",
        "iban",
        "note",
        "notes",
        "text",
        "remark",
        "keterangan",
        "comment",
    ]
)
"""Parts of field names that mean a value about a person, or free text that could hold one."""
PERSONAL_NAMES = frozenset({"account", "account_no", "account_number", "document", "contact", "recipient"})


def faults(schema: Mapping[str, Any]) -> list[str]:
    """Everything in a schema that is outside of the dialect, each with its place."""
    found = [] if schema.get("type") == "object" else ["/: the payload is an object"]
    found += [
        f"/: {keyword} is missing"
        for keyword in ("$schema", "$id", "title", "description", "examples")
        if not schema.get(keyword)
    ]
    for where, part in walk(schema):
        allowed = KEYWORDS | AT_TOP if where == "/" else KEYWORDS
        found += [f"{where}: keyword {keyword} is not in the dialect" for keyword in part if keyword not in allowed]
        found += [f"{where}: {fault}" for fault in _of_part(part)]
        for name, child in part.get("properties", {}).items():
            found += [f"{where}{name}: {fault}" for fault in _of_property(name, child)]
        found += [
            f"{where}: {name} is required and not described"
            for name in part.get("required", ())
            if name not in part.get("properties", {})
        ]
    return found


def personal(schema: Mapping[str, Any], classification: str) -> list[str]:
    """Fields whose names speak of personal data and that are not declared, encrypted and restricted (`x-pii`)."""
    found = []
    for where, part in walk(schema):
        for name, child in part.get("properties", {}).items():
            suspicious = name in PERSONAL_NAMES or bool(PERSONAL_WORDS & set(name.split("_")))
            declared = child.get("x-pii") is True
            if declared and classification != "restricted":
                found.append(f"{where}{name}: x-pii needs the classification restricted")
            elif suspicious and not declared:
                found.append(f"{where}{name}: looks like personal data")
    return found


def walk(schema: Mapping[str, Any], where: str = "/") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The schema and every schema inside it, with its place."""
    yield where, schema
    for name, child in schema.get("properties", {}).items():
        yield from walk(child, f"{where}{name}/")
    for name, child in schema.get("$defs", {}).items():
        yield from walk(child, f"{where}$defs/{name}/")
    if isinstance(schema.get("items"), Mapping):
        yield from walk(schema["items"], f"{where}[]/")


def _of_part(part: Mapping[str, Any]) -> Iterator[str]:
    if "$ref" in part:
        if not str(part["$ref"]).startswith("#/$defs/"):
            yield "a reference leaves the file"
        return
    if "type" not in part and "const" not in part and "enum" not in part:
        yield "type is missing"
    if isinstance(part.get("type"), list):
        yield "a field has one type; what may be missing is not required"
    kind = part.get("type")
    if kind == "string" and not {"maxLength", "const", "enum"} & part.keys():
        yield "a string needs maxLength"
    if kind == "string" and part.get("format", "uuid") not in FORMATS:
        yield f"format {part['format']} is not in the dialect"
    if kind == "array" and ("maxItems" not in part or "items" not in part):
        yield "an array needs items and maxItems"
    if kind == "integer" and not (
        part.get("minimum", -LARGEST - 1) >= -LARGEST and part.get("maximum", LARGEST + 1) <= LARGEST
    ):
        yield "an integer needs minimum and maximum within 2^53"
    if kind == "number":
        yield "numbers are whole"
    if "x-values" in part and kind != "string":
        yield "x-values belong to strings"


def _of_property(name: str, child: Mapping[str, Any]) -> Iterator[str]:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        yield "names are lower_snake"
    if name.endswith("_idr") and child.get("type") != "integer":
        yield "rupiah are integers"
    if re.search(r"(^|_)(amount|total|price|fee|pagu|balance|difference)$", name):
        yield "an amount of rupiah ends in _idr"
    if not child.get("description") and "$ref" not in child:
        yield "say what it means"
