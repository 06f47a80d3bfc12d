"""Deaths at the desks: reported, certified, refused, revoked, and what others hear of it."""

import asyncio
from datetime import timedelta

from kit.ids import new_id
from registry_office import NOW, OTHER_VILLAGE, VILLAGE, Office, command, good, nik, reasons

AKTA = {"akta_no": "3276-KM-14072026-0007", "issuer_code": "32.76", "issued_on": "2026-07-18"}


async def test_a_reported_death_holds_and_a_certified_one_ends(office: Office):
    person = await office.person()
    death = await office.death(person["id"])
    assert death["state"] == "reported"
    assert (await office.facts(person["id"], "life"))["facts"] == {"life": "death_reported"}

    certified = await office.certified(death)

    assert certified["state"] == "certified"
    assert (await office.facts(person["id"], "life", "died_on"))["facts"] == {"life": "dead", "died_on": "2026-07-14"}
    life = await office.registry.outbox("person.life_changed")
    assert [(e.data["life"], e.data["source"], e.data["region"]) for e in life] == [
        ("death_reported", "rt", "32.76.03"), ("dead", "akta", "32.76.03"),
    ]  # fmt: skip
    assert [e.data["facts_version"] for e in life] == [2, 3]
    names = [e.name for e in await office.registry.outbox() if e.topic == "registry.death"]
    assert names == ["death.reported", "death.certified"]
    assert good(await office.verifikator.get(f"/v1/deaths/{death['id']}"))["akta_token"]


async def test_who_reported_does_not_certify_and_a_desk_does_not_either(office: Office):
    person = await office.person()
    form = {"person_id": person["id"], "source": "rt", "died_on": "2026-07-14", "region_code": VILLAGE}
    death = good(await office.verifikator.post("/v1/deaths", json=form))
    own = await command(office.verifikator, "deaths", death, "certify", AKTA)
    assert (own.status_code, reasons(own)) == (409, {"pelapor_mengesahkan"})
    desk = await command(office.desa, "deaths", death, "certify", AKTA)
    assert (desk.status_code, reasons(desk)) == (403, {"peran_tidak_berwenang"})
    refused = await office.registry.sql("SELECT command, reasons FROM audit WHERE outcome = 'refused' ORDER BY pos")
    assert [r["reasons"] for r in refused] == [["pelapor_mengesahkan"], ["peran_tidak_berwenang"]]


async def test_a_refusal_names_every_reason_in_two_languages(office: Office):
    death = await office.death((await office.person())["id"])
    answer = await command(
        office.verifikator, "deaths", death, "certify", {**AKTA, "akta_no": "---", "issued_on": "2026-07-01"}
    )
    assert reasons(answer) == {"nomor_akta_kosong", "tanggal_akta"}
    assert all(r["text_id"] != r["code"] and r["text_en"] for r in answer.json()["reasons"])


async def test_a_second_report_meets_the_first(office: Office):
    person = await office.person()
    death = await office.death(person["id"])
    form = {"person_id": person["id"], "source": "hospital", "died_on": "2026-07-14", "region_code": VILLAGE}
    again = await office.petugas.post("/v1/deaths", json=form)
    assert (again.status_code, reasons(again)) == (409, {"sudah_ada_catatan"})
    assert death["id"] in (await office.registry.sql("SELECT id::text FROM death_record"))[0]["id"]


async def test_one_akta_certifies_one_death_over_all_years(office: Office):
    one, other = await office.person("Siti Aminah"), await office.person("Budi Santoso", sex="L")
    first = await office.certified(await office.death(one["id"], died_on="2023-02-01"))
    second = await office.death(other["id"])
    again = await command(
        office.verifikator, "deaths", second, "certify", {**AKTA, "akta_no": "3276-km-14072026-0007 "}
    )
    assert (again.status_code, reasons(again)) == (409, {"akta_dipakai_ulang"})

    revoke = {"basis": "court", "document_id": str(new_id()), "dpo_informed": True}
    good(await command(office.kadis, "deaths", first, "revoke", revoke))
    assert (await office.certified(second))["state"] == "certified"


async def test_of_two_who_certify_at_once_one_wins(office: Office):
    death = await office.death((await office.person())["id"])
    other_desk = office.registry.client("verifikator", sub="verifikator-2", regions=["32.76"])
    answers = await asyncio.gather(
        command(office.verifikator, "deaths", death, "certify", AKTA),
        command(other_desk, "deaths", death, "certify", {**AKTA, "akta_no": "3276-KM-14072026-0008"}),
    )
    assert sorted(a.status_code for a in answers) == [200, 412]
    assert len(await office.registry.outbox("death.certified")) == 1


