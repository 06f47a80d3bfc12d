"""A registration from the first listing to its end, as the office and the institution live it."""

from datetime import timedelta

import pytest
from grants_desk import FORM, paper
from kit.ids import new_id


async def test_an_institution_is_listed_applies_and_is_registered(desk):
    lks = await desk.ready("Panti Asuhan Permata Nusantara")
    file = await desk.registered(lks)
    assert (file["state"], file["valid_from"], file["valid_until"]) == ("registered", "2026-07-01", "2029-07-01")
    assert file["receipt"].startswith("TD-")
    assert file["sla_breached"] is False
    names = await desk.events(lks)
    assert names == [
        "lks.listed", "lks.registration.started", "lks.registration.submitted", "lks.registration.taken",
        "lks.registration.visited", "lks.registration.recommended", "lks.registered",
    ]  # fmt: skip
    sequences = [e.sequence for e in await desk.running.outbox()]
    assert sequences == list(range(1, len(sequences) + 1))
    async with desk.client("kadis") as kadis:
        steps = (await kadis.get(f"/v1/registrations/{file['id']}/history")).json()
    assert [s["command"] for s in steps] == [
        "enlist", "start", "edit", "submit", "take", "record_visit", "recommend", "issue",
    ]  # fmt: skip


async def test_no_name_and_no_account_leaves_in_events_or_stays_readable(desk):
    lks = await desk.ready("Panti Asuhan Kenari Emas")
    await desk.registered(lks)
    told = str([e.data for e in await desk.running.outbox()])
    assert "Kenari" not in told
    audit = str(await desk.running.sql("SELECT before, after, reasons FROM audit"))
    assert "Kenari" not in audit
    stored = await desk.running.sql("SELECT account_enc FROM institution")
    assert b"BPD" not in stored[0]["account_enc"]


async def test_a_twin_is_shown_and_must_be_declared_different(desk):
    first = await desk.listed("LKSA Al Ghifari Turi")
    body = {"name": "Yayasan Al-Ghifari, Turi", "kind": "lksa", "legal_form": "yayasan", "region_code": "34.04.08.2001"}
    refused = await desk.post("dinsos_operator", "institutions", body)
    assert (refused.status_code, refused.json()["reasons"][0]["code"]) == (409, "lks_calon_ganda")
    second = await desk.good("dinsos_operator", "institutions", {**body, "different_from": [first["id"]]})
    assert second["id"] != first["id"]


async def test_corrections_open_named_sections_and_lapse_after_thirty_days(desk):
    lks = await desk.ready("Panti Wreda Sejahtera")
    file = await desk.verified(lks)
    asked = {"sections": ["pengurus"], "reasons": ["formulir_belum_lengkap"]}
    file = await desk.step("verifikator", file, "request-correction", asked)
    assert (file["due_on"], file["unlocked"]) == ("2026-07-31", ["pengurus"])
    path = f"registrations/{file['id']}:edit"
    locked = await desk.post(
        "lks_pengurus", path, {"sections": {"keuangan": {"x": 1}}}, version=file["version"], lks=lks["id"]
    )
    assert locked.json()["reasons"][0]["code"] == "bagian_terkunci"
    file = await desk.step("lks_pengurus", file, "edit", {"sections": {"pengurus": {"x": 1}}}, lks=lks["id"])
    desk.running.clock.advance(timedelta(days=30))
    await desk.running.run_job("file-clock")
    file = await desk.step("lks_pimpinan", file, "resubmit", lks=lks["id"])
    file = await desk.step("verifikator", file, "take", {"conflict_of_interest": False})
    file = await desk.step("verifikator", file, "request-correction", asked)
    desk.running.clock.advance(timedelta(days=31))
    await desk.running.run_job("file-clock")
    await desk.running.run_job("file-clock")
    assert (await desk.events(lks)).count("lks.registration.lapsed") == 1


