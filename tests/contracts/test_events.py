"""Every event of the catalogue is whole: in the dialect, impersonal, with examples and a sentence in two languages."""

import json
import re
from collections import Counter

import jsonschema_rs
import pytest
import yaml
from stack.contracts import catalogue, dialect
from stack.contracts.catalogue import EventEntry
from stack.places import CONTRACTS, SERVICES

ENTRIES = list(catalogue.events())
each_event = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.type)
REASONS = yaml.safe_load((CONTRACTS / "reference" / "reasons.yaml").read_text())
ROLES = yaml.safe_load((CONTRACTS / "roles.yaml").read_text())["roles"]


def validator(entry: EventEntry) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(dict(entry.schema), validate_formats=True)


@each_event
def test_its_schema_speaks_the_dialect(entry: EventEntry):
    assert jsonschema_rs.meta.is_valid(dict(entry.schema))
    assert dialect.faults(entry.schema) == []


@each_event
def test_no_field_could_hold_personal_data(entry: EventEntry):
    assert dialect.personal(entry.schema, entry.classification) == []


@each_event
def test_its_examples_pass_and_survive_a_round_trip(entry: EventEntry):
    for example in entry.schema["examples"]:
        assert [error.message for error in validator(entry).iter_errors(example)] == []
        assert json.loads(json.dumps(example)) == example
        assert set(example) <= set(entry.schema["properties"]), "an example shows only what is described"


@each_event
def test_an_example_less_a_required_field_is_refused(entry: EventEntry):
    example = entry.schema["examples"][0]
    for name in entry.schema["required"]:
        assert not validator(entry).is_valid({k: v for k, v in example.items() if k != name})


@each_event
def test_it_stands_where_its_name_says(entry: EventEntry):
    assert entry.schema["$id"].startswith(f"urn:santun:{entry.owner}:{entry.name}:{entry.version}.")
    assert entry.schema["title"] == f"{entry.name} v{entry.version}"
    assert entry.entry["schema"] == f"{entry.owner}/events/{entry.name}.v{entry.version}.schema.json"
    assert entry.topic["topic"].startswith(f"{entry.owner}.")
    assert entry.entry["producer"].startswith(f"{entry.owner}/")
    assert entry.topic["key"] in entry.schema["required"]


@each_event
def test_a_clerk_can_read_it_in_two_languages(entry: EventEntry):
    words = [entry.entry["sentence_id"], entry.entry["sentence_en"]]
    blanks = [set(re.findall(r"{(\w+)}", sentence)) for sentence in words]
    assert all(sentence.endswith(".") for sentence in words)
    assert blanks[0] == blanks[1] <= set(entry.schema["required"])
    assert words[0] != words[1]


@each_event
def test_events_about_persons_are_told_apart_from_others(entry: EventEntry):
    person = any(name.endswith(("person_id", "subject_id", "persons")) for name in entry.schema["properties"])
    assert entry.entry["personal_data"] in {"none", "pseudonymous"}
    if person:
        assert entry.entry["personal_data"] == "pseudonymous"
        assert entry.classification in {"confidential", "restricted"}
        assert entry.schema["properties"].get("region", {}).get("maxLength", 8) == 8, "no finer than the kecamatan"


@each_event
def test_it_says_the_state_after_it(entry: EventEntry):
    if entry.name != "audit.sealed":
        assert "state" in entry.schema["required"]
        assert entry.schema["properties"]["state"]["x-values"]


@each_event
def test_codes_in_its_examples_have_a_text(entry: EventEntry):
    for example in entry.schema["examples"]:
        codes = [example[name] for name in ("reason", "cause") if name in example]
        codes += [code["code"] if isinstance(code, dict) else code for code in example.get("reasons", ())]
        codes += example.get("brake", ())
        assert set(codes) <= set(REASONS)


def test_no_wire_type_and_no_schema_file_is_claimed_twice_or_by_nobody():
    types = Counter(entry.type for entry in ENTRIES)
    assert [name for name, n in types.items() if n > 1] == []
    named = {entry.entry["schema"] for entry in ENTRIES}
    found = {str(path.relative_to(CONTRACTS)) for path in CONTRACTS.glob("*/events/*.json")}
    assert found == named


def test_short_names_are_unique_so_that_code_can_use_them():
    owners = {}
    for entry in ENTRIES:
        if entry.name != "audit.sealed":
            assert owners.setdefault(entry.name, entry.owner) == entry.owner


def test_topics_have_one_owner_known_readers_and_enough_partitions():
    known = set(SERVICES) | set(ROLES)
    names = [topic["topic"] for topic in catalogue.topics()]
    assert len(names) == len(set(names))
    for topic in catalogue.topics():
        assert topic["owner"] in SERVICES
        assert set(topic["readers"]) <= known - {topic["owner"]}
        assert topic["partitions"] == (1 if topic["topic"].endswith(".audit") else 12)
        assert 14 <= topic["retention_days"] <= 30
        assert topic["classification"] in {"internal", "confidential", "restricted"}


def test_a_deprecated_version_says_when_it_ends_and_what_comes_instead():
    types = {entry.type for entry in ENTRIES}
    for entry in ENTRIES:
        if {"deprecated", "sunset", "replaced_by"} & entry.entry.keys():
            assert entry.entry["deprecated"] < entry.entry["sunset"]
            assert entry.entry["replaced_by"] in types
