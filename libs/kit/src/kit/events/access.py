"""Who may write and read which topic, as the catalogue says: access control lists of Kafka, made and taken back.

An owner writes its topics, a reader reads those that name it, and everybody keeps its place in consumer groups of its own
name. What the catalogue no longer allows is taken back. Runs as Kafka's administrator.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest

from kit.events.schemas import Contracts

# Numbers of Kafka's protocol: org.apache.kafka.common.resource and .acl
ANY, ALLOW = 1, 3
TOPIC, GROUP = 2, 3
LITERAL, PREFIXED = 3, 4
READ, WRITE = 3, 4


class Grant(NamedTuple):
    """One line of the lists, in the order of Kafka's own fields. Reading and writing include looking (Describe)."""

    resource: int
    name: str
    pattern: int
    principal: str
    host: str
    operation: int
    permission: int


def services(contracts: Contracts) -> set[str]:
    """Who owns a topic."""
    return {topic.owner for topic in contracts.topics.values()}


def partners(contracts: Contracts) -> set[str]:
    """Who reads a topic and owns none."""
    return {reader for topic in contracts.topics.values() for reader in topic.readers} - services(contracts)


def grants(contracts: Contracts) -> set[Grant]:
    """All that the catalogue allows; the groups of a partner begin with its name."""

    def allow(principal: str, resource: int, name: str, operation: int, pattern: int = LITERAL) -> Grant:
        return Grant(resource, name, pattern, f"User:{principal}", "*", operation, ALLOW)

    found = {allow(name, GROUP, f"santun.{name}", READ) for name in services(contracts)}
    found |= {allow(name, GROUP, f"{name}.", READ, PREFIXED) for name in partners(contracts)}
    for topic in contracts.topics.values():
        found.add(allow(topic.owner, TOPIC, topic.name, WRITE))
        found |= {allow(reader, TOPIC, topic.name, READ) for reader in topic.readers}
    return found


async def agree(kafka: Mapping[str, Any], wanted: set[Grant]) -> tuple[int, int]:
    """Make the broker's lists those that are wanted; how many were added and taken back. Raises KafkaError."""
    client = AIOKafkaClient(**kafka)
    await client.bootstrap()
    try:
        answer = await _ask(client, DescribeAclsRequest(ANY, None, ANY, None, None, ANY, ANY))
        _demand(answer.error_code)
        there = {Grant(*resource[:3], *line) for resource in answer.resources for line in resource[3]}
        for grant in wanted - there:
            for code, *_ in (await _ask(client, CreateAclsRequest(*grant))).creation_responses:
                _demand(code)
        for grant in there - wanted:
            for code, *_ in (await _ask(client, DeleteAclsRequest(*grant))).filter_responses:
                _demand(code)
        return len(wanted - there), len(there - wanted)
    finally:
        await client.close()


async def _ask(client: AIOKafkaClient, request: Any) -> Any:
    return await client.send(client.get_random_node(), request)


def _demand(code: int) -> None:
    if code:
        raise for_code(code)
