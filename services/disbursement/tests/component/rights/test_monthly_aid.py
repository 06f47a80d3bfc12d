"""One monthly programme: nominated, decreed, paid by cycle; held, resumed and ended by life (S04, M13, exclusivity)."""

import hashlib
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

WIB = ZoneInfo("Asia/Jakarta")
RULE = {
    "v": 1, "unit": "person", "basis": "period_start",
    "criteria": [
        {"c": "hidup", "e": {"eq": ["life", "alive"]}, "at": "EFP", "hard": True, "why": {"death_reported": "wafat_dilaporkan"}},
        {"c": "umur_min", "e": {"age_ge": ["birth_date", 60]}, "at": "E"},
        {"c": "domisili", "e": {"region_in": ["domicile", ["32.76"]]}, "at": "EFP", "hard": True},
        {"c": "desil_maks", "e": {"le": ["desil", 4]}, "at": "EF", "unknown": "review", "why": {"unknown": "desil_belum_ada"}},
    ],
}  # fmt: skip
BENEFIT = {"form": "fixed", "amount_idr": 150_000, "per": "month", "due_if_alive_on": "period_start"}


class Lansia:
    """The monthly programme and the people in it."""

    def __init__(self, office):
        self.office = office

    async def open(self, code="LANSIA", *, quota=10, pagu_idr=100_000_000):
        office = self.office
        self.line_id = await office.line(pagu_idr, 2026, f"1.06.{len(code)}")
        programme = await office.programme(code, "recurring_cash", "person", line_id=self.line_id)
        self.id = programme["id"]
        await office.rule(self.id, "2026-01-01", ast=RULE, benefit=BENEFIT, docs=[], quota=quota)
        await office.activate(programme)
        return self

    def elder(self, **facts):
        values = {"birth_date": "1955-03-01", "desil": 3, **facts}
        return self.office.register.person(**values)

    async def nominate(self, person=None, **more):
        form = {"programme_id": self.id, "subject_id": str(person or self.elder())}
        return await self.office.call("op_desa", "/v1/enrolments", form, **more)

    async def decree(self, *places, starts_on="2026-01-01", **more):
        ids = [p["id"] for p in places]
        form = {
            "programme_id": self.id, "number": f"SK-{ids[0]}", "issued_on": "2026-01-02",
            "document_sha256": "0" * 64, "starts_on": starts_on, "enrolment_ids": ids,
            "list_sha256": hashlib.sha256("".join(f"{i}\n" for i in sorted(ids)).encode()).hexdigest(), **more,
        }  # fmt: skip
        return await self.office.send("kadis", "/v1/decrees", form)

    async def active(self, count=1, **facts):
        places = [await self.nominate(self.elder(**facts)) for _ in range(count)]
        assert {p["state"] for p in places} == {"eligible"}
        answer = await self.decree(*places)
        assert answer.status_code == 201, answer.text
        await self.office.jobs("activate-places")
        return places

    async def cycle(self, period, *, approve=True):
        cycle = await self.office.call("program_manager", "/v1/cycles", {"programme_id": self.id, "period": period})
        if approve:
            cycle = await self.office.call("kadis", f"/v1/cycles/{cycle['id']}:approve", version=cycle["version"])
        return cycle

    async def rights(self):
        rows = await self.office.sql(
            "SELECT period, state FROM entitlement WHERE programme_id = $1 ORDER BY period, id", UUID(self.id)
        )
        return [(r["period"], r["state"]) for r in rows]

    async def place(self, enrolment):
        return await self.office.get("kadis", f"/v1/enrolments/{enrolment['id']}")


@pytest.fixture
async def lansia(office):
    office.clock.set(datetime(2026, 1, 5, 9, 0, tzinfo=WIB))
    return await Lansia(office).open()


