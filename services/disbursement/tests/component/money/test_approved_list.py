"""What leaves is what was approved: a list that was changed past every command is not exported."""

from uuid import UUID

from kit.auth.actor import Actor

OTHER_PAYEE = "UPDATE line SET payee_ref = uuidv7() WHERE id = (SELECT min(id::text)::uuid FROM line)"


async def test_a_list_that_is_not_the_approved_one_stays(office):
    await office.open_budget(100_000_000)
    await office.grant(5, 200_000)
    batch = await office.approved()
    await office.fund(batch)
    await office.sql(OTHER_PAYEE)
    answer = await office.step("exporter", batch, "export", status=409)
    assert await office.codes(answer) == {"persetujuan_tidak_cocok"}
    assert await office.files(batch, "written") == []
    await office.sql("UPDATE line SET payee_ref = beneficiary_person_id")
    await office.export(batch)


async def test_the_database_hashes_a_list_as_the_rule_does_now_and_as_it_stood(office):
    from disbursement.batches.content import ListedLine, list_sha256
    from disbursement.payments import queries

    await office.open_budget(100_000_000)
    await office.grant(12, 200_000)
    batch = await office.draft()
    await office.step("program_manager", batch, "freeze")
    await office.sql("UPDATE line SET payee_token = sha256(id::text::bytea) WHERE right(id::text, 1) < '8'")
    await office.sql(
        "UPDATE line SET state = 'removed', removed_at = now(), removed_no = 5 WHERE id = (SELECT id FROM line ORDER BY id DESC LIMIT 1)"
    )
    batch_id = UUID(batch["id"])
    async with office.running.runtime.begin(Actor.system("test")) as uow:
        lines = await queries.of_batch(uow, batch_id, 0)
        made = {no: await queries.list_sha256(uow, batch_id, 0, no) for no in (None, 4, 5)}
    kept = [ListedLine(one.id, one.payee_kind, one.payee_ref, one.amount_idr, one.payee_token) for one in lines]
    assert len(kept) == 12
    assert made[4] == list_sha256(kept)
    assert made[None] == made[5] == list_sha256(kept[:-1])
    async with office.running.runtime.begin(Actor.system("test")) as uow:
        assert await queries.list_sha256(uow, office.programme_id, 0) == list_sha256([])
    await office.sql("UPDATE line SET state = 'frozen', removed_at = NULL, removed_no = NULL, payee_token = NULL")
