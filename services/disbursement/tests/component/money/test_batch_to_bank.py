"""A list of two hundred from draft to closed, and everything that must stop it."""

import asyncio
from datetime import date

from kit.ids import new_id
from stack import bank

DAY = date(2026, 8, 4)


async def test_two_hundred_lines_from_draft_to_closed(office):
    await office.open_budget(1_000_000_000)
    await office.grant(200, 150_000)
    batch = await office.approved()
    assert (batch["count"], batch["total_idr"], batch["state"]) == (200, 30_000_000, "approved")
    await office.fund(batch)
    await office.export(batch)
    await office.sent(batch)
    assert (await office.balances())["C130"] == 30_000_000
    [order] = await office.orders(batch)
    assert (len(order.transfers), order.total_idr) == (200, 30_000_000)
    applied = await office.bank_says(bank.notice(order, DAY))
    assert (applied["state"], applied["outcomes"]) == ("applied", {"matched": 200})
    assert (await office.balances()) == {
        "B100": 1_000_000_000, "B200": -970_000_000, "B600": -30_000_000, "C100": -30_000_000, "C400": 30_000_000,
    }  # fmt: skip
    await office.step("recon_officer", batch, "reconcile", sub="third-officer")
    closed = await office.step("kabid", batch, "close")
    assert closed["state"] == "closed"
    paid = await office.sql("SELECT count(*) AS n FROM entitlement WHERE state = 'paid'")
    assert paid[0]["n"] == 200
    names = [event.name for event in await office.running.outbox() if event.topic == "disbursement.batch"]
    assert names == [
        f"batch.{step}" for step in (
            "drafted", "frozen", "checked", "submitted", "verified", "approved", "ordered", "funded", "exported", "sent",
            "settling", "reconciled", "closed",
        )
    ]  # fmt: skip
    settled = await office.running.outbox("payment.settled")
    assert len(settled) == 200
    assert {event.data["amount_idr"] for event in settled} == {150_000}


async def test_nobody_does_two_things_in_one_batch(office):
    await office.open_budget(1_000_000_000)
    await office.grant(20, 150_000)
    batch = await office.draft()
    await office.step("program_manager", batch, "freeze")
    await office.step("program_manager", batch, "check")
    await office.step("program_manager", batch, "submit", {"report_read": True})
    sample = [line["id"] for line in await office.get("verifikator", f"/v1/batches/{batch['id']}/sample")]
    refused = await office.step(
        "verifikator", batch, "verify", {"viewed": sample}, status=409, sub="person-program_manager"
    )
    assert await office.codes(refused) == {"pemisahan_tugas"}
    await office.verify(batch)
    shown = await office.get("kabid", f"/v1/batches/{batch['id']}")
    body = {"list_sha256": shown["list_sha256"], "total_idr": shown["total_idr"]}
    refused = await office.step("kabid", batch, "approve", body, status=409, sub="person-verifikator")
    assert await office.codes(refused) == {"pemisahan_tugas"}
    refused = await office.step("kabid", batch, "approve", {**body, "total_idr": body["total_idr"] - 1}, status=409)
    assert await office.codes(refused) == {"daftar_berubah"}
    await office.step("kabid", batch, "approve", body)
    await office.fund(batch)
    refused = await office.step("exporter", batch, "export", status=409, sub="person-kabid")
    assert await office.codes(refused) == {"pemisahan_tugas"}


async def test_of_two_approvers_at_once_each_counts_once(office):
    await office.open_budget(1_000_000_000)
    await office.grant(20, 10_000_000)
    batch = await office.draft()
    await office.step("program_manager", batch, "freeze")
    await office.step("program_manager", batch, "check")
    await office.step("program_manager", batch, "submit", {"report_read": True})
    await office.verify(batch)
    shown = await office.get("kabid", f"/v1/batches/{batch['id']}")
    body = {"list_sha256": shown["list_sha256"], "total_idr": shown["total_idr"]}
    headers = {"If-Match": f'"{shown["version"]}"'}
    kabid = office.running.client("kabid", regions=["32.76"], sub="a")
    kadis = office.running.client("kadis", regions=["32.76"], sub="b")
    path = f"/v1/batches/{batch['id']}:approve"
    answers = await asyncio.gather(*(c.post(path, json=body, headers=headers) for c in (kabid, kadis)))
    assert sorted(a.status_code for a in answers) == [200, 412]
    signed = await office.sql("SELECT count(*) AS n FROM approval WHERE duty = 'approve'")
    assert signed[0]["n"] == 1


