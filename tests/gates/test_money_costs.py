"""What money costs the database: a promise that others wait for, and a list on its whole way."""

import pytest
from kit.auth.actor import Actor
from kit.ids import new_id
from money_office import MAKER, Desk, Office

LINES = 400


@pytest.fixture
async def office(service_factory):
    running = await service_factory("disbursement", database_pool_size=1)
    desk = Desk()
    running.runtime.wiring.desk = desk
    made = Office(running, desk)
    await made.open_budget(10_000_000_000)
    return made


async def test_a_promise_is_one_statement_from_the_look_at_the_ceiling_to_the_commit(office, meter_of):
    from disbursement.budget import commands as budget

    async def reserve() -> None:
        async with office.running.runtime.begin(Actor.system("gate")) as uow:
            assert await budget.reserve(
                uow, office.line_id, 1_000, source_type="decree", source_id=new_id(), step="reserve"
            )

    cost = await meter_of(office.running.database).cost(reserve)
    told = [statement for statement in cost.statements if "NEW." not in statement and "fresh" not in statement]
    assert len(told) == 5, told  # BEGIN, who and where, balances that exist, the promise, COMMIT; triggers beside
    assert cost.wal <= 1_600, cost.wal
    assert cost.blocks <= 80, cost.blocks


async def test_a_line_that_goes_its_way_is_not_written_into_its_indexes_anew(office, meter_of):
    meter = meter_of(office.running.database)
    await office.grant(LINES, 150_000)
    batch = await office.draft()
    await office.step(MAKER, batch, "freeze")
    cost = await meter.once(lambda: office.step(MAKER, batch, "check"), only="UPDATE line")
    if cost.pages:
        pytest.skip("a checkpoint fell into it: whole pages stand in the log")
    assert cost.wal <= LINES * 400, cost.wal / LINES
