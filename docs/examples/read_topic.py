"""Read a topic of Santun from its beginning: a Kafka client and the CloudEvents SDK, nothing of ours.

python docs/examples/read_topic.py 127.0.0.1:19092 registry.death
"""

import asyncio
import sys

from aiokafka import AIOKafkaConsumer
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event


async def read(bootstrap: str, topic: str) -> None:  # noqa: D103
    async with AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        async for record in consumer:
            event = from_binary_event(KafkaMessage(dict(record.headers), record.key, record.value))
            print(event.get_type(), event.get_subject(), event.get_extension("sequence"), event.get_data(), flush=True)  # noqa: T201


asyncio.run(read(*sys.argv[1:]))
