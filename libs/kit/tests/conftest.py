from collections.abc import AsyncIterator, Callable

import pytest
from stack.backends import Backends
from stack.kafka import Kafka


@pytest.fixture
async def sample(parts: Backends, kafka: Kafka, create_database: Callable[..., str]) -> AsyncIterator[object]:
    """A runtime of the sample service on a database and topics of its own."""
    import sample_service
    from kit.db import migrate
    from kit.events import topics

    name = create_database("registry", migrated=False)
    await migrate.upgrade(sample_service.SAMPLE.migrations, parts.owner_url(name, "registry"))
    settings = sample_service.settings(
        database_url=parts.app_url(name, "registry"),
        kafka_bootstrap=parts.bootstrap,
        topic_prefix=name + ".",
        instance="one",
    )
    runtime = sample_service.SAMPLE.runtime(settings)
    await topics.create(runtime.settings.kafka(), runtime.contracts, prefix=name + ".")
    yield runtime
    await runtime.close()
