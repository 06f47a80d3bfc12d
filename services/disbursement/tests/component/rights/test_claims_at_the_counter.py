"""Claims over HTTP and PostgreSQL: filed once for a deceased, decided by others than who prepared it, explained."""

import asyncio
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

WIB = ZoneInfo("Asia/Jakarta")


async def test_a_claim_goes_its_whole_way_and_says_why(office):
    await office.depok()
    claim = await office.payable()
    assert (claim["state"], claim["amount_idr"]) == ("payable", 2_000_000)
    assert claim["receipt"].startswith("SK-")
    (right,) = (await office.get("kabid", "/v1/entitlements", claim_id=claim["id"]))["items"]
    assert (right["state"], right["value_idr"], right["period"]) == ("due", 2_000_000, "once")
    assert (await office.balances())["B400"] == -2_000_000

    await office.pay(claim)

    assert (await office.claim(claim))["state"] == "paid"
    assert await office.events("claim") == [
        "claim.filed", "claim.checked", "claim.verified", "claim.approved", "claim.payable", "claim.paid",
    ]  # fmt: skip
    assert [e.sequence for e in await office.running.outbox() if str(e.key) == claim["id"]] == [1, 2, 3, 4, 5, 6]
    office.clock.advance(timedelta(days=89))
    await office.jobs("close-claims")
    assert (await office.claim(claim))["state"] == "paid"
    office.clock.advance(timedelta(days=1))
    await office.jobs("close-claims")
    assert (await office.claim(claim))["state"] == "closed"

    why = await office.get("kadis", f"/v1/claims/{claim['id']}:why")
    approved = next(w for w in why if w["step"] == "approve")
    assert approved["inputs"]["amount_idr"] == 2_000_000
    assert approved["legal_basis"] == "Perwal 28/SANKEM_DPK (2016-05-02)"
    assert approved["findings"][0]["criterion"] == "domisili"
    assert "domicile" not in approved["inputs"]
    assert approved["facts_version"] == 1


async def test_a_payment_that_came_back_makes_the_same_claim_payable_again(office):
    from disbursement.rights import commands
    from kit.auth.actor import Actor

    await office.depok()
    claim = await office.payable()
    await office.pay(claim)
    (right,) = await office.sql("SELECT id FROM entitlement")
    async with office.running.runtime.begin(Actor.system("test")) as uow:
        assert await commands.reopen(uow, [right["id"]]) == [right["id"]]
        assert await commands.reopen(uow, [right["id"]]) == []
    again = await office.claim(claim)
    assert (again["state"], again["paid_at"]) == ("payable", None)
    assert [(r["state"], r["returns"]) for r in await office.sql("SELECT state, returns FROM entitlement")] == [
        ("due", 1)
    ]


async def test_one_claim_for_a_deceased_over_records_years_and_programmes(office):
    await office.depok()
    first = await office.filed(office.register.death(date(2023, 2, 20), akta="akta-1"))
    death = office.register.deaths[UUID(first["death_record_id"])]
    again = await office.start(death)
    assert await office.no("op_desa", again, "file") == ["klaim_ganda"]

    same_akta = await office.start(office.register.death(date(2023, 2, 21), akta="akta-1"))
    assert await office.no("op_desa", same_akta, "file") == ["klaim_ganda"]

    await office.step("pemeriksa_kel", first, "check-kel", {})
    await office.step("verifikator", first, "verify")
    await office.step("kadis", first, "approve", {})
    await office.jobs("entitle-claims")
    await office.pay(first)
    office.clock.advance(timedelta(days=700))
    same_person = await office.start(office.register.death(date(2023, 3, 5), person=death.person_id))
    assert await office.no("op_desa", same_person, "file") == ["santunan_sudah_dibayar"]


async def test_a_paper_serves_one_claim(office):
    await office.depok()
    papers = office.papers("akta_kematian", "kk")
    await office.filed(papers=papers)
    other = await office.start(office.register.death(date(2023, 2, 21)), papers=papers)
    assert await office.no("op_desa", other, "file") == ["dokumen_dipakai_ulang"]


