"""The closing day of Depok over HTTP (S01), rules that changed, and claims for a death that was taken back (M7, M16)."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg
import pytest

WIB = ZoneInfo("Asia/Jakarta")
CUTOFF = datetime(2025, 6, 30, 15, 0, tzinfo=WIB)
CLOSING = {
    "document": "460/3499/Linjamsoscana/2025",
    "intake_cutoff": CUTOFF.isoformat(),
    "grace": [{"doc": "akta_kematian", "until": "2025-07-03T00:00:00+07:00"}],
    "rounds_left": 2,
}


async def closing(office):
    office.clock.set(datetime(2025, 6, 26, 9, 0, tzinfo=WIB))
    programme = await office.depok()
    path = f"/v1/programmes/{programme['id']}"
    return await office.call("kadis", f"{path}:announce-closing", CLOSING, version=programme["version"])


async def test_closing_day_of_depok_to_the_millisecond(office):
    """A and C are paid; B and E are refused; D and F lapse; nothing filed at the cut-off becomes payable."""
    programme = await closing(office)
    died = date(2025, 6, 20)
    a = await office.start(office.register.death(died))
    b = await office.start(office.register.death(died))
    c = await office.start(office.register.death(died), papers=office.papers("kk"))
    d = await office.start(office.register.death(died), papers=office.papers("kk"))
    e = await office.start(office.register.death(date(2025, 6, 28)))
    f = await office.start(office.register.death(died), papers=office.papers("akta_kematian"))

    office.clock.set(datetime(2025, 6, 30, 14, 30, tzinfo=WIB))
    for waiting, due in ((c, "2025-07-02T17:00:00Z"), (d, "2025-07-02T17:00:00Z"), (f, "2025-06-30T08:00:00Z")):
        filed = await office.step("op_desa", waiting, "file")
        assert (filed["state"], filed["cure_due"]) == ("incomplete", due)
    await freeze(office, CUTOFF - timedelta(milliseconds=1))
    assert (await office.step("op_desa", a, "file"))["state"] == "filed"
    await freeze(office, CUTOFF)
    assert await office.no("op_desa", b, "file") == ["program_ditutup"]
    office.clock.set(datetime(2025, 7, 1, 9, 0, tzinfo=WIB))
    assert await office.no("op_desa", e, "file") == ["program_ditutup"]
    office.clock.set(datetime(2025, 7, 2, 16, 10, tzinfo=WIB))
    assert (await office.step("op_desa", c, "complete", {"documents": office.papers("akta_kematian")}))[
        "state"
    ] == "filed"
    await freeze(office, datetime(2025, 7, 3, tzinfo=WIB))
    assert "batas_masa_tenggang" in await office.no(
        "op_desa", d, "complete", {"documents": office.papers("akta_kematian")}
    )
    await office.jobs("lapse-claims")
    assert [(x["state"], x["reasons"]) for x in [await office.claim(d), await office.claim(f)]] == [
        ("lapsed", ["batas_masa_tenggang"]), ("lapsed", ["dokumen_kurang"]),
    ]  # fmt: skip

    office.clock.set(datetime(2025, 7, 10, 9, 0, tzinfo=WIB))
    for claim in (a, c):
        await office.step("pemeriksa_kel", claim, "check-kel", {})
        await office.step("verifikator", claim, "verify")
        await office.step("kadis", claim, "approve", {})
    await office.jobs("entitle-claims")
    due = await office.sql("SELECT sum(value_idr) AS idr, count(*) AS n FROM entitlement WHERE state = 'due'")
    assert (due[0]["idr"], due[0]["n"]) == (4_000_000, 2)

    now = await office.get("kadis", f"/v1/programmes/{programme['id']}")
    close = f"/v1/programmes/{programme['id']}:close"
    assert await office.refused("kadis", close, version=now["version"]) == ["masih_ada_berkas"]
    await office.pay(a, c)
    for claim in (b, e):
        await office.step("op_desa", claim, "withdraw")
    assert (await office.call("kadis", close, version=now["version"]))["state"] == "closed"
    await holds(office)


async def freeze(office, at):
    """Stop the business clock at an instant: from here on it does not run."""
    office.running.runtime.clock.now = lambda: at.astimezone(ZoneInfo("UTC"))
    office.running.runtime.clock.today = lambda: at.astimezone(WIB).date()


@pytest.fixture(autouse=True)
def _unfreeze(office):
    yield
    vars(office.running.runtime.clock).pop("now", None)
    vars(office.running.runtime.clock).pop("today", None)


async def holds(office):
    """Every invariant of the service holds."""
    from disbursement.rights.invariants import INVARIANTS
    from kit.auth.actor import Actor

    for name, invariant in INVARIANTS.items():
        async with office.running.runtime.begin(Actor.system("verify")) as uow:
            assert await invariant(uow) == [], name


async def test_a_why_answer_holds_the_rule_version_that_decided_after_a_new_one_is_published(office):
    await office.depok()
    claim = await office.payable()
    office.clock.advance(timedelta(days=10))
    newer = await office.rule(
        office.programme_id, "2023-04-01", benefit={"form": "fixed", "amount_idr": 1_000_000}, retro_document=None
    )
    versions = await office.get("kadis", f"/v1/programmes/{office.programme_id}/rule-versions")
    assert [(v["no"], v["state"], v["effective_to"]) for v in versions] == [
        (2, "published", None), (1, "superseded", "2023-04-01"),
    ]  # fmt: skip
    why = await office.get("kadis", f"/v1/claims/{claim['id']}:why")
    assert {w["rule"]["no"] for w in why if w["rule"]} == {1}
    assert why[0]["rule"]["sha256"] == versions[1]["sha256"] != newer["sha256"]
    subject = await office.get(
        "kadis", f"/v1/subjects/{claim['claimant_person_id']}/explanation", programme=office.programme_id
    )
    assert subject == why

    office.clock.advance(timedelta(days=60))
    older_death = await office.verified(office.register.death(date(2023, 3, 31)))
    newer_death = await office.verified(office.register.death(date(2023, 4, 1)))
    assert (await office.step("kadis", older_death, "approve", {}))["amount_idr"] == 2_000_000
    assert (await office.step("kadis", newer_death, "approve", {}))["amount_idr"] == 1_000_000


async def test_a_published_rule_cannot_be_changed_even_past_the_application(office):
    await office.depok()
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await office.sql('UPDATE rule_version SET benefit = \'{"form": "fixed", "amount_idr": 9}\'')
    with pytest.raises(asyncpg.ExclusionViolationError):
        await office.sql(
            """INSERT INTO rule_version (programme_id, no, effective, date_basis, ast, benefit, docs, sha256, state, written_by)
            SELECT programme_id, 2, effective, date_basis, ast, benefit, docs, sha256, 'published', 'x' FROM rule_version"""
        )


async def test_a_death_before_the_rule_is_refused_and_the_first_day_is_paid(office):
    """S21: 16 March is too early, 17 March is paid; the letter or the list suffices, neither does not."""
    office.clock.set(datetime(2025, 4, 1, 9, 0, tzinfo=WIB))
    docs = [{"code": "sktm", "unless": {"eq": ["registered", True]}}, {"code": "kk"}]
    rule = {"v": 1, "unit": "deceased", "basis": "event_date", "claim": {"cash_place": True},
            "criteria": [{"c": "terdaftar", "e": {"known": "registered"}, "unknown": "pass"}]}  # fmt: skip
    office.line_id = await office.line(50_000_000, 2025)
    programme = await office.programme("SANTUNAN_BTT", "death_benefit", "deceased", line_id=office.line_id)
    office.programme_id = programme["id"]
    rule = {**rule, "criteria": []}
    await office.rule(
        programme["id"], "2025-03-17", ast=rule, docs=docs, benefit={"form": "fixed", "amount_idr": 500_000}
    )
    await office.activate(programme)
    early = await office.start(office.register.death(date(2025, 3, 16)), papers=office.papers("sktm", "kk"))
    assert await office.no("op_desa", early, "file") == ["di_luar_masa_aturan"]
    first = await office.verified(office.register.death(date(2025, 3, 17)), papers=office.papers("sktm", "kk"))
    assert (await office.step("kadis", first, "approve", {}))["amount_idr"] == 500_000
    neither = await office.start(office.register.death(date(2025, 3, 18)), papers=office.papers("kk"))
    assert await office.no("op_desa", neither, "file") == ["dokumen_kurang"]


async def test_a_death_taken_back_before_payment_cancels_the_right_and_frees_the_money(office):
    await office.depok()
    death = office.register.death(date(2023, 2, 20))
    claim = await office.payable(death)
    await revoke(office, death)
    flagged = await office.claim(claim)
    assert (flagged["state"], flagged["flagged"], flagged["reasons"]) == ("payable", True, ["kematian_dicabut"])
    assert [r["state"] for r in await office.sql("SELECT state FROM entitlement")] == ["cancelled"]
    assert "B400" not in await office.balances()
    again = await office.start(death)
    assert await office.no("op_desa", again, "file") == ["santunan_sudah_dibayar"]
    await revoke(office, death)
    assert (await office.claim(claim))["version"] == flagged["version"]
    await holds(office)


async def test_a_death_taken_back_before_approval_stops_the_claim(office):
    await office.depok()
    death = office.register.death(date(2023, 2, 20))
    claim = await office.verified(death)
    await revoke(office, death)
    assert "kematian_dicabut" in await office.no("kadis", claim, "approve", {})


async def revoke(office, death):
    await office.running.deliver(
        "death.revoked",
        {
            "death_record_id": str(death.record_id), "person_id": str(death.person_id), "died_on": death.died_on.isoformat(),
            "source": "dukcapil", "region": "32.76.03", "state": "revoked",
        },
        key=death.record_id,
    )  # fmt: skip


async def test_a_benefit_paid_for_somebody_who_lives_is_asked_back_and_heard(office):
    await office.depok()
    death = office.register.death(date(2023, 2, 20))
    claim = await office.payable(death)
    await office.pay(claim)
    await revoke(office, death)
    flagged = await office.claim(claim)
    assert (flagged["state"], flagged["flagged"]) == ("paid", True)
    (found,) = (await office.get("kabid", "/v1/recoveries"))["items"]
    assert (found["state"], found["amount_idr"], found["cause"]) == ("found", 2_000_000, "kematian_dicabut")
    assert (await office.balances())["C300"] == 2_000_000
    path = f"/v1/recoveries/{found['id']}"
    told = await office.call("kabid", f"{path}:notify", version=found["version"])
    assert told["objection_until"] == "2023-03-15T17:00:00Z"
    assert (await office.running.outbox("recovery.notified"))[0].data["objection_until"] == "2023-03-15"
    contested = await office.call(
        "op_desa", f"{path}:contest", version=told["version"], scopes=["disbursement.recovery:write"]
    )
    decided = await office.call(
        "kadis", f"{path}:decide", {"stands": False, "reason": "hidup_kembali"}, version=contested["version"]
    )
    assert decided["state"] == "cancelled"
    assert "C300" not in await office.balances()
    why = await office.get("kadis", f"{path}:why")
    assert [w["step"] for w in why] == ["decide", "contest", "notify", "find"]
