"""The tables that decide speak the words of the contracts: their roles, their events, and the states those events tell."""

import pytest
import yaml
from stack.contracts import catalogue
from stack.docs import MACHINES, machines_page, tables
from stack.places import CONTRACTS, ROOT

ROLES = yaml.safe_load((CONTRACTS / "roles.yaml").read_text())["roles"]
EVENTS = {(entry.owner, entry.name): entry for entry in catalogue.events()}
EVENTS |= {(owner, name.removeprefix("notification.")): entry for (owner, name), entry in EVENTS.items()}
TABLES = dict(tables())
each_table = pytest.mark.parametrize("name", TABLES)


@each_table
def test_every_role_of_the_table_is_a_role_of_the_office(name: str):
    assert {role for move in TABLES[name] for role in move.roles} <= ROLES.keys()


DOORS = {
    "disbursement.batches": (
        "disbursement.batches:write",
        "disbursement.batches:export",
        "disbursement.treasury:write",
    ),
    "disbursement.payments": (
        "disbursement.payments:write",
        "disbursement.batches:write",
        "disbursement.batches:export",
    ),
    "disbursement.programmes.versions": ("disbursement.rules:write",),
    "grants.accreditation": ("grants.accreditations:write",),
    "grants.registration": ("grants.lks:write",),
    "registry.persons": ("registry.persons:write", "registry.persons:erase"),
    "notifications.messages": ("notifications.messages:write", "notifications.messages:redrive"),
}
"""Scopes of a slice's commands where they are not simply `<service>.<slice>:write`."""


@each_table
def test_whoever_may_decide_by_the_table_has_a_scope_to_come_in(name: str):
    table = name.rpartition(".")[0]
    slice_ = ".".join(name.split(".")[:2])
    doors = DOORS.get(table) or DOORS.get(slice_) or (f"{slice_}:write",)
    people = {role for move in TABLES[name] for role in move.roles} - {"system", "public", "machine"}
    assert [role for role in sorted(people) if not set(doors) & set(ROLES[role]["scopes"])] == []


@each_table
def test_every_event_of_the_table_is_in_the_catalogue(name: str):
    owner = name.partition(".")[0]
    assert [move.event for move in TABLES[name] if move.event and (owner, move.event) not in EVENTS] == []


@each_table
def test_an_event_knows_the_state_that_the_move_leads_to(name: str):
    owner = name.partition(".")[0]
    surprising = set()
    for move in TABLES[name]:
        if move.event and move.target.value not in EVENTS[owner, move.event].schema["properties"]["state"]["x-values"]:
            surprising.add(f"{move.event} with state {move.target.value}")
    assert surprising == set()


def test_the_page_of_the_machines_has_not_drifted():
    assert (ROOT / MACHINES).read_text() == machines_page(), "run: make docs"