async def test_of_fifty_equal_filings_at_once_one_is_taken(office):
    await office.depok()
    death = office.register.death(date(2023, 2, 20))
    drafts = [await office.start(death) for _ in range(50)]

    async def file(draft):
        """A full house answers 503; whoever is told so comes again."""
        while (answer := await office.send("op_desa", f"/v1/claims/{draft['id']}:file", version=1)).status_code == 503:
            pass
        return answer

    answers = await asyncio.gather(*(file(d) for d in drafts))
    assert sorted(a.status_code for a in answers) == [200] + [409] * 49
    assert {r["code"] for a in answers if a.status_code == 409 for r in a.json()["reasons"]} == {"klaim_ganda"}
    states = await office.sql("SELECT state, count(*) AS n FROM claim GROUP BY state ORDER BY state")
    assert [(s["state"], s["n"]) for s in states] == [("draft", 49), ("filed", 1)]
    assert await office.events("claim") == ["claim.filed"]


async def test_a_withdrawn_claim_frees_the_deceased_the_papers_and_the_money(office):
    await office.depok()
    death = office.register.death(date(2023, 2, 20))
    papers = office.papers("akta_kematian", "kk")
    first = await office.verified(death, papers=papers)
    await office.step("kadis", first, "approve", {})
    assert (await office.balances())["B400"] == -2_000_000
    await office.step("op_desa", first, "withdraw")
    assert "B400" not in await office.balances()
    assert (await office.filed(death, papers=papers))["state"] == "filed"


async def test_a_stale_version_a_wrong_role_and_a_wrong_region_change_nothing(office):
    await office.depok()
    claim = await office.filed()
    path = f"/v1/claims/{claim['id']}"
    stale = await office.send("pemeriksa_kel", f"{path}:check-kel", {}, version=claim["version"] - 1)
    assert stale.status_code == 412
    assert (await office.send("pemeriksa_kel", f"{path}:check-kel", {})).status_code == 428
    assert await office.refused("op_desa", f"{path}:check-kel", {}, version=claim["version"], status=403) == [
        "peran_tidak_berwenang"
    ]
    elsewhere = await office.send("pemeriksa_kel", f"{path}:check-kel", {}, version=claim["version"], regions=["35.17"])
    assert elsewhere.status_code == 404
    neighbour = await office.send(
        "pemeriksa_kel", f"{path}:check-kel", {}, version=claim["version"], regions=["32.76.04"]
    )
    assert neighbour.status_code == 404
    assert await office.refused("kadis", f"{path}:approve", {}, version=claim["version"]) == ["langkah_tidak_berlaku"]
    assert (await office.claim(claim))["version"] == claim["version"]


async def test_who_prepared_a_claim_does_not_decide_it_whatever_role_they_wear_later(office):
    await office.depok()
    claim = await office.verified()
    assert await office.no("kadis", claim, "approve", {}, sub="pemeriksa_kel-1") == ["penyiap_memutuskan"]
    assert await office.no("kadis", claim, "approve", {}, person_id=claim["claimant_person_id"]) == ["konflik_petugas"]
    office.register.tied.add(UUID(claim["claimant_person_id"]))
    assert await office.no("kadis", claim, "approve", {}) == ["konflik_petugas"]


async def test_a_citizen_sees_and_moves_only_the_own_claim(office):
    await office.depok()
    claim = await office.filed()
    own = {"regions": ["32.76.03.1001"], "person_id": claim["claimant_person_id"]}
    async with office.running.client("warga", sub="warga-1", **own) as client:
        assert (await client.get(f"/v1/claims/{claim['id']}")).status_code == 200
        assert len((await client.get("/v1/claims")).json()["items"]) == 1
    other = {"regions": ["32.76.03.1001"], "person_id": str(office.register.person())}
    async with office.running.client("warga", sub="warga-2", **other) as client:
        assert (await client.get(f"/v1/claims/{claim['id']}")).status_code == 404
        assert (await client.get(f"/v1/claims/{claim['id']}:why")).status_code == 404
        assert (await client.get("/v1/claims")).json()["items"] == []
        answer = await client.post(f"/v1/claims/{claim['id']}:withdraw", headers={"If-Match": f'"{claim["version"]}"'})
        assert answer.status_code == 404


async def test_the_registry_is_asked_before_anything_is_decided(office):
    await office.depok()
    claim = await office.filed()
    await office.step("pemeriksa_kel", claim, "check-kel", {})
    office.register.silent = True
    now = await office.claim(claim)
    answer = await office.send("verifikator", f"/v1/claims/{claim['id']}:verify", version=now["version"])
    assert answer.status_code == 503
    assert (await office.claim(claim))["version"] == now["version"]


