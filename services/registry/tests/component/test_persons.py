"""Persons and their numbers at the desks: registered, masked, found, revealed, corrected, in conflict."""

import asyncio

from kit.ids import new_id
from registry_office import OTHER_VILLAGE, VILLAGE, Office, command, good, nik, reasons


async def test_a_person_is_registered_with_a_masked_number_and_first_facts(office: Office):
    address = {
        "kind": "domisili",
        "region_code": VILLAGE,
        "since": "2020-01-01",
        "rt": 3,
        "rw": 7,
        "street": "Jl. Melati 5",
    }
    person = await office.person(nik="32.7603.570350.0001", address=address, client_ref="kk-17-2")
    assert person["claims"][0]["masked"] == "************0001"
    assert (person["claims"][0]["state"], person["claims"][0]["structure"]) == ("well_formed", "ok")
    assert not person["provisional"]
    assert person["receipt"].startswith("OR-")
    facts = await office.facts(
        person["id"], "life", "nik_state", "domicile", "resident_since", "family_id", "birth_date"
    )
    assert facts["facts"] == {
        "life": "alive", "nik_state": "unverified", "domicile": VILLAGE, "resident_since": "2020-01-01", "family_id": None,
        "birth_date": "1950-03-17",
    }  # fmt: skip
    assert [e.name for e in await office.registry.outbox()] == ["person.registered"]
    found = good(await office.desa.get("/v1/persons", params={"client_ref": "kk-17-2"}))
    assert [p["id"] for p in found["items"]] == [person["id"]]


async def test_a_person_without_a_usable_number_is_provisional(office: Office):
    placeholder = await office.person("Rina Wati", nik="0000000000000000")
    impossible = await office.person("Ani Lestari", nik="3276037203500001")
    assert (placeholder["provisional"], placeholder["claims"]) == (True, [])
    assert (impossible["provisional"], impossible["claims"][0]["state"]) == (True, "quarantined")
    assert impossible["claims"][0]["warnings"] == ["nik_tanggal_tidak_wajar"]


async def test_somebody_alike_needs_a_reason(office: Office):
    await office.person("Siti Aminah")
    again = await office.desa.post(
        "/v1/persons", json={"name": "Hj. SITI AMINAH", "region_code": VILLAGE, "birth_date": "1950-03-17", "sex": "P"}
    )
    assert (again.status_code, reasons(again)) == (409, {"calon_ganda"})


async def test_a_desk_sees_only_its_own_region(office: Office):
    person = await office.person()
    assert (await office.elsewhere.get(f"/v1/persons/{person['id']}")).status_code == 404
    form = {"name": "Siti", "region_code": OTHER_VILLAGE}
    assert (await office.desa.post("/v1/persons", json=form)).status_code == 404
    nobody = office.registry.client("op_desa", sub="desa-0", regions=[])
    assert (await nobody.get(f"/v1/persons/{person['id']}")).status_code == 404


async def test_row_security_holds_where_the_application_forgets(office: Office):
    person = await office.person(nik=nik(3))
    await office.death(person["id"])
    contact = {"person_id": person["id"], "kind": "phone", "value": "081234567890"}
    good(await office.desa.post("/v1/contacts", json=contact))
    from kit.auth.actor import Actor
    from sqlalchemy import text

    tables = ("person", "person_name", "identity_claim", "contact", "death_record", "death_report", "person_facts")
    counts = {}
    for regions in ((), ("35.17",), ("32.76",)):
        actor = Actor("probe", "probe", regions=regions)
        async with office.registry.runtime.begin(actor) as uow:
            counts[regions] = [(await uow.execute(text(f"SELECT count(*) FROM {t}"))).scalar_one() for t in tables]
    assert counts[()] == counts["35.17",] == [0] * len(tables)
    assert min(counts["32.76",]) == 1


