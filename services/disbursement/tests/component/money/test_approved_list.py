"""What leaves is what was approved: a list that was changed past every command is not exported."""

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
