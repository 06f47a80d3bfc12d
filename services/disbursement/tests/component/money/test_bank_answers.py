"""What the bank sends back: late, repeated, out of order, wrong; and the citizen whose money came back."""

from datetime import UTC, date, datetime, timedelta

import pytest
from kit.ids import new_id
from stack import bank
from stack.bank import Faults

DAY = date(2026, 8, 4)


@pytest.fixture
async def sent(office):
    """Five people, 2,000,000 each, at the bank."""
    await office.open_budget(100_000_000)
    await office.grant(5, 2_000_000)
    batch = await office.approved()
    await office.fund(batch)
    await office.export(batch)
    await office.sent(batch)
    [order] = await office.orders(batch)
    return batch, order


async def states(office) -> dict[str, int]:
    return {row["state"]: row["n"] for row in await office.sql("SELECT state, count(*) AS n FROM line GROUP BY state")}


async def journals(office) -> list[tuple[str, int]]:
    return [
        (r["kind"], r["n"])
        for r in await office.sql("SELECT kind, count(*) AS n FROM journal GROUP BY kind ORDER BY kind")
    ]


async def test_a_name_that_does_not_match_is_mended_by_two_people_and_paid_once(office):
    """S12: sent 3 August, BE01 on the 5th, papers on the 11th, re-issued the 12th, settled the 13th."""
    await office.open_budget(2_000_000)
    [heir] = await office.grant(1, 2_000_000)
    batch = await office.approved()
    await office.fund(batch)
    await office.export(batch)
    await office.sent(batch)
    [order] = await office.orders(batch)
    [first] = order.transfers
    office.clock.set(datetime(2026, 8, 5, 3, tzinfo=UTC))
    back = bank.notice(order, date(2026, 8, 5), Faults(returned={first.reference: "BE01"}))
    await office.bank_says(back)
    [line] = (await office.get("kabid", "/v1/payments", batch_id=batch["id"]))["items"]
    assert (line["state"], line["repair_due"], line["reasons"]) == ("repair", "2026-08-14", ["nama_tidak_cocok"])
    path = f"/v1/payments/{line['id']}"

    async def act(who: str, name: str, body: object = None, status: int = 200, **claims: object):
        now = await office.get("kabid", path)
        return await office.call(who, f"{path}:{name}", body, version=now["version"], status=status, **claims)

    office.clock.set(datetime(2026, 8, 11, 3, tzinfo=UTC))
    refused = await act("op_desa", "fix-payee", {"documents": []}, status=422)
    await act("op_desa", "fix-payee", {"documents": [str(new_id()), str(new_id()), str(new_id())]})
    refused = await act("verifikator", "confirm-fix", status=409, sub="person-op_desa")
    assert await office.codes(refused) == {"pemisahan_tugas"}
    old = office.desk.mark(heir)
    office.desk.marks[heir] = type(old)(heir, "active", "close", "110", b"mended account!!")
    await act("verifikator", "confirm-fix")
    refused = await act("recon_officer", "ask-reissue", status=409)
    assert await office.codes(refused) == {"masa_tunggu_rekening"}
    office.clock.set(datetime(2026, 8, 12, 4, tzinfo=UTC))
    await act("recon_officer", "ask-reissue")
    await act("kabid", "agree-reissue")
    office.desk.silent = True
    await office.call("exporter", f"/v1/batches/{batch['id']}:reissue", {"line_ids": [line["id"]]}, status=503)
    office.desk.silent = False
    [file] = await office.call("exporter", f"/v1/batches/{batch['id']}:reissue", {"line_ids": [line["id"]]})
    refused = await office.call(
        "exporter", f"/v1/batches/{batch['id']}:reissue", {"line_ids": [line["id"]]}, status=409
    )
    assert await office.codes(refused) == {"percobaan_masih_terbuka"}
    await office.call(
        "exporter", f"/v1/payment-files/{file['id']}:confirm-sent", {"receipt": "BK-2"}, version=file["version"]
    )
    again = next(o for o in await office.orders(batch) if o.reference == file["reference"])
    office.clock.set(datetime(2026, 8, 13, 4, tzinfo=UTC))
    settled = bank.notice(again, date(2026, 8, 13))
    await office.bank_says(settled)
    for content in (settled, back):  # again, and in reverse order
        uploaded = await office.upload(content, sub="another-officer")
        assert uploaded["state"] == "applied"
        await office.apply(uploaded, status=409)
    paid = await office.get("kabid", path)
    assert paid["state"] == "settled"
    assert [(a["no"], a["state"]) for a in paid["attempts"]] == [(1, "returned"), (2, "settled")]
    assert len({a["reference"] for a in paid["attempts"]}) == 2
    assert await office.balances() == {"B100": 2_000_000, "B600": -2_000_000, "C100": -2_000_000, "C400": 2_000_000}
    assert len(await office.sql("SELECT FROM entitlement")) == 1
    told = [e.name for e in await office.running.outbox() if e.topic == "disbursement.payment"]
    assert told == ["payment.sent", "payment.returned", "payment.repaired", "payment.reissued", "payment.settled"]


