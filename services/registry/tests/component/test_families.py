"""Families at the desks: formed, joined, left, a new head, and the heirs of the dead."""

import asyncio

from registry_office import VILLAGE, Office, command, good, reasons


async def household(office: Office) -> tuple[dict, dict, dict, dict]:
    head = await office.person("Budi Santoso", sex="L")
    wife, child = await office.person("Siti Aminah"), await office.person("Rina Wati", birth_date="1980-05-05")
    family = await office.family((head["id"], 1), (wife["id"], 3), (child["id"], 4))
    return family, head, wife, child


async def test_a_family_is_formed_and_every_member_knows_it(office: Office):
    family, head, wife, child = await household(office)
    assert family["head_person_id"] == head["id"]
    facts = await office.facts(wife["id"], "family_id", "family_size", "is_head", "shdk")
    assert facts["facts"] == {"family_id": family["id"], "family_size": 3, "is_head": False, "shdk": 3}
    assert [e.name for e in await office.registry.outbox() if e.topic == "registry.family"] == ["family.formed"]
    changed = await office.registry.outbox("person.facts_changed")
    assert {str(e.key) for e in changed} == {head["id"], wife["id"], child["id"]}
    assert all(e.sequence == 2 for e in changed)


async def test_nobody_is_in_two_families_even_at_once(office: Office):
    _, _, wife, _ = await household(office)
    form = {"region_code": VILLAGE, "members": [{"person_id": wife["id"], "shdk": 1}]}
    twice = await office.desa.post("/v1/families", json=form)
    assert reasons(twice) == {"sudah_anggota"}
    single = await office.person("Ani Lestari")
    form = {"region_code": VILLAGE, "members": [{"person_id": single["id"], "shdk": 1, "since": "2024-01-01"}]}
    answers = await asyncio.gather(
        office.desa.post("/v1/families", json=form), office.kab.post("/v1/families", json=form)
    )
    assert sorted(a.status_code for a in answers) == [201, 409]


async def test_a_card_number_is_masked_and_judged(office: Office):
    person = await office.person()
    form = {"region_code": VILLAGE, "members": [{"person_id": person["id"], "shdk": 1}], "kk": "32.7603.010120.0005"}
    family = good(await office.desa.post("/v1/families", json=form))
    assert [(c["masked"], c["state"]) for c in family["cards"]] == [("************0005", "unverified")]
    assert (await office.facts(person["id"], "kk_state"))["facts"]["kk_state"] == "unverified"
    other = await office.person("Ani Lestari")
    form = {"region_code": VILLAGE, "members": [{"person_id": other["id"], "shdk": 1}], "kk": "123"}
    assert (await office.desa.post("/v1/families", json=form)).status_code == 422


async def test_members_join_and_leave_and_a_day_of_the_past_is_remembered(office: Office):
    family, head, wife, child = await household(office)
    baby = await office.person("Dewi", birth_date="2026-07-01")
    joined = good(
        await command(
            office.desa, "families", family, "join", {"person_id": baby["id"], "shdk": 4, "since": "2026-07-01"}
        )
    )
    assert len(joined["members"]) == 4
    leave = {"person_id": child["id"], "on": "2026-07-15", "reason": "marriage"}
    left = good(await command(office.desa, "families", joined, "leave", leave))
    assert {m["person_id"] for m in left["members"]} == {head["id"], wife["id"], baby["id"]}
    past = good(await office.desa.get(f"/v1/families/{family['id']}", params={"as_of": "2026-06-30"}))
    assert {m["person_id"] for m in past["members"]} == {head["id"], wife["id"], child["id"]}
    assert (await office.facts(child["id"], "family_id"))["facts"]["family_id"] is None
    assert (await office.facts(wife["id"], "family_size"))["facts"]["family_size"] == 3
    head_goes = {"person_id": head["id"], "on": "2026-07-15", "reason": "move"}
    assert reasons(await command(office.desa, "families", left, "leave", head_goes)) == {"kepala_tidak_boleh_keluar"}


async def test_a_new_head_is_chosen_when_the_old_one_dies(office: Office):
    family, head, wife, child = await household(office)
    await office.certified(await office.death(head["id"]))
    changed = good(
        await command(
            office.desa,
            "families",
            family,
            "change-head",
            {"person_id": wife["id"], "former_shdk": 2, "on": "2026-07-18"},
        )
    )
    assert changed["head_person_id"] == wife["id"]
    left = good(
        await command(
            office.desa, "families", changed, "leave", {"person_id": head["id"], "on": "2026-07-18", "reason": "death"}
        )
    )
    assert {(m["person_id"], m["shdk"]) for m in left["members"]} == {(wife["id"], 1), (child["id"], 4)}
    assert [e.name for e in await office.registry.outbox() if e.topic == "registry.family"] == [
        "family.formed", "family.head_changed", "family.member_left",
    ]  # fmt: skip


async def test_heirs_are_found_in_order_also_after_the_dead_left_the_family(office: Office):
    family, head, wife, child = await household(office)
    await office.certified(await office.death(head["id"]))
    heirs = good(await office.disbursement.get(f"/v1/persons/{head['id']}/relatives", params={"kind": "heirs"}))[
        "items"
    ]
    assert [(h["person_id"], h["relationship"], h["life"]) for h in heirs] == [
        (wife["id"], "spouse", "alive"), (child["id"], "child", "alive"),
    ]  # fmt: skip
    good(
        await command(
            office.desa, "families", family, "leave", {"person_id": head["id"], "on": "2026-07-14", "reason": "death"}
        )
    )
    again = good(await office.disbursement.get(f"/v1/persons/{head['id']}/relatives"))["items"]
    assert [h["person_id"] for h in again] == [wife["id"], child["id"]]
    spouse = good(await office.disbursement.get(f"/v1/persons/{wife['id']}/relatives"))["items"]
    assert [(h["person_id"], h["relationship"]) for h in spouse] == [(child["id"], "child")]
    assert (await office.elsewhere.get(f"/v1/persons/{head['id']}/relatives")).status_code == 404


async def test_an_officer_does_not_handle_the_own_family(office: Office):
    _, head, wife, _ = await household(office)
    stranger = await office.person("Ani Lestari")
    bound = await office.kab.post("/v1/officers", json={"subject": "exporter-1", "person_id": wife["id"]})
    assert bound.status_code == 201
    asked = {
        "officers": [{"subject": "exporter-1"}, {"subject": "kadis-1", "person_id": stranger["id"]}, {"subject": "x"}],
        "person_ids": [head["id"], wife["id"], stranger["id"]],
    }
    pairs = good(await office.disbursement.post("/v1/officers:conflicts", json=asked))["pairs"]
    assert {(p["officer"], p["person_id"], p["kind"]) for p in pairs} == {
        ("exporter-1", head["id"], "family"), ("exporter-1", wife["id"], "self"), ("kadis-1", stranger["id"], "self"),
    }  # fmt: skip