async def test_the_rule_answers_a_nomination_with_every_reason(office, lansia):
    refused = await lansia.nominate(lansia.elder(birth_date="1990-01-01", desil=7))
    assert (refused["state"], refused["reasons"]) == ("refused", ["umur_min", "desil_maks"])
    (why,) = await office.get("kadis", f"/v1/enrolments/{refused['id']}:why")
    assert [r["code"] for r in why["reasons"]] == ["umur_min", "desil_maks"]
    assert why["objection_until"] == "2026-01-19T17:00:00Z"
    assert (why["fail_mask"], why["unknown_mask"]) == (0b1010, 0)
    stored = await office.sql("SELECT facts FROM decision WHERE aggregate_id = $1", UUID(refused["id"]))
    assert '"desil": 7' in stored[0]["facts"]

    open_ = await lansia.nominate(lansia.elder(desil=None))
    assert (open_["state"], open_["reasons"]) == ("candidate", ["desil_belum_ada"])
    seen = await office.call(
        "verifikator", f"/v1/enrolments/{open_['id']}:review", {"fits": True, "reason": "bukti_kunjungan"},
        version=open_["version"],
    )  # fmt: skip
    assert seen["state"] == "eligible"
    assert await office.refused(
        "op_desa", "/v1/enrolments", {"programme_id": lansia.id, "subject_id": seen["subject_id"]}
    ) == ["sudah_terdaftar"]


async def test_a_silent_registry_nominates_nobody(office, lansia):
    person = lansia.elder()
    office.register.silent = True
    answer = await office.send("op_desa", "/v1/enrolments", {"programme_id": lansia.id, "subject_id": str(person)})
    assert answer.status_code == 503
    assert await office.sql("SELECT * FROM enrolment") == []


async def test_a_year_of_places_is_reserved_committed_by_cycle_and_generated_once(office, lansia):
    await lansia.active(3)
    assert (await office.balances(lansia.line_id))["B300"] == -3 * 12 * 150_000
    cycle = await lansia.cycle("2026-01", approve=False)
    assert (cycle["control_count"], cycle["control_sum_idr"], cycle["state"]) == (3, 450_000, "generated")
    again = await lansia.cycle("2026-01", approve=False)
    assert (again["id"], again["control_count"]) == (cycle["id"], 3)
    assert await office.refused(
        "kadis", f"/v1/cycles/{cycle['id']}:approve", version=again["version"], sub="program_manager-1"
    ) == ["pembuat_memutuskan"]
    await office.call("kadis", f"/v1/cycles/{cycle['id']}:approve", version=again["version"])
    balances = await office.balances(lansia.line_id)
    assert (balances["B300"], balances["B400"]) == (-3 * 11 * 150_000, -450_000)
    assert await lansia.rights() == [("2026-01", "due")] * 3
    await lansia.cycle("2026-02")
    assert (await lansia.rights())[3:] == [("2026-02", "planned")] * 3
    office.clock.set(datetime(2026, 2, 1, 0, 0, 1, tzinfo=WIB))
    await office.jobs("fall-due")
    assert (await lansia.rights())[3:] == [("2026-02", "due")] * 3
    told = [e for e in await office.running.outbox() if e.name.startswith("cycle")]
    assert [(e.name, e.data["count"], e.data["total_idr"]) for e in told][:2] == [
        ("cycle.generated", 3, 450_000), ("cycle.approved", 3, 450_000),
    ]  # fmt: skip


async def test_a_reported_death_holds_and_a_revoked_one_leaves_everything_as_it_was(office, lansia):
    """M13: hold then release leaves rights and budget as before; what was missed meanwhile is due."""
    (place,) = await lansia.active()
    await lansia.cycle("2026-01")
    await lansia.cycle("2026-02")
    before, balances = await lansia.rights(), await office.balances(lansia.line_id)
    person = UUID(place["subject_id"])
    await office.life(person, "death_reported", died_on=date(2026, 1, 6))
    assert await lansia.rights() == [("2026-01", "held"), ("2026-02", "held")]
    assert (await lansia.place(place))["state"] == "suspended"
    await lansia.cycle("2026-03")
    assert (await lansia.rights())[2] == ("2026-03", "held")
    held = await office.running.outbox("entitlement.held")
    assert {e.data["reason"] for e in held} == {"wafat_dilaporkan"}

    await office.life(person, "alive")

    assert await lansia.rights() == [*before, ("2026-03", "planned")]
    assert (await lansia.place(place))["state"] == "active"
    now = await office.balances(lansia.line_id)
    assert now["B400"] == balances["B400"] - 150_000
    why = await office.get("kadis", f"/v1/enrolments/{place['id']}:why")
    assert [w["step"] for w in why][:2] == ["alive", "death_reported"]