async def test_the_same_bytes_again_are_answered_with_the_first_upload(office, sent):
    _, order = sent
    content = bank.notice(order, DAY)
    first = await office.upload(content)
    assert (await office.upload(content))["id"] == first["id"]
    await office.apply(first)
    before = await journals(office)
    again = await office.upload(content)
    assert (again["id"], again["state"]) == (first["id"], "applied")
    await office.apply(again, status=409)
    assert await journals(office) == before


async def test_the_uploader_does_not_apply(office, sent):
    _, order = sent
    uploaded = await office.upload(bank.notice(order, DAY))
    refused = await office.apply(uploaded, sub="person-recon_officer", status=409)
    assert await office.codes(refused) == {"pengunggah_menyetujui"}


async def test_partial_repeated_and_reordered_results_end_where_one_file_does(office, sent):
    batch, order = sent
    refs = [t.reference for t in order.transfers]
    faults = Faults(returned={refs[0]: "AC04"}, rejected={refs[1]: "AC01"})
    late = bank.result_list(order, DAY, faults)
    part = bank.notice(order, DAY, Faults(silent=frozenset({*refs[:2], refs[4]})))
    early = bank.status_report(order, DAY, faults)
    await office.bank_says(part)
    await office.bank_says(late, "csv")
    await office.bank_says(early, "pain002")
    await office.bank_says(bank.result_list(order, DAY, Faults(silent=frozenset(refs[:2]))), "csv")
    assert await states(office) == {"settled": 3, "repair": 2}
    balances = await office.balances()
    assert (balances["C110"], balances["C200"], balances.get("C130", 0)) == (4_000_000, -4_000_000, 0)
    assert dict(await journals(office))["p08"] == 4  # three settled, and the booking that the return proves
    returned = await office.running.outbox("payment.returned")
    assert [e.data["reason"] for e in returned] == ["rekening_ditutup"]
    assert len(await office.running.outbox("payment.settled")) == 3
    assert (await office.get("kabid", "/v1/recon-items", batch_id=batch["id"]))["items"] == []


async def test_a_wrong_amount_is_somebodys_task_and_pays_nothing(office, sent):
    batch, order = sent
    wrong = order.transfers[0].reference
    applied = await office.bank_says(bank.result_list(order, DAY, Faults(other_amount={wrong: 1_999_999})), "csv")
    assert (applied["state"], applied["outcomes"]) == ("partly_applied", {"matched": 4, "amount_differs": 1})
    assert await states(office) == {"settled": 4, "in_flight": 1}
    [item] = (await office.get("kabid", "/v1/recon-items", batch_id=batch["id"]))["items"]
    assert (item["kind"], item["difference_idr"], item["state"]) == ("amount_differs", 1, "open")
    refused = await office.step("recon_officer", batch, "reconcile", sub="third-officer", status=409)
    assert "selisih_terbuka" in await office.codes(refused)
    path = f"/v1/recon-items/{item['id']}"
    explained = await office.call(
        "recon_officer",
        f"{path}:explain",
        {"explanation": "salah_bank", "document_id": str(new_id())},
        version=item["version"],
    )
    refused = await office.call("recon_officer", f"{path}:resolve", version=explained["version"], status=409)
    assert await office.codes(refused) == {"penjelasan_sendiri"}
    await office.call("recon_officer", f"{path}:resolve", version=explained["version"], sub="third-officer")
    await office.bank_says(bank.notice(order, DAY))
    assert await states(office) == {"settled": 5}