async def test_one_person_never_holds_two_duties(desk):
    lks = await desk.ready("Panti Bina Harapan")
    draft = await desk.draft(lks)
    same = {"lks": lks["id"], "sub": f"lks_pengurus-{lks['id']}"}
    answer = await desk.post("lks_pimpinan", f"registrations/{draft['id']}:submit", version=draft["version"], **same)
    assert [r["code"] for r in answer.json()["reasons"]] == ["penyusun_menyatakan"]
    file = await desk.step("lks_pimpinan", draft, "submit", lks=lks["id"])
    person = str(new_id())
    file = await desk.step("verifikator", file, "take", {"conflict_of_interest": False}, person_id=person)
    visit = {"visited_on": "2026-07-01", "minutes": paper("BA-1")}
    file = await desk.step("verifikator", file, "record-visit", visit, person_id=person)
    file = await desk.step("verifikator", file, "recommend", {"checklist": {"a": True}}, person_id=person)
    body = {"certificate": paper("TD-1"), "valid_until": "2029-07-01"}
    path = f"registrations/{file['id']}:issue"
    answer = await desk.post("kadis", path, body, version=file["version"], person_id=person)
    assert [r["code"] for r in answer.json()["reasons"]] == ["pemeriksa_memutuskan"]
    refused = await desk.running.sql("SELECT reasons FROM audit WHERE outcome = 'refused'")
    assert ["pemeriksa_memutuskan"] in [list(r["reasons"]) for r in refused]


async def test_users_of_an_institution_see_only_their_own(desk):
    lks, other = await desk.ready("Panti Mawar"), await desk.ready("Panti Kamboja Putih")
    file = await desk.draft(lks)
    async with desk.client("lks_pengurus", lks=other["id"]) as stranger:
        assert (await stranger.get(f"/v1/institutions/{lks['id']}")).status_code == 404
        assert (await stranger.get(f"/v1/registrations/{file['id']}")).status_code == 404
        assert [i["id"] for i in (await stranger.get("/v1/institutions")).json()["items"]] == [other["id"]]
    answer = await desk.post(
        "lks_pengurus", f"registrations/{file['id']}:edit", {"sections": FORM}, version=file["version"], lks=other["id"]
    )
    assert answer.status_code == 404


async def test_another_region_does_not_exist(desk):
    lks = await desk.listed("Panti Anggrek")
    answer = await desk.post(
        "kadis",
        f"registrations/{lks['registration_id']}:dissolve",
        {"deed": paper("AK-1")},
        version=1,
        regions=("34.02",),
    )
    assert answer.status_code == 404
    body = {"name": "Panti Teratai", "kind": "lksa", "legal_form": "yayasan", "region_code": "34.02.01.2001"}
    assert (await desk.post("dinsos_operator", "institutions", body)).status_code == 404
    async with desk.client("kadis", regions=("34.02",)) as stranger:
        assert (await stranger.get("/v1/institutions")).json()["items"] == []


@pytest.mark.parametrize("who", ["kabid", "op_desa", "inspektorat", "verifikator"])
async def test_the_wrong_role_does_not_list(desk, who):
    body = {"name": "Panti Melati", "kind": "lksa", "legal_form": "yayasan", "region_code": "34.04.07.2001"}
    assert (await desk.post(who, "institutions", body)).status_code == 403
    assert await desk.running.sql("SELECT FROM institution") == []


