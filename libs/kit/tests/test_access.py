"""The lists of who may write and read which topic, as the catalogue says. That a broker holds to them: `make test-containers`."""

import pytest
from kit.events.access import GROUP, LITERAL, PREFIXED, READ, TOPIC, WRITE, Grant, grants
from kit.events.schemas import Contracts
from kit.settings import Base


@pytest.fixture(scope="module")
def contracts() -> Contracts:
    return Contracts(Base.model_fields["contracts_dir"].get_default(call_default_factory=True))


def of(found: set[Grant], user: str, operation: int, resource: int = TOPIC) -> set[str]:
    return {
        one.name
        for one in found
        if (one.principal, one.operation, one.resource) == (f"User:{user}", operation, resource)
    }


def test_a_service_writes_its_own_topics_and_no_other(contracts):
    found = grants(contracts)
    for service in ("registry", "disbursement", "grants", "notifications"):
        assert of(found, service, WRITE) == {topic for topic in contracts.topics if topic.startswith(f"{service}.")}
    assert {one.operation for one in found} == {READ, WRITE}
    assert all(one.pattern == LITERAL for one in found if one.resource == TOPIC)


def test_a_reader_reads_what_names_it(contracts):
    found = grants(contracts)
    assert "registry.death" in of(found, "disbursement", READ)
    assert "registry.death" not in of(found, "notifications", READ)
    assert of(found, "inspektorat", READ) == {name for name in contracts.topics if name.endswith(".audit")}
    assert of(found, "inspektorat", WRITE) == set()


def test_a_partners_groups_begin_with_its_name_and_a_services_group_is_one(contracts):
    found = grants(contracts)
    groups = {(one.principal, one.name, one.pattern) for one in found if one.resource == GROUP}
    assert ("User:inspektorat", "inspektorat.", PREFIXED) in groups
    assert ("User:registry", "santun.registry", LITERAL) in groups
    assert of(found, "registry", READ, GROUP) == {"santun.registry"}