async def test_a_certified_death_ends_the_place_and_frees_what_comes_after(office, lansia):
    """S04: May stays due, June to December are freed, the first of the waiting list may follow."""
    small = await Lansia(office).open("LANSIA_KECIL", quota=1)
    (place,) = await small.active()
    waiting = await small.nominate()
    assert (waiting["state"], waiting["reasons"]) == ("waitlisted", ["kuota_penuh"])
    assert (await office.running.outbox("enrolment.waitlisted"))[0].data["position"] == 1
    answer = await small.decree(waiting)
    assert [r["code"] for r in answer.json()["reasons"]] == ["kuota_penuh"]
    for month in range(1, 7):
        await small.cycle(f"2026-{month:02d}")
    office.clock.set(datetime(2026, 5, 15, 8, 0, tzinfo=WIB))
    await office.jobs("fall-due")
    person = UUID(place["subject_id"])
    await office.life(person, "death_reported", died_on=date(2026, 5, 14))
    await office.life(person, "dead", died_on=date(2026, 5, 14))

    ended = await small.place(place)
    assert (ended["state"], ended["reasons"], ended["ends_on"]) == ("ended", ["hidup"], "2026-05-14")
    assert await small.rights() == [(f"2026-{m:02d}", "due") for m in range(1, 6)] + [("2026-06", "cancelled")]
    balances = await office.balances(small.line_id)
    assert balances["B400"] == -5 * 150_000
    assert "B300" not in balances
    assert (await small.decree(waiting, starts_on="2026-06-01")).status_code == 201
    assert (await office.balances(small.line_id))["B300"] == -7 * 150_000
    await holds(office)


async def test_somebody_certified_dead_who_lives_gets_place_and_arrears_back(office, lansia):
    (place,) = await lansia.active()
    await lansia.cycle("2026-01")
    person = UUID(place["subject_id"])
    await office.life(person, "death_reported", died_on=date(2025, 12, 30))
    await office.life(person, "dead", died_on=date(2025, 12, 30))
    assert await lansia.rights() == [("2026-01", "cancelled")]
    other = await lansia.active()
    office.clock.set(datetime(2026, 2, 3, 9, 0, tzinfo=WIB))
    await lansia.cycle("2026-02")

    await office.life(person, "alive")

    mine = await office.sql("SELECT period, state FROM entitlement WHERE subject_id = $1 ORDER BY period", person)
    assert [(r["period"], r["state"]) for r in mine] == [("2026-01", "due"), ("2026-02", "due")]
    assert (await lansia.place(place))["state"] == "active"
    assert (await lansia.place(other[0]))["state"] == "active"
    await holds(office)


async def test_an_older_event_changes_nothing(office, lansia):
    (place,) = await lansia.active()
    await lansia.cycle("2026-01")
    person = UUID(place["subject_id"])
    await office.life(person, "death_reported", died_on=date(2026, 1, 6))
    await office.life(person, "alive")
    await office.running.deliver(
        "person.life_changed",
        {"person_id": str(person), "facts_version": 2, "life": "dead", "died_on": "2026-01-06",
         "effective_at": "2026-01-06T00:00:00Z", "death_record_id": str(person), "source": "rt", "region": "32.76.03",
         "state": "active"},
        key=person,
    )  # fmt: skip
    assert await lansia.rights() == [("2026-01", "due")]


async def test_facts_pulled_before_the_event_arrives_do_not_swallow_the_hold(office, lansia):
    """The pull knows of the death first; the event still holds the rights."""
    (place,) = await lansia.active()
    await lansia.cycle("2026-01")
    person = UUID(place["subject_id"])
    version = office.register.learn(person, life="death_reported")
    await office.sql(
        "UPDATE fact_person SET life = 'death_reported', facts_version = $2 WHERE person_id = $1", person, version
    )
    await office.running.deliver(
        "person.life_changed",
        {"person_id": str(person), "facts_version": version, "life": "death_reported", "died_on": "2026-01-06",
         "effective_at": "2026-01-06T00:00:00Z", "death_record_id": str(person), "source": "rt", "region": "32.76.03",
         "state": "active"},
        key=person,
    )  # fmt: skip
    assert await lansia.rights() == [("2026-01", "held")]


async def test_nobody_begins_a_place_while_their_death_is_reported(office, lansia):
    place = await lansia.nominate()
    assert (await lansia.decree(place)).status_code == 201
    await office.life(UUID(place["subject_id"]), "death_reported", died_on=date(2026, 1, 4))
    await office.jobs("activate-places")
    assert (await lansia.place(place))["state"] == "decreed"
    await office.life(UUID(place["subject_id"]), "alive")
    await office.jobs("activate-places")
    assert (await lansia.place(place))["state"] == "active"


