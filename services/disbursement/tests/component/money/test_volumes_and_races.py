"""Depok's volumes to the rupiah, and what happens when two people or two files act at one moment."""

import asyncio
from datetime import date

from disbursement.batches import commands
from kit.auth.actor import Actor
from kit.errors import Refused
from kit.ids import new_id
from kit.testing import eventually
from stack import bank

DAY = date(2026, 8, 4)


async def test_seven_cycles_of_depok_are_paid_to_the_rupiah(office):
    """S03: 249, 198, 287, 181, 120, 298 and 259 claims of 2,000,000: 3,184,000,000, more than 31 bits hold."""
    await office.open_budget(4_000_000_000)
    for cycle, claims in enumerate((249, 198, 287, 181, 120, 298, 259), start=1):
        await office.grant(claims, 2_000_000, period=f"2026-{cycle:02}")
    assert (await office.balances())["B400"] == -3_184_000_000
    batch = await office.approved()
    assert (batch["count"], batch["total_idr"]) == (1592, 3_184_000_000)
    await office.fund(batch)
    await office.export(batch)
    await office.sent(batch)
    [(file, content)] = await office.files(batch)
    assert file["total_idr"] == 3_184_000_000
    assert b"<CtrlSum>3184000000</CtrlSum>" in content
    async with office.running.client("exporter", regions=["32.76"]) as client:
        csv = (await client.get(f"/v1/payment-files/{file['id']}/content", params={"form": "csv"})).content
    assert csv.endswith(b"TOTAL;1592;;;3184000000;\r\n")
    [order] = await office.orders(batch)
    await office.bank_says(bank.notice(order, DAY))
    kinds = {r["kind"]: r["n"] for r in await office.sql("SELECT kind, count(*) AS n FROM journal GROUP BY kind")}
    assert (kinds["p04_direct"], kinds["p08"]) == (7, 1592)
    assert (await office.balances())["C400"] == 3_184_000_000


async def test_two_lists_frozen_at_one_moment_share_no_right(office):
    """The first is frozen and not yet committed when the second begins: nothing it reads shows the rights taken."""
    await office.open_budget(1_000_000_000)
    await office.grant(50, 150_000)
    one, two = await office.draft(), await office.draft()

    blocked = (
        "SELECT FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE datname = current_database() AND NOT granted"
    )

    async def waits() -> bool:
        return second.done() or bool(await office.sql(blocked))

    maker = Actor("maker-1", "test", roles=frozenset({"program_manager"}), regions=("32.76",))
    async with office.running.client("program_manager", regions=["32.76"], sub="maker-2") as client:
        async with office.running.runtime.begin(maker) as uow:
            await commands.freeze(uow, one["id"], one["version"])
            second = asyncio.create_task(
                client.post(f"/v1/batches/{two['id']}:freeze", headers={"If-Match": f'"{two["version"]}"'})
            )
            await eventually(waits)
        answer = await second
    assert (answer.status_code, await office.codes(answer.json())) == (409, {"hak_sedang_dibayar"})
    assert (await office.sql("SELECT count(*) AS n FROM live_item"))[0]["n"] == 50


async def test_one_result_file_applied_twice_at_once_is_applied_once(office):
    await office.open_budget(1_000_000_000)
    await office.grant(30, 150_000)
    batch = await office.approved()
    await office.fund(batch)
    await office.export(batch)
    await office.sent(batch)
    [order] = await office.orders(batch)
    first = await office.upload(bank.notice(order, DAY))
    second = await office.upload(bank.result_list(order, DAY), "csv")
    clients = [office.running.client("recon_officer", regions=["32.76"], sub=f"officer-{n}") for n in range(3)]
    answers = await asyncio.gather(
        *(
            client.post(f"/v1/result-files/{file['id']}:apply", headers={"If-Match": f'"{file["version"]}"'})
            for client, file in zip(clients, (first, first, second), strict=True)
        )
    )
    assert sorted(a.status_code for a in answers) == [200, 200, 412]
    assert (await office.sql("SELECT count(*) AS n FROM journal WHERE kind = 'p08'"))[0]["n"] == 30
    assert len(await office.running.outbox("payment.settled")) == 30