async def test_a_person_who_died_after_approval_is_pulled_and_the_approvals_stand(office):
    """S13: 1,300 x 150,000 approved; one death; SPM and SP2D over 194,850,000."""
    await office.open_budget(2_340_000_000)
    people = await office.grant(1300, 150_000)
    batch = await office.approved()
    assert batch["total_idr"] == 195_000_000
    await office.running.deliver(
        "org.santun.registry.person.life_changed.v1",
        {
            "person_id": str(people[7]), "life": "death_reported", "died_on": "2026-08-01", "effective_at": "2026-08-02T02:10:00Z",
            "death_record_id": str(new_id()), "source": "desa", "facts_version": 4, "region": "32.76.03", "state": "death_reported",
        },
        key=people[7],
    )  # fmt: skip
    now = await office.get("kabid", f"/v1/batches/{batch['id']}")
    assert (now["state"], now["count"], now["total_idr"]) == ("approved", 1299, 194_850_000)
    assert (await office.get("kabid", f"/v1/batches/{batch['id']}/approvals"))["due_roles"] == []
    assert [e.data["removed_count"] for e in await office.running.outbox("batch.line_removed")] == [1]
    [right] = await office.sql("SELECT state FROM entitlement WHERE beneficiary_person_id = $1", people[7])
    assert right["state"] == "held"
    funded = await office.fund(batch)
    assert (funded["spm_idr"], funded["sp2d_idr"]) == (194_850_000, 194_850_000)
    exported = await office.export(batch)
    assert exported["count"] == 1299
    [(file, content)] = await office.files(batch, "written")
    assert (file["count"], file["total_idr"]) == (1299, 194_850_000)
    assert b"<CtrlSum>194850000</CtrlSum>" in content


async def test_adding_a_line_voids_both_approvals(office):
    await office.open_budget(2_340_000_000)
    await office.grant(30, 5_000_000)
    batch = await office.approved()
    await office.grant(1, 5_000_000)
    again = await office.step("program_manager", batch, "add-lines", {"count": 1})
    assert (again["state"], again["count"]) == ("draft", 31)
    approvals = await office.get("kabid", f"/v1/batches/{batch['id']}/approvals")
    assert all(s["voided_at"] for s in approvals["signatures"] if s["duty"] == "approve")
    await office.step(
        "bendahara", batch, "request-payment", {"number": "1", "dated_on": "2026-08-03", "amount_idr": 1}, status=409
    )
    frozen = await office.step("program_manager", batch, "freeze")
    assert (frozen["count"], frozen["total_idr"]) == (31, 155_000_000)


async def test_a_silent_registry_lets_nothing_leave(office):
    await office.open_budget(1_000_000_000)
    await office.grant(5, 150_000)
    batch = await office.approved()
    await office.fund(batch)
    office.desk.silent = True
    await office.step("exporter", batch, "export", status=503)
    assert (await office.get("kabid", f"/v1/batches/{batch['id']}"))["state"] == "funded"
    assert await office.sql("SELECT FROM attempt") == []
    office.desk.silent = False
    assert (await office.export(batch))["state"] == "exported"


async def test_gate_f_takes_out_what_may_not_be_paid_and_says_why(office):
    await office.open_budget(1_000_000_000)
    people = await office.grant(10, 150_000)
    office.desk.changed = {
        people[0]: frozenset({"life"}),
        people[1]: frozenset({"residence"}),
        people[2]: frozenset({"payee"}),
    }
    office.desk.marks[people[3]] = None
    twin = office.desk.mark(people[4])
    office.desk.marks[people[5]] = type(twin)(people[5], "active", "exact", "110", twin.token)
    office.desk.tied = {people[6]}
    batch = await office.draft()
    await office.step("program_manager", batch, "freeze")
    checked = await office.step("program_manager", batch, "check")
    assert checked["removed_reasons"] == {
        "perlu_diperiksa": 1, "fakta_berubah": 1, "rekening_belum_aktif": 1, "rekening_ganda": 2, "konflik_petugas": 1,
    }  # fmt: skip
    assert (checked["count"], checked["total_idr"], checked["removed_total_idr"]) == (4, 600_000, 900_000)
    [run] = await office.get("kabid", f"/v1/batches/{batch['id']}/checks")
    assert (run["gate"], run["checked"], run["removed"]) == ("f", 10, 6)
    due = await office.sql("SELECT count(*) AS n FROM entitlement WHERE state = 'due'")
    assert due[0]["n"] == 6


