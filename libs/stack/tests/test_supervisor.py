"""`santun up` and `santun down` as a person uses them, over kills of what they hold (without services: those have tests)."""

import json
import os
import re
import signal
import subprocess
import sys

import pytest
from private_stack import free_base
from stack import processes
from stack.places import Ports
from stack.supervisor import held
from stack.system import System

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]


@pytest.fixture
def system(tmp_path):
    system = System(tmp_path / "data", Ports(free_base()), members=())
    yield system
    if (holder := processes.known(system.data / "run" / "up.json")) is not None:
        processes.stop(holder, by=signal.SIGKILL)
    for part in system.parts:
        if child := part.child():
            processes.stop(child, by=signal.SIGKILL)
    system.postgres.remove()


def santun(system, *words):
    environment = {
        "SANTUN_DATA": str(system.data),
        "SANTUN_PORT_BASE": str(system.ports.base),
        "SANTUN_SERVICES": "none",
    }
    return subprocess.run(
        [sys.executable, "-m", "stack", *words],
        check=False,
        env=os.environ | environment | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
    )


def test_what_dies_is_started_again_and_down_stops_all(system):
    assert santun(system, "up", "--detach", "--no-story").returncode == 0
    assert "already running" in santun(system, "up").stdout
    broker = system.kafka.child.pid
    os.kill(broker, signal.SIGKILL)
    processes.until(
        lambda: (
            system.kafka.alive and system.kafka.child.pid != broker and all(not part.ready() for part in system.parts)
        ),
        within=90,
    )
    processes.until(lambda: "Kafka is ready again" in (system.logs / "up.log").read_text(), within=90)
    assert "Kafka ended without being asked to" in (system.logs / "up.log").read_text()
    status = santun(system, "status")
    assert len(re.findall(r" ready ", status.stdout)) == len(system.parts)
    assert status.returncode == 0
    assert "ok     Kafka: ready" in santun(system, "doctor").stdout
    down = santun(system, "down")
    assert down.returncode == 0, down.stdout + down.stderr
    assert not held(system)
    assert not any(part.alive for part in system.parts)


@pytest.mark.long
def test_a_killed_up_is_seen_explained_and_cleaned(system):
    santun(system, "up", "--detach", "--no-story")
    os.kill(json.loads((system.data / "run" / "up.json").read_text())["pid"], signal.SIGKILL)
    processes.until(lambda: not held(system), within=90)
    assert any(part.alive for part in system.parts)
    doctor = santun(system, "doctor")
    assert doctor.returncode == 1
    assert "an earlier start was killed and left: PostgreSQL, Kafka" in doctor.stdout
    assert "Santun is not running." in santun(system, "token", "kadis").stdout
    assert santun(system, "clean", "--yes").returncode == 0
    assert not system.data.exists()
    assert not (system.postgres.home / "data").exists()
