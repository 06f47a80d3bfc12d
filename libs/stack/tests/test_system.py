"""The whole system without the services: it starts, keeps its data through kill -9, and says plainly what is in the way."""

import asyncio
import os
import signal
import socket
import time

import asyncpg
import httpx
import pytest
from private_stack import free_base
from stack import office, processes
from stack.places import Ports
from stack.system import System
from stack.trouble import Trouble


@pytest.fixture
def system(tmp_path):
    system = System(tmp_path / "data", Ports(free_base()), members=())
    yield system
    for part in system.parts:
        if child := part.child():
            processes.stop(child, by=signal.SIGKILL)
    system.postgres.remove()


def silent(text):
    pass


@pytest.mark.faults
@pytest.mark.timeout(300)
def test_data_survive_kill_9_of_everything(system):
    said = []
    system.start(said.append)
    asyncio.run(remember(system, "before"))
    key = httpx.get(f"{system.url('idp')}/jwks").json()
    for part in system.parts:
        os.kill(part.child().pid, signal.SIGKILL)
    system.start(said.append)
    assert asyncio.run(asked(system, "SELECT word FROM remembered")) == ["before"]
    # A kill alone would not show whether it flushes: the machine has to go down.
    assert asyncio.run(asked(system, "SHOW fsync")) == ["on"]
    assert httpx.get(f"{system.url('idp')}/jwks").json() == key
    system.stop(said.append)
    assert not any(part.alive for part in system.parts)
    assert any("PostgreSQL is ready" in text for text in said)


@pytest.mark.faults
@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_start_after_a_killed_starter_stops_what_it_left(system):
    said = []
    system.start(silent)
    again = System(system.data, system.ports, members=())
    again.start(said.append)
    assert "An earlier start was cut off" in said[0]
    assert "Kafka" in said[0]
    again.stop(silent)


def test_a_busy_port_is_said_with_its_holder_and_the_way_out(system):
    with socket.create_server(("127.0.0.1", system.ports.idp)), pytest.raises(Trouble) as found:
        system.start(silent)
    assert f"Port {system.ports.idp} (identity provider) is already used by process {os.getpid()}" in found.value.what
    assert "SANTUN_PORT_BASE" in found.value.next_step
    assert not any(part.alive for part in system.parts)


def test_persons_get_tokens_and_mails_are_caught(system):
    import smtplib

    from stack.mail import caught

    system.start(silent)
    assert office.fetch_token(system, "kadis").count(".") == 2
    assert office.fetch_token(system, "santun-disbursement").count(".") == 2
    with smtplib.SMTP("127.0.0.1", system.ports.smtp) as post:
        post.sendmail("a@example.org", ["b@example.org"], "Subject: Bantuan\nTo: b@example.org\n\nSudah cair.")
    deadline = time.monotonic() + 5
    while not (mails := caught(system.data / "mail")) and time.monotonic() < deadline:
        pass
    assert [(mail.to, mail.subject, mail.text) for mail in mails] == [("b@example.org", "Bantuan", "Sudah cair.")]
    system.stop(silent)


def test_a_part_that_ends_at_once_is_reported_with_its_last_words(tmp_path):
    child = processes.start("thing", ["sh", "-c", "echo it hurts; exit 3"], file=tmp_path / "pid", log=tmp_path / "log")
    with pytest.raises(Trouble, match="it hurts"):
        processes.wait_ready(child, lambda: False, within=5, log=tmp_path / "log")


def test_a_stale_file_never_points_at_a_stranger(tmp_path):
    file = tmp_path / "pid"
    processes.remember(processes.Child("thing", os.getpid(), 1.0, file))
    assert not processes.known(file).alive
    file.write_text("half of a fi")
    assert processes.known(file) is None


def test_ports_move_together(monkeypatch):
    monkeypatch.setenv("SANTUN_PORT_BASE", "9100")
    ports = Ports.of_environment()
    assert (ports.idp, ports.service("notifications"), ports.postgres, ports.kafka) == (9100, 9104, 16432, 20092)
    monkeypatch.setenv("SANTUN_PORT_BASE", "http")
    with pytest.raises(Trouble, match="no usable port"):
        Ports.of_environment()


async def remember(system, word):
    connection = await asyncpg.connect(system.postgres.url())
    await connection.execute("CREATE TABLE IF NOT EXISTS remembered (word text)")
    await connection.execute("INSERT INTO remembered VALUES ($1)", word)
    await connection.close()


async def asked(system, query):
    connection = await asyncpg.connect(system.postgres.url())
    try:
        return [row[0] for row in await connection.fetch(query)]
    finally:
        await connection.close()
