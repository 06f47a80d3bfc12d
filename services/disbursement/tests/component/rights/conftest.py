"""Every test of the rights side starts with this office."""

from typing import Any

import pytest
from rights_office import NOW, Office, Port, Register


@pytest.fixture
async def office(service_factory: Any) -> Office:
    running = await service_factory("disbursement")
    running.clock.set(NOW)
    register = Register()
    running.runtime.wiring.registry = Port(register)
    return Office(running, register)
