"""An accreditation cycle, eligibility as of a day, and the funnel of Sleman."""

from datetime import date, timedelta
from hashlib import sha256

from grants.accreditation import commands as accreditation
from grants.accreditation.cycle import Grade, Paper, Verdict
from grants.documents.commands import NewPaper
from grants.institutions.commands import Profile
from grants.registration import commands as registration
from grants.registration.file import Adopt
from grants_desk import paper
from kit.auth.actor import Actor
from kit.ids import new_id

STANDARDS = ("program", "proses", "manajemen", "sdm", "sarana", "hasil")
ANSWERS = {"answers": {name: {"score": 3, "evidence_sha256": "ab" * 32} for name in STANDARDS}}


async def step(desk, who, cycle, command, body=None, **more):
    return await desk.step(who, cycle, command, body, kind="accreditations", **more)


async def at_balks(desk, lks):
    cycle = await desk.good("lks_pengurus", "accreditations", {"institution_id": lks["id"]}, lks=lks["id"])
    cycle = await step(desk, "lks_pengurus", cycle, "answer", ANSWERS, lks=lks["id"])
    cycle = await step(desk, "lks_pimpinan", cycle, "request", lks=lks["id"])
    for who, command in (("verifikator", "verify"), ("kadis", "recommend"), ("dinsos_operator", "forward")):
        cycle = await step(desk, who, cycle, command, {"document": paper(f"{command}-{cycle['id']}")})
    return cycle


def result(grade, until, issued="2026-07-01", number=None):
    certificate = paper(number or f"BALKS-{new_id()}", date.fromisoformat(issued))
    return {"grade": grade, "certificate": certificate, "issued_on": issued, "valid_until": until}


async def test_a_cycle_goes_to_balks_and_two_persons_record_the_result(desk):
    lks = await desk.ready("Panti Sinar Harapan")
    await desk.registered(lks)
    cycle = await at_balks(desk, lks)
    cycle = await step(desk, "dinsos_operator", cycle, "schedule-visit", {"on": "2026-07-01"})
    cycle = await step(desk, "dinsos_operator", cycle, "record-visit", {"on": "2026-07-01"})
    wrong = await desk.post(
        "dinsos_operator",
        f"accreditations/{cycle['id']}:enter-result",
        result("b", "2031-07-01"),
        version=cycle["version"],
    )
    assert wrong.json()["reasons"][0]["code"] == "masa_berlaku_beda"
    cycle = await step(desk, "dinsos_operator", cycle, "enter-result", result("b", "2029-07-01"))
    assert (cycle["state"], cycle["result_entered"], cycle["grade"]) == ("visited", True, None)
    cycle = await step(desk, "kadis", cycle, "confirm-result")
    assert (cycle["state"], cycle["grade"], cycle["valid_until"]) == ("accredited", "b", "2029-07-01")
    told = (await desk.running.outbox("lks.accredited"))[0]
    assert (told.topic, told.data["grade"]) == ("grants.accreditation", "b")


async def test_a_newer_accreditation_takes_the_place_of_the_older(desk):
    lks = await desk.ready("Panti Cahaya Hati")
    await desk.registered(lks)
    old = {"institution_id": lks["id"], **result("c", "2027-01-10", "2025-01-10")}
    old = await desk.good("kadis", "adopted-accreditations", old)
    cycle = await at_balks(desk, lks)
    cycle = await step(desk, "dinsos_operator", cycle, "enter-result", result("a", "2031-07-01"))
    await step(desk, "kadis", cycle, "confirm-result")
    async with desk.client("kadis") as kadis:
        assert (await kadis.get(f"/v1/accreditations/{old['id']}")).json()["state"] == "superseded"
    moved = await desk.running.sql("SELECT actor FROM step WHERE command = 'supersede'")
    assert [m["actor"] for m in moved] == ["system:newer-accreditation"]


async def test_eligibility_is_answered_for_any_day_and_kept_when_asked(desk):
    lks = await desk.ready("Panti Budi Mulia")
    async with desk.client("kadis") as kadis:
        url = f"/v1/institutions/{lks['id']}/eligibility"
        before = (await kadis.get(url, params={"minimum_grade": "b"})).json()
        assert [r["code"] for r in before["reasons"]] == ["lks_belum_terdaftar", "belum_terakreditasi"]
        assert before["reasons"][0]["text_id"] == "LKS belum terdaftar."
        assert before["not_evaluated"] == ["standing", "open_reports", "agreement_in_force", "not_every_year"]
        await desk.registered(lks)
        body = {"institution_id": lks["id"], **result("b", "2029-07-01")}
        await desk.good("kadis", "adopted-accreditations", body)
        assert (await kadis.get(url, params={"minimum_grade": "b"})).json()["eligible"] is True
        later = (await kadis.get(url, params={"minimum_grade": "b", "as_of": "2029-07-02"})).json()
        assert [r["code"] for r in later["reasons"]] == ["tanda_daftar_berakhir", "akreditasi_berakhir"]
        kept = await desk.good("kadis", f"institutions/{lks['id']}:evaluate-eligibility", {"minimum_grade": "a"})
        assert [r["code"] for r in kept["reasons"]] == ["akreditasi_kurang"]
        assert kept["receipt"].startswith("KL-")
        stored = (await kadis.get(f"/v1/institutions/{lks['id']}/eligibility-answers")).json()
        assert [s["id"] for s in stored] == [kept["id"]]