async def test_stale_versions_unknown_fields_and_used_keys_change_nothing(desk):
    lks = await desk.ready("Panti Cempaka")
    file = await desk.draft(lks)
    path = f"registrations/{file['id']}:submit"
    assert (await desk.post("lks_pimpinan", path, version=1, lks=lks["id"])).status_code == 412
    assert (await desk.post("lks_pimpinan", path, lks=lks["id"])).status_code == 428
    bad = {"name": "Panti", "kind": "lksa", "legal_form": "yayasan", "region_code": "34.04.07.2001", "grade": "a"}
    assert (await desk.post("dinsos_operator", "institutions", bad)).status_code == 422
    async with desk.client("dinsos_operator") as office:
        body = {"name": "Panti Dahlia Biru", "kind": "lksa", "legal_form": "yayasan", "region_code": "34.04.07.2001"}
        key = {"Idempotency-Key": "key-of-the-office-1"}
        first, again = [await office.post("/v1/institutions", json=body, headers=key) for _ in range(2)]
        assert first.json() == again.json()
        named = {**body, "name": "Panti Nusa Indah", "client_ref": "sheet-7"}
        await office.post("/v1/institutions", json=named)
        twice = await office.post("/v1/institutions", json={**named, "name": "Panti Lain Sekali"})
        assert twice.status_code == 409
        found = (await office.get("/v1/institutions", params={"client_ref": "sheet-7"})).json()["items"]
        assert [f["name"] for f in found] == ["Panti Nusa Indah"]


async def test_a_certificate_expires_is_renewed_and_each_rung_is_told_once(desk):
    lks = await desk.ready("Panti Flamboyan")
    file = await desk.registered(lks, until="2026-12-28")  # 180 days
    for _ in range(2):
        await desk.running.run_job("expiry-ladder")
    early = await desk.post(
        "lks_pengurus", f"registrations/{file['id']}:start-renewal", version=file["version"], lks=lks["id"]
    )
    assert early.json()["reasons"][0]["code"] == "terlalu_dini"
    for days in (91, 40, 40, 9, 1):
        desk.running.clock.advance(timedelta(days=days))
        await desk.running.run_job("expiry-ladder")
        await desk.running.run_job("file-clock")
    rungs = [e.data["days_left"] for e in await desk.running.outbox("lks.registration.expiring")]
    assert rungs == [180, 90, 60, 30, 7, 0]
    assert (await desk.events(lks))[-1] == "lks.registration.expired"
    file = (await desk.client("kadis").get(f"/v1/registrations/{file['id']}")).json()
    draft = await desk.step("lks_pengurus", file, "start-renewal", lks=lks["id"])
    assert (draft["kind"], draft["state"], draft["renews"]) == ("renewal", "draft", file["id"])
    assert draft["form"] == FORM


async def test_attachments_must_be_scanned_before_the_form_is_certified(desk):
    lks = await desk.ready("Panti Seroja")
    body = {**paper("AD-ART-1"), "kind": "ad_art", "institution_id": lks["id"]}
    document = await desk.good("lks_pengurus", "documents", body, lks=lks["id"])
    draft = await desk.draft(lks)
    path = f"registrations/{draft['id']}:submit"
    answer = await desk.post("lks_pimpinan", path, version=draft["version"], lks=lks["id"])
    assert [r["code"] for r in answer.json()["reasons"]] == ["lampiran_belum_bersih"]
    await desk.good("dinsos_operator", f"documents/{document['id']}:record-scan", {"result": "clean"}, version=1)
    newer = await desk.good(
        "lks_pengurus", "documents", {**body, "number": "AD-ART-2", "supersedes": document["id"]}, lks=lks["id"]
    )
    await desk.good("dinsos_operator", f"documents/{newer['id']}:record-scan", {"result": "clean"}, version=1)
    await desk.step("lks_pimpinan", draft, "submit", lks=lks["id"])


async def test_a_revoked_and_a_dissolved_institution_start_nothing_in_silence(desk):
    lks = await desk.ready("Panti Kenanga")
    file = await desk.registered(lks)
    body = {"decree": paper("SK-9"), "appeal_until": "2026-10-01", "reasons": ["bertentangan_dengan_hukum"]}
    file = await desk.step("kadis", file, "revoke", body)
    assert (file["state"], file["appeal_until"]) == ("revoked", "2026-10-01")
    file = await desk.step("kadis", file, "dissolve", {"deed": paper("AKTA-3")})
    answer = await desk.post("lks_pengurus", "registrations", {"institution_id": lks["id"]}, lks=lks["id"])
    assert "lks_bubar" in [r["code"] for r in answer.json()["reasons"]]