async def test_the_ceiling_holds_when_many_promise_at_once(office):
    from disbursement.budget import commands as budget

    await office.open_budget(10_000_000)

    async def promise() -> str:
        async with office.running.runtime.begin(Actor.system("test")) as uow:
            try:
                await budget.commit(
                    uow, office.line_id, 3_000_000, source_type="claim", source_id=new_id(), step="approve"
                )
            except Refused as refused:
                return refused.refusal.reasons[0].code
        return "promised"

    answers = await asyncio.gather(*(promise() for _ in range(12)))
    assert sorted(answers) == ["pagu_tidak_cukup"] * 9 + ["promised"] * 3
    assert await office.balances() == {"B100": 10_000_000, "B200": -1_000_000, "B400": -9_000_000}
    assert await office.running.outbox("budget_line.low") == []  # exactly a tenth is left: low begins below it


async def test_many_small_promises_warn_once_and_never_lock_each_other_out(office):
    from disbursement.budget import commands as budget

    await office.open_budget(10_000_000)

    async def promise() -> None:
        async with office.running.runtime.begin(Actor.system("test")) as uow:
            await budget.commit(uow, office.line_id, 990_000, source_type="claim", source_id=new_id(), step="approve")

    await asyncio.gather(*(promise() for _ in range(10)))
    assert [e.data["available_idr"] for e in await office.running.outbox("budget_line.low")] == [100_000]


async def test_a_transfer_fee_is_booked_on_its_own_line_once(office):
    await office.open_budget(1_000_000)
    path, batch = f"/v1/budget-lines/{office.line_id}:record-fee", str(new_id())
    body = {"amount_idr": 2_500, "batch_id": batch, "reference": "FEE-1"}
    assert await office.call("bendahara", path, body) == {"booked": True}
    assert await office.call("bendahara", path, body) == {"booked": False}
    await office.call("kadis", path, body, status=403)
    assert await office.balances() == {
        "B100": 1_000_000,
        "B200": -997_500,
        "B600": -2_500,
        "C100": -2_500,
        "C410": 2_500,
    }


async def test_the_database_itself_refuses_a_journal_that_does_not_balance(office):
    import asyncpg
    import pytest

    await office.open_budget(10_000_000)
    journal = new_id()
    with pytest.raises(asyncpg.PostgresError, match="sum to zero"):
        await office.sql(
            """WITH j AS (INSERT INTO journal (id, kind, source_type, source_id, step, amount_idr, booked_on, budget_line_id,
                posted_at, posted_by) VALUES ($1, 'p99', 'test', $1, 'x', 5, '2026-08-01', $2, now(), 'test'))
            INSERT INTO posting (journal_id, leg, account, dims_key, amount_idr, booked_on) VALUES
                ($1, 1, 'C110', 'x', 5, '2026-08-01'), ($1, 2, 'C100', 'x', -4, '2026-08-01')""",
            journal, office.line_id,
        )  # fmt: skip
    with pytest.raises(asyncpg.PostgresError, match="sum to zero"):
        await office.sql(
            """INSERT INTO journal (id, kind, source_type, source_id, step, amount_idr, booked_on, budget_line_id,
                posted_at, posted_by) VALUES ($1, 'p99', 'test', $1, 'x', 5, '2026-08-01', $2, now(), 'test')""",
            journal, office.line_id,
        )  # fmt: skip


async def test_the_application_role_cannot_change_what_was_posted(office):
    import pytest
    from sqlalchemy import text
    from sqlalchemy.exc import ProgrammingError

    await office.open_budget(10_000_000)
    for statement in (
        "UPDATE posting SET amount_idr = 1",
        "DELETE FROM journal",
        "UPDATE journal_0 SET amount_idr = 1",
    ):
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with office.running.runtime.begin(Actor.system("test")) as uow:
                await uow.execute(text(statement))


async def test_a_year_ends_with_what_is_left_lapsed(office):
    await office.open_budget(10_000_000)
    await office.commit_budget(4_000_000)
    path = f"/v1/budget-lines/{office.line_id}"
    line = await office.get("kadis", path)
    refused = await office.call("kadis", f"{path}:close", version=line["version"], status=409)
    assert await office.codes(refused) == {"komitmen_belum_selesai"}
    cut = await office.call(
        "kadis", f"{path}:revise", {"difference_idr": -6_000_001}, version=line["version"], status=409
    )
    assert await office.codes(cut) == {"pagu_tidak_cukup"}
    revised = await office.call("kadis", f"{path}:revise", {"difference_idr": -6_000_000}, version=line["version"])
    assert revised["pagu_idr"] == 4_000_000
    assert await office.balances() == {"B100": 4_000_000, "B400": -4_000_000}