async def test_of_two_deaths_certified_at_once_by_one_akta_one_wins(office: Office):
    one, other = await office.person("Siti Aminah"), await office.person("Budi Santoso", sex="L")
    deaths = [await office.death(one["id"]), await office.death(other["id"])]
    other_desk = office.registry.client("verifikator", sub="verifikator-2", regions=["32.76"])
    answers = await asyncio.gather(
        command(office.verifikator, "deaths", deaths[0], "certify", AKTA),
        command(other_desk, "deaths", deaths[1], "certify", AKTA),
    )
    assert sorted(a.status_code for a in answers) == [200, 409]
    loser = next(a for a in answers if a.status_code == 409)
    assert reasons(loser) == {"akta_dipakai_ulang"}


async def test_a_false_death_is_revoked_and_the_person_lives(office: Office):
    person = await office.person()
    certified = await office.certified(await office.death(person["id"]))
    letter = {"basis": "dukcapil", "document_id": str(new_id())}
    missing = await command(office.kadis, "deaths", certified, "revoke", letter)
    assert reasons(missing) == {"dpo_belum_diberi_tahu"}
    revoked = good(await command(office.kadis, "deaths", certified, "revoke", {**letter, "dpo_informed": True}))
    assert revoked["state"] == "revoked"
    last = (await office.registry.outbox("person.life_changed"))[-1]
    assert last.data["life"] == "alive"
    assert "died_on" not in last.data
    facts = await office.facts(person["id"], "life", "died_on")
    assert (facts["facts"], facts["facts_version"]) == ({"life": "alive", "died_on": None}, last.data["facts_version"])
    assert (await office.death(person["id"], died_on="2026-07-19"))["state"] == "reported"


async def test_a_disputed_death_ends_by_two_people(office: Office):
    person = await office.person()
    death = await office.death(person["id"])
    seen = {"seen_on": "2026-07-19", "photo_document_id": str(new_id())}
    disputed = good(await command(office.petugas, "deaths", death, "contradict", seen))
    assert disputed["state"] == "disputed"
    assert [r["kind"] for r in disputed["reports"]] == ["death", "life_sign"]
    assert (await office.facts(person["id"], "life"))["facts"]["life"] == "death_reported"
    proposed = good(await command(office.verifikator, "deaths", disputed, "propose-outcome", {"outcome": "revoke"}))
    revoke = {"basis": "life_sign", "document_id": str(new_id())}
    revoked = good(await command(office.kabid, "deaths", proposed, "revoke", revoke))
    assert revoked["state"] == "revoked"
    assert (await office.facts(person["id"], "life"))["facts"]["life"] == "alive"


async def test_a_hold_that_nobody_confirms_ends_by_itself_after_thirty_days(office: Office):
    person = await office.person()
    death = await office.death(person["id"])
    office.registry.clock.set(NOW + timedelta(days=29, hours=23))
    await office.registry.run_job("death-holds")
    assert (await office.facts(person["id"], "life"))["facts"]["life"] == "death_reported"
    office.registry.clock.set(NOW + timedelta(days=30, minutes=1))
    await office.registry.run_job("death-holds")
    await office.registry.run_job("death-holds")
    assert (await office.facts(person["id"], "life"))["facts"]["life"] == "alive"
    after = good(await office.verifikator.get(f"/v1/deaths/{death['id']}"))
    assert (after["state"], after["version"]) == ("reported", 2)
    assert [e.name for e in await office.registry.outbox() if e.topic == "registry.death"] == [
        "death.reported",
        "death.hold_expired",
    ]


async def test_a_second_source_is_another_one_by_another_person(office: Office):
    death = await office.death((await office.person())["id"])
    same = await command(office.desa, "deaths", death, "corroborate", {"source": "buku_makam"})
    assert reasons(same) == {"pelapor_sama"}
    other = office.registry.client("op_desa", sub="desa-2", regions=["32.76.03"])
    assert reasons(await command(other, "deaths", death, "corroborate", {"source": "rt"})) == {"sumber_sama"}
    corroborated = good(await command(other, "deaths", death, "corroborate", {"source": "buku_makam"}))
    assert corroborated["state"] == "corroborated"
    assert await office.registry.outbox("person.life_changed") != []
    assert len(await office.registry.outbox("person.life_changed")) == 1


