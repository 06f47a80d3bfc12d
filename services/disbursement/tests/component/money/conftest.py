"""Every test of the money side starts with this office and ends with its books in order."""

from datetime import UTC, datetime

import pytest
from money_office import Desk, Office


@pytest.fixture
async def office(service_factory):
    running = await service_factory("disbursement")
    desk = Desk()
    running.runtime.wiring.desk = desk
    running.clock.set(datetime(2026, 8, 3, 2, tzinfo=UTC))
    made = Office(running, desk)
    yield made
    assert await made.violations() == {}