async def test_a_claim_without_enough_budget_is_told_so_and_stays_verified(office):
    await office.depok(pagu_idr=3_000_000)
    first, second = await office.verified(), await office.verified()
    await office.step("kadis", first, "approve", {})
    assert await office.no("kadis", second, "approve", {}) == ["pagu_tidak_cukup"]
    assert (await office.claim(second))["state"] == "verified"


async def test_rejected_by_two_appealed_once_and_final(office):
    await office.depok()
    death = office.register.death(date(2023, 2, 20))
    claim = await office.filed(death)
    assert await office.no("kadis", claim, "reject", {"reasons": ["domisili"]}) == ["usul_tolak_belum_ada"]
    await office.step("verifikator", claim, "propose-rejection", {"reasons": ["domisili"]})
    rejected = await office.step("kadis", claim, "reject", {"reasons": ["domisili"]})
    assert rejected["appeal_until"] == "2023-03-15T17:00:00Z"
    why = (await office.get("kadis", f"/v1/claims/{claim['id']}:why"))[0]
    assert why["objection_until"] == rejected["appeal_until"]
    assert why["reasons"][0]["text_id"].startswith("Bukan penduduk")
    assert why["reasons"][0]["next_en"]

    other = await office.start(death)
    assert await office.no("op_desa", other, "file") == ["klaim_ganda"]
    await office.step("op_desa", claim, "appeal")
    assert await office.no("kadis", claim, "dismiss", {"reasons": ["domisili"]}) == ["pemutus_sama"]
    await office.step("sekretaris", claim, "dismiss", {"reasons": ["domisili"]})
    assert await office.no("op_desa", claim, "appeal") == ["keberatan_sudah_dipakai"]
    assert (await office.step("op_desa", other, "file"))["state"] == "filed"


async def test_locks_of_a_rejection_nobody_appeals_are_free_after_its_days(office):
    await office.depok()
    death = office.register.death(date(2023, 2, 20))
    claim = await office.filed(death)
    await office.step("verifikator", claim, "propose-rejection", {"reasons": ["domisili"]})
    await office.step("kadis", claim, "reject", {"reasons": ["domisili"]})
    other = await office.start(death)
    office.clock.set(datetime(2023, 3, 15, 23, 59, 59, tzinfo=WIB))
    await office.jobs("close-claims")
    assert await office.no("op_desa", other, "file") == ["klaim_ganda"]
    office.clock.set(datetime(2023, 3, 16, 0, 0, 0, tzinfo=WIB))
    await office.jobs("close-claims")
    assert (await office.step("op_desa", other, "file"))["state"] == "filed"


async def test_a_file_sent_back_keeps_its_first_instant_and_lapses_when_nothing_comes(office):
    await office.depok()
    claim = await office.filed()
    back = await office.step("verifikator", claim, "return", {"docs": ["surat_pengantar"]})
    assert (back["state"], back["cure_due"]) == ("incomplete", "2023-03-15T17:00:00Z")
    assert await office.no("op_desa", claim, "complete", {"documents": office.papers("kk")}) == ["dokumen_kurang"]
    office.clock.advance(timedelta(days=1))
    done = await office.step("op_desa", claim, "complete", {"documents": office.papers("surat_pengantar")})
    assert (done["state"], done["filed_at"], done["waits"]) == ("filed", claim["filed_at"], [])
    await office.step("verifikator", claim, "return", {"docs": ["surat_pengantar"]})
    office.clock.advance(timedelta(days=15))
    await office.jobs("lapse-claims")
    assert (await office.claim(claim))["state"] == "lapsed"
    assert await office.sql("SELECT * FROM death_lock") == []


async def test_fraud_is_found_by_the_inspectorate_and_locks_the_deceased_for_ever(office):
    await office.depok()
    death = office.register.death(date(2023, 2, 20))
    claim = await office.payable(death)
    assert await office.no("kadis", claim, "void", {}) == ["temuan_belum_ada"]
    assert (await office.send("inspektorat", f"/v1/claims/{claim['id']}:report-fraud", {"document": "LHP-7"},
                              version=claim["version"], scopes=["disbursement.claims:write"])).status_code == 200  # fmt: skip
    await office.step("kadis", claim, "void", {})
    assert [r["state"] for r in await office.sql("SELECT state FROM entitlement")] == ["cancelled"]
    assert "B400" not in await office.balances()
    again = await office.start(death)
    assert await office.no("op_desa", again, "file") == ["klaim_ganda"]