async def test_a_death_of_somebody_unknown_is_linked_when_found(office: Office):
    form = {
        "source": "buku_makam", "died_on": "2026-07-14", "region_code": VILLAGE, "subject_name": "Siti Aminah",
        "subject_nik": nik(1),
    }  # fmt: skip
    death = good(await office.desa.post("/v1/deaths", json=form))
    assert death["person_id"] is None
    assert await office.registry.outbox("person.life_changed") == []
    person = await office.person(nik=nik(1))
    linked = good(await command(office.verifikator, "deaths", death, "link-person", {"person_id": person["id"]}))
    assert linked["person_id"] == person["id"]
    assert [e.data["life"] for e in await office.registry.outbox("person.life_changed")] == ["death_reported"]
    nobody = await office.desa.post("/v1/deaths", json={k: v for k, v in form.items() if not k.startswith("subject")})
    assert nobody.status_code == 422


async def test_other_regions_neither_see_nor_touch_a_death(office: Office):
    person = await office.person()
    death = await office.death(person["id"])
    assert (await office.elsewhere.get(f"/v1/deaths/{death['id']}")).status_code == 404
    assert (await command(office.elsewhere, "deaths", death, "corroborate", {"source": "family"})).status_code == 404
    assert (await office.elsewhere.get("/v1/deaths", params={"region": "32.76"})).status_code == 404
    form = {"person_id": person["id"], "source": "rt", "died_on": "2026-07-14", "region_code": OTHER_VILLAGE}
    assert (await office.elsewhere.post("/v1/deaths", json=form)).status_code == 404


async def test_a_list_is_paged_by_region_and_state(office: Office):
    people = [await office.person(name) for name in ("Siti Aminah", "Ani Lestari", "Rina Wati")]
    for person in people:
        await office.death(person["id"])
    first = good(
        await office.verifikator.get("/v1/deaths", params={"region": "32.76", "state": "reported", "limit": 2})
    )
    rest = good(
        await office.verifikator.get(
            "/v1/deaths", params={"region": "32.76", "state": "reported", "limit": 2, "cursor": first["next"]}
        )
    )
    found = [d["person_id"] for d in [*first["items"], *rest["items"]]]
    assert found == [p["id"] for p in reversed(people)]
    assert rest["next"] is None
    assert (
        good(await office.verifikator.get("/v1/deaths", params={"region": "32.76", "state": "certified"}))["items"]
        == []
    )


async def test_a_client_finds_its_report_by_its_own_reference(office: Office):
    person = await office.person()
    death = await office.death(person["id"], client_ref="RT-2026-17")
    found = good(await office.desa.get("/v1/deaths", params={"client_ref": "RT-2026-17"}))
    assert [d["id"] for d in found["items"]] == [death["id"]]
    assert death["receipt"].startswith("KM-")
    other = office.registry.client("op_desa", sub="desa-3", regions=["32.76"], client="other-system")
    assert good(await other.get("/v1/deaths", params={"client_ref": "RT-2026-17"}))["items"] == []


async def test_headers_and_bodies_are_checked_before_anything_happens(office: Office):
    person = await office.person()
    death = await office.death(person["id"])
    no_version = await office.verifikator.post(f"/v1/deaths/{death['id']}:certify", json=AKTA)
    stale = await command(office.verifikator, "deaths", {**death, "version": 7}, "certify", AKTA)
    unknown = await command(office.verifikator, "deaths", death, "certify", {**AKTA, "nik": "3276031703500001"})
    assert (no_version.status_code, stale.status_code, unknown.status_code) == (428, 412, 422)
    assert "3276031703500001" not in unknown.text
    key = str(new_id())
    once = await command(office.verifikator, "deaths", death, "certify", AKTA, **{"Idempotency-Key": key})
    twice = await command(office.verifikator, "deaths", death, "certify", AKTA, **{"Idempotency-Key": key})
    reused = await command(
        office.verifikator, "deaths", death, "certify", {**AKTA, "issued_on": "2026-07-19"}, **{"Idempotency-Key": key}
    )
    assert (once.status_code, twice.status_code, reused.status_code) == (200, 200, 422)
    assert once.json() == twice.json()
    assert twice.headers["idempotency-replayed"] == "true"
    assert len(await office.registry.outbox("death.certified")) == 1


