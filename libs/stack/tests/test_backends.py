"""The parts under every test: found again after a crash, apart for every test, gone after the run."""

import asyncpg
import pytest


async def test_the_application_role_reads_and_writes_rows_but_changes_no_shape(parts, create_database):
    name = create_database("grants", migrated=False)
    owner = await asyncpg.connect(parts.owner_url(name, "grants"))
    await owner.execute("CREATE TABLE t (a int); GRANT SELECT, INSERT ON t TO grants_app")
    await owner.close()
    app = await asyncpg.connect(parts.app_url(name, "grants"))
    await app.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute("CREATE TABLE u (a int)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute("DROP TABLE t")
    await app.close()


async def test_a_service_cannot_enter_the_database_of_another(parts, create_database):
    name = create_database("grants", migrated=False)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(parts.app_url(name, "registry"))


async def test_postgres_is_the_version_with_ordered_ids(postgres):
    connection = await asyncpg.connect(postgres.url())
    assert str(await connection.fetchval("SELECT uuidv7()"))[14] == "7"
    await connection.close()


async def test_kafka_makes_no_topic_by_itself(kafka):
    from aiokafka import AIOKafkaProducer
    from aiokafka.errors import KafkaError

    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, request_timeout_ms=1_000)
    await producer.start()
    with pytest.raises(KafkaError):
        await producer.send_and_wait("never.declared", b"{}")
    await producer.stop()