async def test_a_number_is_found_exactly_and_every_look_is_logged(office: Office):
    person = await office.person(nik=nik(4))
    found = good(await office.desa.post("/v1/persons:search", json={"nik": nik(4)}))
    assert [(h["person_id"], h["initials"]) for h in found["items"]] == [(person["id"], "S. A.")]
    assert good(await office.desa.post("/v1/persons:search", json={"nik": nik(5)}))["items"] == []
    assert (await office.desa.post("/v1/persons:search", json={"nik": "0000"})).status_code == 422
    good(await office.desa.get(f"/v1/persons/{person['id']}"))
    revealed = good(
        await office.verifikator.post(f"/v1/persons/{person['id']}:reveal", json={"purpose": "court_request"})
    )
    assert revealed["value"] == nik(4)
    assert (
        await office.desa.post(f"/v1/persons/{person['id']}:reveal", json={"purpose": "court_request"})
    ).status_code == 403
    log = await office.registry.sql(
        "SELECT actor, purpose, fields, subjects[1]::text AS subject FROM read_log ORDER BY at"
    )
    assert [(r["actor"], r["purpose"]) for r in log] == [
        ("desa-1", "identity_check"), ("desa-1", "case_work"), ("verifikator-1", "court_request"),
    ]  # fmt: skip
    assert {r["subject"] for r in log} == {person["id"]}


async def test_a_typed_answer_takes_two_people(office: Office):
    person = await office.person(nik=nik(6))
    claim = person["claims"][0]
    answer = {"answer": "matched", "authority_ref": "470/12/2026"}
    proposed = good(await command(office.kab, "identity-claims", claim, "propose-answer", answer))
    assert (proposed["state"], proposed["proposed_answer"]) == ("well_formed", "matched")
    matched = good(await command(office.verifikator, "identity-claims", proposed, "confirm-answer"))
    assert matched["state"] == "matched"
    own = await office.person("Ani Lestari", nik=nik(9))
    typed = good(await command(office.verifikator, "identity-claims", own["claims"][0], "propose-answer", answer))
    refused = await command(office.verifikator, "identity-claims", typed, "confirm-answer")
    assert reasons(refused) == {"pengusul_memutuskan"}
    assert (await office.facts(person["id"], "nik_state"))["facts"]["nik_state"] == "matched"
    told = await office.registry.outbox("identity.matched")
    assert [(str(e.key), e.data["state"]) for e in told] == [(person["id"], "matched")]


async def test_one_number_of_two_people_puts_both_in_conflict_until_two_people_decide(office: Office):
    one, other = await office.person(nik=nik(11)), await office.person("Ani Lestari", nik=nik(11))
    answer = {"answer": "matched", "authority_ref": "470/13/2026"}
    for person in (one, other):
        proposed = good(await command(office.kab, "identity-claims", person["claims"][0], "propose-answer", answer))
        last = good(await command(office.verifikator, "identity-claims", proposed, "confirm-answer"))
    assert last["state"] == "conflict"
    for person in (one, other):
        assert (await office.facts(person["id"], "nik_state"))["facts"]["nik_state"] == "conflict"
    assert {str(e.key) for e in await office.registry.outbox("identity.conflict")} == {one["id"], other["id"]}
    proposed = good(
        await command(office.verifikator, "identity-claims", last, "propose-answer", {**answer, "answer": "rejected"})
    )
    rejected = good(await command(office.kabid, "identity-claims", proposed, "confirm-answer"))
    assert rejected["state"] == "rejected"
    assert (await office.facts(other["id"], "nik_state"))["facts"]["nik_state"] == "none"


async def test_a_wrong_number_is_replaced_by_another_claim(office: Office):
    person = await office.person(nik="3276037203500001")
    form = {"value": nik(12), "reason": "salah_ketik"}
    new = good(await command(office.desa, "identity-claims", person["claims"][0], "replace", form))
    assert (new["state"], new["masked"]) == ("well_formed", "************0012")
    claims = good(await office.desa.get(f"/v1/persons/{person['id']}/identity-claims"))["items"]
    assert [c["state"] for c in claims] == ["well_formed", "superseded"]