async def test_an_account_that_changed_after_approval_is_not_paid(office):
    await office.open_budget(1_000_000_000)
    people = await office.grant(25, 150_000)
    batch = await office.approved()
    await office.fund(batch)
    old = office.desk.mark(people[0])
    office.desk.marks[people[0]] = type(old)(people[0], "active", "exact", "110", b"another account!")
    exported = await office.export(batch)
    assert (exported["count"], exported["removed_reasons"]) == (24, {"rekening_berubah": 1})
    await office.sent(batch)
    [order] = await office.orders(batch)
    await office.bank_says(bank.notice(order, DAY))
    refused = await office.step("kabid", batch, "close", status=409)
    await office.step("recon_officer", batch, "reconcile", sub="third-officer")
    refused = await office.step("kabid", batch, "close", status=409)
    assert await office.codes(refused) == {"baris_belum_selesai"}
    paper = {"number": "STS-1", "dated_on": "2026-08-10", "amount_idr": 150_000}
    await office.step("bendahara", batch, "redeposit", {**paper, "amount_idr": 1}, status=409)
    await office.step("bendahara", batch, "redeposit", paper)
    balances = await office.balances()
    assert (balances["B600"], balances["B400"], balances.get("C200", 0)) == (-24 * 150_000, -150_000, 0)
    assert (await office.step("kabid", batch, "close"))["state"] == "closed"


async def test_a_line_pulled_from_a_written_file_voids_it_and_writes_it_anew(office):
    await office.open_budget(1_000_000_000)
    await office.grant(25, 150_000)
    batch = await office.approved()
    await office.fund(batch)
    await office.export(batch)
    [(first, content)] = await office.files(batch, "written")
    lines = (await office.get("kabid", "/v1/payments", batch_id=batch["id"]))["items"]
    pulled = await office.step(
        "kabid", batch, "pull-lines", {"line_ids": [lines[0]["id"]], "reason": "wafat_dilaporkan"}
    )
    assert (pulled["state"], pulled["count"]) == ("exported", 24)
    [(second, anew)] = await office.files(batch, "written")
    assert (second["replaces_id"], second["count"], second["total_idr"]) == (first["id"], 24, 24 * 150_000)
    before = {t.reference for t in bank.read(content).transfers}
    after = {t.reference for t in bank.read(anew).transfers}
    assert after < before
    await office.sent(batch)
    assert (await office.balances())["C130"] == 24 * 150_000


async def test_the_treasury_gives_an_spm_back_and_the_commitment_stands_again(office):
    await office.open_budget(1_000_000_000)
    await office.grant(5, 150_000)
    batch = await office.approved()
    paper = {"number": "SPM-1", "dated_on": "2026-08-03", "amount_idr": 750_000}
    await office.step("bendahara", batch, "request-payment", {**paper, "number": "SPP-1"})
    await office.step("ppk", batch, "order", paper)
    assert (await office.balances())["B500"] == -750_000
    back = await office.step("bpkad", batch, "refuse-order", {"reason": "alasan_lain"})
    assert back["state"] == "approved"
    balances = await office.balances()
    assert (balances["B400"], balances.get("B500", 0)) == (-750_000, 0)
    used = await office.step("bendahara", batch, "request-payment", {**paper, "number": "SPP-1"}, status=409)
    assert await office.codes(used) == {"nomor_sudah_dipakai"}


async def test_an_upload_that_timed_out_is_asked_about_and_never_sent_again(office):
    await office.open_budget(1_000_000_000)
    await office.grant(5, 150_000)
    batch = await office.approved()
    await office.fund(batch)
    await office.export(batch)
    await office.step("exporter", batch, "transfer-unknown")
    lines = (await office.get("kabid", "/v1/payments", batch_id=batch["id"]))["items"]
    pulled = await office.step(
        "kabid", batch, "pull-lines", {"line_ids": [lines[0]["id"]], "reason": "wafat_dilaporkan"}
    )
    assert pulled["count"] == 5
    [file] = await office.get("exporter", f"/v1/batches/{batch['id']}/files")
    path = f"/v1/payment-files/{file['id']}:not-received"
    await office.call("exporter", path, {"document_id": str(new_id())}, version=file["version"], status=403)
    again = await office.call("recon_officer", path, {"document_id": str(new_id())}, version=file["version"])
    assert again["state"] == "written"
    await office.step("exporter", batch, "transfer-unknown")
    [order] = await office.orders(batch, "written")
    await office.bank_says(bank.notice(order, DAY))
    now = await office.get("kabid", f"/v1/batches/{batch['id']}")
    assert now["state"] == "settling"
    assert (await office.sql("SELECT count(*) AS n FROM line WHERE state = 'settled'"))[0]["n"] == 5


async def test_twenty_thousand_lines_freeze_in_one_go(office):
    await office.open_budget(10_000_000_000)
    await office.grant(20_000, 150_000)
    batch = await office.draft()
    begin = asyncio.get_running_loop().time()
    frozen = await office.step("program_manager", batch, "freeze")
    took = asyncio.get_running_loop().time() - begin
    assert (frozen["count"], frozen["total_idr"]) == (20_000, 3_000_000_000)
    chunks = await office.sql("SELECT sum(rows) AS n, count(*) AS c FROM chunk")
    assert (chunks[0]["n"], chunks[0]["c"]) == (20_000, 4)
    assert took < 60, took  # seconds, on a machine that does other work too