async def test_programmes_of_one_group_give_one_place(office, lansia):
    other = await Lansia(office).open("DISABILITAS")
    await office.sql("INSERT INTO exclusivity_group (code, scope) VALUES ('tunai', 'person')")
    await office.sql(
        "INSERT INTO exclusivity_member (group_id, programme_id) SELECT g.id, p FROM exclusivity_group g, unnest($1::uuid[]) p",
        [UUID(lansia.id), UUID(other.id)],
    )
    person = lansia.elder()
    first, second = await lansia.nominate(person), await other.nominate(person)
    assert (await lansia.decree(first)).status_code == 201
    answer = await other.decree(second)
    assert [r["code"] for r in answer.json()["reasons"]] == ["bantuan_daerah_lain"]


async def test_a_decree_takes_all_or_nobody_and_needs_its_own_annex(office, lansia):
    places = [await lansia.nominate() for _ in range(3)]
    answer = await lansia.decree(*places, list_sha256="f" * 64)
    assert [r["code"] for r in answer.json()["reasons"]] == ["lampiran_sk_berbeda"]
    assert {(await lansia.place(p))["state"] for p in places} == {"eligible"}
    assert "B300" not in await office.balances(lansia.line_id)


async def test_a_suspended_place_keeps_its_rights_held_and_a_soft_end_waits_for_the_objection(office, lansia):
    (place,) = await lansia.active()
    await lansia.cycle("2026-01")
    now = await lansia.place(place)
    path = f"/v1/enrolments/{place['id']}"
    await office.call("kabid", f"{path}:suspend", {"reason": "verval_lama"}, version=now["version"])
    assert await lansia.rights() == [("2026-01", "held")]
    now = await lansia.place(place)
    soft = {"reason": "desil_maks", "on": "2026-01-31", "objection_open": True}
    assert await office.refused("kadis", f"{path}:end", soft, version=now["version"]) == ["keberatan_masih_terbuka"]
    await office.call("kabid", f"{path}:resume", version=now["version"])
    assert await lansia.rights() == [("2026-01", "due")]


async def test_facts_that_changed_are_pulled_and_never_go_backwards(office, lansia):
    (place,) = await lansia.active()
    person = UUID(place["subject_id"])
    version = office.register.learn(person, desil=5)
    await office.running.deliver(
        "person.facts_changed",
        {"person_id": str(person), "facts_version": version, "groups": ["welfare"], "state": "active"},
        key=person,
    )
    await office.jobs("refresh-facts")
    (row,) = await office.sql("SELECT facts_version, facts, stale_groups FROM fact_person WHERE person_id = $1", person)
    assert (row["facts_version"], row["stale_groups"]) == (version, [])
    assert '"desil": 5' in row["facts"]


async def test_of_an_erased_person_only_what_was_decided_is_kept(office, lansia):
    (place,) = await lansia.active(1)
    person = UUID(place["subject_id"])
    (before,) = await office.sql("SELECT facts_version, facts FROM fact_person WHERE person_id = $1", person)
    assert before["facts"] != "{}"
    version = before["facts_version"] + 1
    await office.running.deliver(
        "person.erased",
        {"person_id": str(person), "facts_version": version, "basis": "request", "state": "erased"},
        key=person,
    )
    (row,) = await office.sql(
        "SELECT facts_version, facts, family_id, domicile FROM fact_person WHERE person_id = $1", person
    )
    assert tuple(row) == (version, "{}", None, None)
    await office.jobs("refresh-facts")
    (row,) = await office.sql("SELECT facts FROM fact_person WHERE person_id = $1", person)
    assert row["facts"] == "{}"


async def test_a_discarded_cycle_leaves_the_period_free(office, lansia):
    await lansia.active(2)
    cycle = await lansia.cycle("2026-01", approve=False)
    await office.call(
        "kadis", f"/v1/cycles/{cycle['id']}:discard", {"reason": "daftar_keliru"}, version=cycle["version"]
    )
    assert await lansia.rights() == []
    assert (await lansia.cycle("2026-01"))["control_count"] == 2


async def holds(office):
    from disbursement.rights.invariants import INVARIANTS
    from kit.auth.actor import Actor

    for name, invariant in INVARIANTS.items():
        async with office.running.runtime.begin(Actor.system("verify")) as uow:
            assert await invariant(uow) == [], name