async def test_a_correction_takes_two_people_and_keeps_the_old_name(office: Office):
    person = await office.person("Siti Amina")
    form = {"name": "Siti Aminah", "birth_date": "1950-03-18", "document_id": str(new_id())}
    proposed = good(await command(office.desa, "persons", person, "propose-correction", form))
    assert proposed["correction_pending"]
    assert proposed["birth_date"] == "1950-03-17"
    corrected = good(await command(office.verifikator, "persons", proposed, "correct"))
    assert (corrected["birth_date"], corrected["correction_pending"]) == ("1950-03-18", False)
    assert [(n["name"], n["valid_to"]) for n in corrected["names"]] == [
        ("Siti Amina", "2026-07-20"),
        ("Siti Aminah", None),
    ]
    told = await office.registry.outbox("person.facts_changed")
    assert [e.data["groups"] for e in told] == [["identity"]]


async def test_a_move_ends_the_old_address_and_changes_who_sees_the_person(office: Office):
    person = await office.person(address={"kind": "domisili", "region_code": VILLAGE, "since": "2020-01-01"})
    form = {"kind": "domisili", "region_code": "32.76.01.1006", "since": "2026-07-01", "street": "Jl. Mawar 9"}
    out_of_reach = await command(office.desa, "persons", person, "settle", form)
    assert out_of_reach.status_code == 404
    good(await command(office.kab, "persons", person, "settle", form))
    assert (await office.desa.get(f"/v1/persons/{person['id']}")).status_code == 404
    moved = good(await office.kab.get(f"/v1/persons/{person['id']}/residences"))["items"]
    assert [(r["region_code"], r["valid_to"]) for r in moved] == [("32.76.01.1006", None), (VILLAGE, "2026-07-01")]
    then = good(await office.kab.get(f"/v1/persons/{person['id']}/residences", params={"as_of": "2024-05-05"}))["items"]
    assert [r["region_code"] for r in then] == [VILLAGE]
    assert [e.data["groups"] for e in await office.registry.outbox("person.facts_changed")] == [["residence"]]


async def test_stale_versions_and_reused_keys_change_nothing(office: Office):
    person = await office.person()
    form = {"name": "Siti Aminah", "document_id": str(new_id())}
    answers = await asyncio.gather(
        command(office.desa, "persons", person, "propose-correction", form),
        command(office.kab, "persons", person, "propose-correction", {**form, "name": "Siti Amina"}),
    )
    assert sorted(a.status_code for a in answers) == [200, 412]


async def test_no_number_or_name_stands_in_logs_events_audit_or_errors(office: Office, capfd):
    number, phone, account = nik(77), "081298765432", "0098765432"
    person = await office.person("Kartika Nurjanah", nik=number)
    good(await office.desa.post("/v1/contacts", json={"person_id": person["id"], "kind": "phone", "value": phone}))
    form = {
        "person_id": person["id"],
        "rail": "bank",
        "bank_code": "BJB",
        "account": account,
        "holder_name": "Kartika Nurjanah",
    }
    good(await office.desa.post("/v1/payee-accounts", json=form))
    errors = [
        await office.desa.post("/v1/persons:search", json={"nik": number * 3}),
        await office.desa.post("/v1/contacts", json={"person_id": person["id"], "kind": "email", "value": phone}),
        await office.desa.post("/v1/payee-accounts", json=form),
        await office.desa.post("/v1/identity-claims", json={"person_id": person["id"], "value": number, number: 1}),
        await office.desa.post("/v1/identity-claims", json={"person_id": person["id"], "value": number}),
        await office.desa.get(f"/v1/persons/{number}"),
    ]
    assert all(e.status_code >= 400 for e in errors)
    await office.certified(await office.death(person["id"]))
    kept = [
        str([dict(r) for r in await office.registry.sql(query)])
        for query in (
            "SELECT payload, headers FROM outbox", "SELECT * FROM audit", "SELECT * FROM read_log", "SELECT * FROM parked",
            "SELECT * FROM identity_claim", "SELECT * FROM contact", "SELECT * FROM death_record", "SELECT body FROM idempotency",
        )
    ]  # fmt: skip
    out, err = capfd.readouterr()
    for secret in (number, "81298765432", account, "Kartika"):
        for place in [*kept, out, err, *(e.text for e in errors)]:
            assert secret not in place, secret