async def test_unknown_references_never_stop_a_file(office, sent):
    _, order = sent
    other = bank.Order(order.reference, order.block, 0, (*order.transfers, bank.Transfer("0" * 26, 5, "1", "x")))
    applied = await office.bank_says(bank.result_list(other, DAY), "csv")
    assert applied["outcomes"] == {"matched": 5, "unknown": 1}
    rows = await office.get("recon_officer", f"/v1/result-files/{applied['id']}/rows")
    assert [row["outcome"] for row in rows["items"]] == ["matched"] * 5 + ["unknown"]


async def test_a_file_whose_sums_are_wrong_is_kept_and_never_applied(office, sent):
    _, order = sent
    content = bank.result_list(order, DAY).replace(b";10000000;", b";10000001;")
    uploaded = await office.upload(content, "csv")
    assert (uploaded["state"], uploaded["refusal"]) == ("rejected", "jumlah_berkas_beda")
    refused = await office.apply(uploaded, status=409)
    assert await office.codes(refused) == {"jumlah_berkas_beda"}
    assert await states(office) == {"in_flight": 5}
    for hostile in (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", b"\xff\xfe nonsense", b"<Document/>"):
        assert (await office.upload(hostile))["state"] == "rejected"


async def test_what_a_covering_file_does_not_mention_is_missing(office, sent):
    batch, order = sent
    [(file, _)] = await office.files(batch)
    content = bank.notice(order, DAY, Faults(silent=frozenset({order.transfers[0].reference})))
    applied = await office.apply(await office.upload(content, covers_file_id=file["id"]))
    assert applied["outcomes"] == {"matched": 4, "missing": 1}
    [item] = (await office.get("kabid", "/v1/recon-items", batch_id=batch["id"]))["items"]
    assert (item["kind"], item["difference_idr"]) == ("missing", 2_000_000)


async def test_silence_for_three_working_days_makes_an_attempt_unknown(office, sent):
    from disbursement.payments.jobs import mark_overdue

    batch, order = sent
    office.clock.set(office.clock.now() + timedelta(days=2))
    await mark_overdue(office.running.runtime)
    assert (await office.sql("SELECT count(*) AS n FROM attempt WHERE state = 'unknown'"))[0]["n"] == 0
    office.clock.set(office.clock.now() + timedelta(days=2))
    await mark_overdue(office.running.runtime)
    assert (await office.sql("SELECT count(*) AS n FROM attempt WHERE state = 'unknown'"))[0]["n"] == 5
    assert len((await office.get("kabid", "/v1/recon-items", batch_id=batch["id"]))["items"]) == 5
    await office.bank_says(bank.notice(order, DAY))
    assert await states(office) == {"settled": 5}


async def test_a_file_refused_as_a_whole_comes_back_as_a_whole(office, sent):
    _, order = sent
    report = bank.status_report(order, DAY, Faults(silent=frozenset(t.reference for t in order.transfers)))
    refused = report.replace(b"</OrgnlMsgNmId>", b"</OrgnlMsgNmId><GrpSts>RJCT</GrpSts>")
    applied = await office.bank_says(refused, "pain002")
    assert applied["outcomes"] == {"matched": 5}
    assert await states(office) == {"repair": 5}
    assert (await office.balances())["C110"] == 10_000_000


async def test_a_rejection_that_the_bank_booked_after_all_is_paid_and_seen_by_people(office, sent):
    batch, order = sent
    one = order.transfers[0].reference
    others = frozenset(t.reference for t in order.transfers[1:])
    await office.bank_says(bank.status_report(order, DAY, Faults(rejected={one: "AC01"}, silent=others)), "pain002")
    assert await states(office) == {"repair": 1, "in_flight": 4}
    await office.bank_says(bank.notice(order, DAY, Faults(silent=others)))
    assert await states(office) == {"settled": 1, "in_flight": 4}
    [item] = (await office.get("kabid", "/v1/recon-items", batch_id=batch["id"]))["items"]
    assert item["kind"] == "rejected_and_booked"


async def test_money_that_comes_back_after_the_end_opens_the_batch_again(office, sent):
    batch, order = sent
    await office.bank_says(bank.notice(order, DAY))
    await office.step("recon_officer", batch, "reconcile", sub="third-officer")
    assert (await office.step("kabid", batch, "close"))["state"] == "closed"
    office.clock.set(office.clock.now() + timedelta(days=30))
    late = date(2026, 9, 3)
    others = frozenset(t.reference for t in order.transfers[1:])
    await office.bank_says(
        bank.notice(order, late, Faults(returned={order.transfers[0].reference: "AC04"}, silent=others))
    )
    assert (await office.get("kabid", f"/v1/batches/{batch['id']}"))["state"] == "settling"
    assert await states(office) == {"settled": 4, "repair": 1}
    [right] = await office.sql("SELECT count(*) AS n FROM entitlement WHERE state = 'reserved' AND returns = 1")
    assert right["n"] == 1


async def test_money_given_up_goes_to_the_treasury_and_the_right_is_due_again(office, sent):
    batch, order = sent
    one = order.transfers[0].reference
    await office.bank_says(bank.notice(order, DAY, Faults(returned={one: "AC04"})))
    [line] = (await office.get("kabid", "/v1/payments", batch_id=batch["id"], state="repair"))["items"]
    body = {"reason": "tidak_ditemukan", "number": "STS-9", "dated_on": "2026-10-05", "amount_idr": 2_000_000}
    path = f"/v1/payments/{line['id']}:give-up"
    refused = await office.call("kadis", path, body, version=line["version"], status=409)
    assert await office.codes(refused) == {"belum_waktunya_setor"}
    office.clock.set(datetime(2026, 10, 5, 2, tzinfo=UTC))
    given = await office.call("kadis", path, body, version=line["version"])
    assert given["state"] == "redeposited"
    balances = await office.balances()
    assert (balances["B400"], balances["B600"], balances.get("C200", 0)) == (-2_000_000, -8_000_000, 0)
    assert (balances["C400"], balances["C100"]) == (8_000_000, -8_000_000)
    due = await office.sql("SELECT count(*) AS n FROM entitlement WHERE state = 'due'")
    assert due[0]["n"] == 1
    second = await office.draft()
    frozen = await office.step("program_manager", second, "freeze")
    assert (frozen["count"], frozen["total_idr"]) == (1, 2_000_000)


async def test_amounts_beyond_thirty_two_bits_and_a_trillion_pass_unchanged(office):
    await office.open_budget(5_000_000_000_000)
    await office.grant(1, 1_000_000_000_001)
    await office.grant(1, 3_234_000_000)
    batch = await office.approved()
    assert batch["total_idr"] == 1_003_234_000_001
    await office.fund(batch)
    await office.export(batch)
    await office.sent(batch)
    [order] = await office.orders(batch)
    assert order.total_idr == 1_003_234_000_001
    await office.bank_says(bank.notice(order, DAY))
    told = {e.data["amount_idr"] for e in await office.running.outbox("payment.settled")}
    assert told == {1_000_000_000_001, 3_234_000_000}
    assert (await office.balances())["C400"] == 1_003_234_000_001
