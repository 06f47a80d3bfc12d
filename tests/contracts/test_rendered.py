"""The generated pages are what the catalogue says, and the AsyncAPI documents are valid for other people's tools."""

import json
from copy import deepcopy
from functools import cache
from pathlib import Path

import jsonschema_rs
import pytest
import yaml
from stack.contracts import asyncapi, catalogue, pages, realm
from stack.places import CONTRACTS, ROOT, SERVICES

OFFICIAL = json.loads((Path(__file__).parent / "vendor" / "asyncapi-3.0.0.json").read_text())
AGAIN = "run: python -m stack.contracts render"


@pytest.fixture(scope="module")
def official() -> jsonschema_rs.Draft7Validator:
    return jsonschema_rs.Draft7Validator(OFFICIAL)


@cache
def document(service: str) -> dict:
    return yaml.safe_load((CONTRACTS / service / "asyncapi.yaml").read_text())


def test_the_pages_have_not_drifted_from_the_catalogue():
    assert asyncapi.stale() == [], AGAIN
    assert (ROOT / pages.PAGE).read_text() == pages.events_page(), AGAIN
    assert {path: path.read_text() for path in realm.rendered()} == realm.rendered(), AGAIN


@pytest.mark.parametrize("service", SERVICES)
def test_the_document_is_valid_asyncapi(service: str, official: jsonschema_rs.Draft7Validator):
    errors = [f"{'/'.join(map(str, e.instance_path))}: {e.message}" for e in official.iter_errors(document(service))]
    assert errors == []


def test_the_official_schema_would_notice_a_mistake(official: jsonschema_rs.Draft7Validator):
    broken = deepcopy(document("registry"))
    broken["operations"]["publish-registry.person"]["action"] = "emit"
    assert not official.is_valid(broken)


@pytest.mark.parametrize("service", SERVICES)
def test_every_reference_leads_somewhere(service: str):
    def references(node: object):
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for child in node.values():
                yield from references(child)
        elif isinstance(node, list):
            for child in node:
                yield from references(child)

    for reference in references(document(service)):
        file, _, pointer = reference.partition("#")
        path = (CONTRACTS / service / file).resolve() if file else CONTRACTS / service / "asyncapi.yaml"
        target = document(path.parent.name) if path.suffix == ".yaml" else json.loads(path.read_text())
        for part in filter(None, pointer.split("/")):
            target = target[part]
        assert target


def test_every_event_is_in_exactly_the_document_of_its_owner():
    for entry in catalogue.events():
        for service in SERVICES:
            named = [m["name"] for m in document(service)["components"]["messages"].values()]
            assert named.count(entry.type) == (service == entry.owner)
