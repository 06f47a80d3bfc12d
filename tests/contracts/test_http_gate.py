"""The gate of HTTP interfaces: they may only grow; and the snapshots are what the applications say of themselves."""

import json
from copy import deepcopy

import pytest
from stack.contracts import http_gate, openapi
from stack.contracts.__main__ import baseline, released_http
from stack.places import SERVICES

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Things", "version": "1"},
    "paths": {
        "/v1/things": {
            "get": {
                "summary": "List things.",
                "parameters": [
                    {"in": "query", "name": "limit", "required": False, "schema": {"type": "integer", "maximum": 200}}
                ],
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Page"}}}}
                },
            },
            "post": {
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/NewThing"}}},
                },
                "responses": {
                    "201": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                    "409": {},
                },
            },
        }
    },
    "components": {
        "schemas": {
            "NewThing": {
                "type": "object",
                "required": ["label"],
                "additionalProperties": False,
                "properties": {
                    "label": {"type": "string", "maxLength": 40},
                    "more": {"type": "object", "properties": {}},
                    "colour": {"anyOf": [{"type": "string", "enum": ["red", "white"]}, {"type": "null"}]},
                    "inside": {"anyOf": [{"$ref": "#/components/schemas/NewThing"}, {"type": "null"}]},
                },
            },
            "Thing": {
                "type": "object",
                "required": ["id"],
                "properties": {"id": {"type": "string", "format": "uuid"}, "title": {"type": "string"}},
            },
            "Page": {
                "type": "object",
                "required": ["items"],
                "properties": {"items": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}},
            },
        }
    },
}


LONG = {
    "/v1/facts/export": "a stream for machines that start anew, read page by page with a scope of its own",
    "/v1/regions": "a public reference list that callers keep, with an ETag",
}
"""Lists that may hold more than 200 at once, and why."""


def after(edit) -> list[str]:
    document = deepcopy(DOCUMENT)
    edit(document, document["paths"]["/v1/things"], document["components"]["schemas"])
    return http_gate.Comparison(http_gate.normal(DOCUMENT), http_gate.normal(document)).breaks()


ALLOWED = {
    "nothing": lambda d, p, s: None,
    "a new path": lambda d, p, s: d["paths"].update({"/v1/others": {"get": {"responses": {}}}}),
    "a new answer": lambda d, p, s: p["get"]["responses"].update({"503": {}}),
    "an optional parameter": lambda d, p, s: p["get"]["parameters"].append(
        {"in": "query", "name": "state", "schema": {"type": "string"}}
    ),
    "an optional request field": lambda d, p, s: s["NewThing"]["properties"].update(size={"type": "integer"}),
    "a field more in an answer": lambda d, p, s: s["Thing"]["properties"].update(size={"type": "integer"}),
    "a promise more in an answer": lambda d, p, s: s["Thing"]["required"].append("title"),
    "a longer text accepted": lambda d, p, s: s["NewThing"]["properties"]["label"].update(maxLength=80),
    "a value more accepted": lambda d, p, s: s["NewThing"]["properties"]["colour"]["anyOf"][0]["enum"].append("blue"),
    "a request field no longer required": lambda d, p, s: s["NewThing"]["required"].clear(),
    "other words": lambda d, p, s: p["get"].update(summary="All things.", description="In order."),
}
REFUSED = {
    "a path gone": lambda d, p, s: d["paths"].clear(),
    "an operation gone": lambda d, p, s: p.pop("get"),
    "an answer gone": lambda d, p, s: p["post"]["responses"].pop("409"),
    "a parameter newly required": lambda d, p, s: p["get"]["parameters"][0].update(required=True),
    "a new required parameter": lambda d, p, s: p["get"]["parameters"].append(
        {"in": "header", "name": "X", "required": True, "schema": {}}
    ),
    "a parameter gone": lambda d, p, s: p["get"]["parameters"].clear(),
    "a lower limit accepted": lambda d, p, s: p["get"]["parameters"][0]["schema"].update(maximum=100),
    "a request field newly required": lambda d, p, s: s["NewThing"]["required"].append("colour"),
    "a request field gone": lambda d, p, s: s["NewThing"]["properties"].pop("colour"),
    "a request value gone": lambda d, p, s: s["NewThing"]["properties"]["colour"]["anyOf"][0]["enum"].remove("red"),
    "null no longer accepted": lambda d, p, s: s["NewThing"]["properties"]["colour"]["anyOf"].pop(),
    "a shorter text accepted": lambda d, p, s: s["NewThing"]["properties"]["label"].update(maxLength=20),
    "another request type": lambda d, p, s: s["NewThing"]["properties"]["label"].update(type="integer"),
    "a field of an answer gone": lambda d, p, s: s["Thing"]["properties"].pop("title"),
    "a promise of an answer gone": lambda d, p, s: s["Thing"]["required"].clear(),
    "another type in an answer": lambda d, p, s: s["Thing"]["properties"]["id"].update(type="integer"),
    "another format in an answer": lambda d, p, s: s["Thing"]["properties"]["id"].update(format="date"),
    "null newly answered": lambda d, p, s: s["Thing"]["properties"].update(
        title={"anyOf": [{"type": "string"}, {"type": "null"}]}
    ),
    "unknown fields newly refused": lambda d, p, s: s["NewThing"]["properties"]["more"].update(
        additionalProperties=False
    ),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_an_interface_may_grow(name: str):
    assert after(ALLOWED[name]) == []


@pytest.mark.parametrize("name", REFUSED)
def test_an_interface_may_not_shrink(name: str):
    assert after(REFUSED[name])


@pytest.mark.parametrize("service", SERVICES)
def test_the_snapshot_is_what_the_application_says(service: str):
    assert openapi.path(service).read_text() == openapi.snapshot(service), "run: python -m stack.contracts openapi"


@pytest.mark.parametrize("service", SERVICES)
def test_the_interface_of_today_keeps_every_promise_of_the_release(service: str):
    assert http_gate.Comparison(baseline()["http"][service], released_http(service)).breaks() == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_list_is_bounded_and_every_command_needs_a_key(service: str):
    document = json.loads(openapi.path(service).read_text())
    for path, item in document["paths"].items():
        for method, operation in item.items():
            parameters = {p["name"]: p for p in operation.get("parameters", ())}
            if "limit" in parameters and path not in LONG:
                assert parameters["limit"]["schema"]["maximum"] <= 200, path
            if method == "post" and ":" in path.rpartition("/")[2] and "If-Match" in parameters:
                assert parameters["Idempotency-Key"]["required"], path
