"""An invariant that finds nothing must be one that could find something."""

from datetime import date

from stack import bank

M4 = "M4 I2 a right is paid once"


async def test_a_settled_line_whose_right_is_not_paid_is_seen(office):
    await office.open_budget(1_000_000)
    await office.grant(2, 150_000)
    batch = await office.approved()
    await office.fund(batch)
    await office.export(batch)
    await office.sent(batch)
    [order] = await office.orders(batch)
    await office.bank_says(bank.notice(order, date(2026, 8, 4)))
    [right] = await office.sql("SELECT id FROM entitlement WHERE state = 'paid' ORDER BY id LIMIT 1")
    await office.sql("UPDATE entitlement SET state = 'reserved' WHERE id = $1", right["id"])
    assert await office.violations() == {M4: [f"right {right['id']}: state reserved, settled 150000 of 150000"]}
    await office.sql("UPDATE entitlement SET state = 'paid', value_idr = 100000 WHERE id = $1", right["id"])
    assert list(await office.violations()) == [M4]
    await office.sql("UPDATE entitlement SET value_idr = 150000 WHERE id = $1", right["id"])