async def test_the_intake_finds_a_death_by_akta_or_nik_and_never_answers_a_nik(office: Office):
    person = await office.person(nik=nik(7))
    certified = await office.certified(await office.death(person["id"]))
    by_akta = good(
        await office.disbursement.post(
            "/v1/deaths:resolve", json={"akta_no": "3276-km-14072026-0007", "issuer_code": "32.76"}
        )
    )
    by_nik = good(
        await office.desa.post(
            "/v1/deaths:resolve", json={"nik": nik(7), "name": "SITI AMINA", "died_on": "2026-07-13"}
        )
    )
    for found in (by_akta, by_nik):
        assert (found["death_record_id"], found["state"], found["person_id"]) == (
            certified["id"],
            "certified",
            person["id"],
        )
        assert found["akta_token"] == certified["akta_token"]
        assert nik(7) not in str(found)
    assert by_nik["doubts"] == ["tanggal_wafat_berbeda", "nama_berbeda"]
    nobody = good(await office.desa.post("/v1/deaths:resolve", json={"akta_no": "X-1", "issuer_code": "32.76"}))
    assert (nobody["found"], nobody["person_id"]) == (False, None)
    assert nobody["akta_token"]
    living = await office.person("Budi Santoso", nik=nik(8), sex="L")
    alive = good(await office.desa.post("/v1/deaths:resolve", json={"nik": nik(8)}))
    assert (alive["found"], alive["person_id"]) == (False, living["id"])
    logged = await office.registry.sql(
        "SELECT purpose, subjects FROM read_log WHERE route LIKE '%resolve%' OR purpose = 'claim_intake'"
    )
    assert len(logged) == 3


async def test_the_bank_reports_a_death_and_closes_an_account(office: Office):
    person = await office.person()
    account = {
        "person_id": person["id"],
        "rail": "bank",
        "bank_code": "BJB",
        "account": "0012345678",
        "holder_name": "Siti Aminah",
    }
    good(await office.desa.post("/v1/payee-accounts", json=account))
    payment = new_id()
    returned = {
        "payment_id": str(payment), "batch_id": str(new_id()), "attempt_no": 1, "payee_kind": "person", "person_id": person["id"],
        "items": [{"kind": "entitlement", "id": str(new_id()), "amount_idr": 150000}], "amount_idr": 150000,
        "value_date": "2026-07-19", "reason": "wafat_dilaporkan", "rail": "bank", "region": "32.76.03", "state": "repair",
    }  # fmt: skip
    await office.registry.deliver("payment.returned", returned, key=payment)
    await office.registry.deliver("payment.returned", returned, key=payment)
    facts = await office.facts(person["id"], "life", "payee_state")
    assert facts["facts"] == {"life": "death_reported", "payee_state": "captured"}
    reported = await office.registry.outbox("death.reported")
    assert [(e.data["source"], e.data["died_on"]) for e in reported] == [("bank_md07", "2026-07-19")]
    closed = {**returned, "reason": "rekening_ditutup"}
    await office.registry.deliver("payment.rejected", closed, key=payment)
    assert (await office.facts(person["id"], "payee_state"))["facts"]["payee_state"] == "closed"
    told = await office.registry.outbox("payee_account.rejected")
    assert [(e.data["state"], e.data["reason"]) for e in told] == [("closed", "rekening_ditutup")]


async def test_an_office_may_take_a_burial_book_for_an_akta(service_factory):
    office = Office(await service_factory("registry", burial_book_certifies=True))
    death = await office.death((await office.person())["id"])
    form = {"issued_on": "2026-07-18", "burial_book_document_id": str(new_id())}
    certified = good(await command(office.verifikator, "deaths", death, "certify", form))
    assert (certified["state"], certified["certified_basis"]) == ("certified", "burial_book")


async def test_a_partner_reports_deaths_and_does_nothing_else(office: Office):
    person = await office.person(nik=nik(21))
    hospital = office.registry.client("santun-partner", client="santun-partner")
    form = {
        "source": "hospital",
        "died_on": "2026-07-14",
        "region_code": "32.76",
        "subject_name": "Hj. Siti Aminah",
        "subject_nik": nik(21),
    }
    unsure = good(await hospital.post("/v1/deaths", json=form))
    assert unsure["person_id"] is None
    answer = {"answer": "matched", "authority_ref": "470/12/2026"}
    proposed = good(await command(office.kab, "identity-claims", person["claims"][0], "propose-answer", answer))
    good(await command(office.verifikator, "identity-claims", proposed, "confirm-answer"))
    sure = good(await hospital.post("/v1/deaths", json=form))
    assert sure["person_id"] == person["id"]
    assert (await office.facts(person["id"], "life"))["facts"]["life"] == "death_reported"
    assert (await command(hospital, "deaths", sure, "certify", AKTA)).status_code == 403
    assert (await hospital.get(f"/v1/deaths/{sure['id']}")).status_code == 403
    nowhere = await hospital.post("/v1/deaths", json={**form, "region_code": "32.76.03.9999"})
    assert nowhere.json()["errors"][0]["code"] == "wilayah_tidak_dikenal"
    everywhere = good(await office.verifikator.get("/v1/deaths"))
    assert {d["id"] for d in everywhere["items"]} == {unsure["id"], sure["id"]}
