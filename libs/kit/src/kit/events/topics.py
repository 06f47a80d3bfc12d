"""Create the topics that the catalogue declares; broker-side creation by use is off."""

from collections.abc import Mapping
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from kit.events.schemas import Contracts

DAY_MS = 86_400_000


async def create(
    kafka: Mapping[str, Any],
    contracts: Contracts,
    *,
    prefix: str = "",
    partitions: int | None = None,
    replication: int = 1,
    settings: Mapping[str, str] | None = None,
) -> list[str]:
    """Create what is missing and return the names made. Safe to repeat; existing topics are never changed.

    `kafka` is what clients are made with (`Base.kafka`). `partitions` overrides the declared number (tests), `settings`
    adds topic settings such as replication limits.
    """
    admin = AIOKafkaAdminClient(**kafka)
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        wanted = [
            NewTopic(
                name=prefix + topic.name,
                num_partitions=partitions or topic.partitions,
                replication_factor=replication,
                topic_configs={
                    "retention.ms": str(topic.retention_days * DAY_MS),
                    "cleanup.policy": "delete",
                    **(settings or {}),
                },
            )
            for topic in contracts.topics.values()
            if prefix + topic.name not in existing
        ]
        if wanted:
            await admin.create_topics(wanted)
        return [topic.name for topic in wanted]
    finally:
        await admin.close()