async def test_a_signer_who_died_does_not_sign(desk):
    lks = await desk.ready("Panti Kasih Bunda")
    await desk.registered(lks)
    person = (await desk.running.sql("SELECT person_id FROM institution_officer"))[0]["person_id"]
    event = {
        "person_id": str(person), "life": "dead", "effective_at": "2026-07-01T05:00:00Z", "facts_version": 2,
        "death_record_id": str(new_id()), "source": "akta", "region": "34.04.07", "died_on": "2026-06-30", "state": "active",
    }  # fmt: skip
    await desk.running.deliver("person.life_changed", event, key=person)
    async with desk.client("kadis") as kadis:
        answer = (await kadis.get(f"/v1/institutions/{lks['id']}/eligibility")).json()
    assert [r["code"] for r in answer["reasons"]] == ["masa_bakti_berakhir"]


async def funnel(desk, as_of=None, **claims):
    async with desk.client("kadis", **claims) as kadis:
        found = (await kadis.get("/v1/funnel", params={"as_of": as_of} if as_of else {})).json()
    return found


def numbers(found):
    return [found[name] for name in ("known", "registered", "in_process", "listed", "accredited")]


NAMED = ("Al ghifari turi", "Quen latifa", "Permata Nusantara", "Pdhi Hj Sarwa")


def unlike(number):
    """A name like no other."""
    return "".join(chr(97 + byte % 26) for byte in sha256(str(number).encode()).digest()[:14])


def actor(role):
    return Actor(sub=f"{role}-sleman", client="santun-console", roles=frozenset({role}), regions=("34.04",))


async def loaded(desk):
    """121 institutions as the office has them on paper: 97 with a certificate, 57 of them accredited (30 C, 27 B)."""
    runtime = desk.running.runtime
    known = []
    async with runtime.begin(actor("dinsos_operator"), origin="test") as uow:
        for number in range(121):
            profile = Profile(unlike(number), "lksa", "yayasan", f"34.04.{number % 17 + 1:02d}.2001")
            institution, file = await registration.enlist(uow, profile)
            known.append((institution.id, file.id))
    async with runtime.begin(actor("kadis"), origin="test") as uow:
        for number, (institution_id, file_id) in enumerate(known[:97]):
            kept = NewPaper("tanda_daftar", f"TD-{number}", date(2025, 3, 1), "Dinas Sosial", "ab" * 32, "paper")
            await registration.act(uow, file_id, lambda facts, p: Adopt(facts, p, date(2029, 3, 1)), None, paper=kept)
            if number < 57:
                grade, until = (Grade.C, date(2027, 6, 1)) if number < 30 else (Grade.B, date(2028, 6, 1))
                kept = NewPaper("sertifikat", f"BALKS-{number}", date(2025, 6, 1), "BALKS", "cd" * 32, "paper")
                shown = Paper(kept.kind, kept.number, kept.dated, kept.issuer)
                verdict = Verdict(grade, shown, date(2025, 6, 1), until)
                await accreditation.adopt(uow, institution_id, verdict, kept)
    return [str(institution_id) for institution_id, _ in known]


async def test_the_funnel_of_sleman_is_125_97_4_24_57_and_only_grade_c_leaves_after_two_years(desk):
    known = await loaded(desk)
    for name in NAMED:
        await desk.draft(await desk.ready(name))
    found = await funnel(desk)
    assert numbers(found) == [125, 97, 4, 24, 57]
    assert (found["ended"], found["accredited_not_registered"]) == (0, 0)

    body = {"institution_id": known[100], **result("c", "2027-06-01", "2025-06-01")}
    await desk.good("kadis", "adopted-accreditations", body)
    odd = await funnel(desk)
    assert (odd["accredited"], odd["anomalies"]) == (58, [known[100]])

    assert numbers(await funnel(desk, "2027-06-01"))[4] == 58
    assert numbers(await funnel(desk, "2027-06-02"))[4] == 27
    desk.running.clock.advance(timedelta(days=340))
    for job in ("file-clock", "expiry-ladder", "file-clock"):
        await desk.running.run_job(job)
    later = await funnel(desk)
    assert (later["registered"], later["accredited"]) == (97, 27)
    assert len(await desk.running.outbox("lks.accreditation.expired")) == 31
    assert numbers(await funnel(desk, "2026-07-01"))[4] == 58
    assert numbers(await funnel(desk, regions=("34.02",))) == [0, 0, 0, 0, 0]


async def test_invariants_hold_after_a_whole_life(desk):
    from grants.verifying import INVARIANTS
    from kit.auth.actor import Actor

    lks = await desk.ready("Panti Tunas Bangsa")
    await desk.registered(lks)
    cycle = await at_balks(desk, lks)
    cycle = await step(desk, "dinsos_operator", cycle, "enter-result", result("c", "2028-07-01"))
    cycle = await step(desk, "kadis", cycle, "confirm-result")
    letter = {"letter": paper("BALKS-CABUT-1"), "reasons": ["bertentangan_dengan_hukum"]}
    cycle = await step(desk, "dinsos_operator", cycle, "enter-revocation", letter)
    cycle = await step(desk, "kadis", cycle, "confirm-revocation")
    assert cycle["state"] == "revoked"
    async with desk.running.runtime.begin(Actor.system("verify")) as uow:
        assert {name: await check(uow) for name, check in INVARIANTS.items()} == {name: [] for name in INVARIANTS}
