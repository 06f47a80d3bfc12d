"""Facts in bulk: only those asked for, only by scope, versions that tell what changed; and the regions."""

import pytest
from kit.ids import new_id
from registry_office import VILLAGE, Office, good


async def test_facts_are_given_by_name_within_regions_and_logged(office: Office):
    person, ghost = await office.person(), str(new_id())
    rule = str(new_id())
    asked = {
        "person_ids": [person["id"], ghost],
        "facts": ["life", "desil", "central_aid"],
        "purpose": "rule_check",
        "rule_version_id": rule,
    }
    answer = good(await office.disbursement.post("/v1/facts:batch-get", json=asked))
    assert answer["items"] == [
        {"person_id": person["id"], "facts_version": 1, "facts": {"life": "alive", "desil": None, "central_aid": None}}
    ]
    assert answer["missing"] == [ghost]
    log = await office.registry.sql("SELECT purpose, fields FROM read_log")
    assert [(r["purpose"], r["fields"]) for r in log] == [(f"rule_check:{rule}", ["life", "desil", "central_aid"])]
    assert (await office.desa.post("/v1/facts:batch-get", json=asked)).status_code == 403


async def test_an_unknown_fact_and_a_restricted_one_are_refused(office: Office):
    person = await office.person()
    asked = {"person_ids": [person["id"]], "facts": ["life", "name"], "purpose": "rule_check"}
    assert (await office.disbursement.post("/v1/facts:batch-get", json=asked)).json()["errors"][0][
        "pointer"
    ] == "/facts/1"
    restricted = {**asked, "facts": ["disability_degree"]}
    grants = office.registry.client("santun-grants", client="santun-grants")
    assert (await grants.post("/v1/facts:batch-get", json=restricted)).status_code == 403
    assert (await office.disbursement.post("/v1/facts:batch-get", json=restricted)).status_code == 200


@pytest.mark.parametrize(
    ("path", "field", "limit", "more"),
    [
        ("/v1/facts:batch-get", "person_ids", 1_000, {"facts": ["life"], "purpose": "rule_check"}),
        ("/v1/payees:batch-get", "person_ids", 1_000, {"purpose": "export"}),
        ("/v1/payees:fingerprint", "person_ids", 1_000, {}),
        ("/v1/persons:resolve", "person_ids", 1_000, {}),
        ("/v1/names:batch-get", "person_ids", 500, {"purpose": "paper_list"}),
    ],
)
async def test_a_bulk_question_has_a_limit(office: Office, path, field, limit, more):
    ids = [str(new_id()) for _ in range(limit + 1)]
    full = await office.disbursement.post(path, json={field: ids[:limit], **more})
    over = await office.disbursement.post(path, json={field: ids, **more})
    assert (full.status_code, over.status_code) == (200, 422)
    assert len(full.json()["missing"]) == limit


async def test_ten_thousand_versions_are_compared_and_only_the_stale_ones_answered(office: Office):
    person, other = await office.person(), await office.person("Ani Lestari")
    strangers = [{"person_id": str(new_id()), "facts_version": 3} for _ in range(9_998)]
    await office.death(person["id"])
    asked = [
        {"person_id": person["id"], "facts_version": 1},
        {"person_id": other["id"], "facts_version": 1},
        *strangers,
    ]
    answer = good(await office.disbursement.post("/v1/facts:stale-check", json={"items": asked}))
    stale = {s["person_id"]: s for s in answer["stale"]}
    assert len(stale) == 9_999
    assert stale[person["id"]] == {"person_id": person["id"], "facts_version": 2, "groups": ["life"]}
    assert other["id"] not in stale
    over = await office.disbursement.post("/v1/facts:stale-check", json={"items": [*asked, asked[0]]})
    assert over.status_code == 422


async def test_a_first_load_walks_all_persons_once(office: Office):
    people = {(await office.person(name))["id"] for name in ("Siti Aminah", "Ani Lestari", "Rina Wati")}
    seen, after = set(), None
    for _ in range(4):
        params = {"facts": ["life", "domicile"], "limit": 2, **({"after": after} if after else {})}
        items = good(await office.disbursement.get("/v1/facts/export", params=params))["items"]
        if not items:
            break
        seen |= {i["person_id"] for i in items}
        after = items[-1]["person_id"]
    assert seen == people


async def test_a_person_resolves_to_itself(office: Office):
    person = await office.person()
    answer = good(await office.disbursement.post("/v1/persons:resolve", json={"person_ids": [person["id"]]}))
    assert answer["items"] == [{"person_id": person["id"], "canonical_id": person["id"], "state": "active"}]


async def test_regions_are_listed_by_day_and_cached_by_their_tag(office: Office):
    depok = await office.desa.get("/v1/regions", params={"within": "32.76", "level": "village"})
    codes = [r["code"] for r in depok.json()["items"]]
    assert len(codes) == 1 + 11 + 63
    assert VILLAGE in codes
    assert depok.json()["items"][0]["decree"].startswith("Kepmendagri")
    again = await office.desa.get(
        "/v1/regions", params={"within": "32.76", "level": "village"}, headers={"If-None-Match": depok.headers["etag"]}
    )
    assert again.status_code == 304
    past = good(await office.desa.get("/v1/regions", params={"within": "32.76", "as_of": "2023-02-01"}))
    assert len(past["items"]) == 12
    provinces = good(await office.desa.get("/v1/regions", params={"level": "prov"}))
    assert len(provinces["items"]) == 38
    page = good(await office.desa.get("/v1/regions", params={"level": "prov", "limit": 30}))
    rest = good(await office.desa.get("/v1/regions", params={"level": "prov", "limit": 30, "after": page["next"]}))
    assert len(rest["items"]) == 8
    assert rest["next"] is None


async def test_every_invariant_holds_after_a_busy_day(office: Office):
    head, wife = await office.person("Budi Santoso", sex="L"), await office.person()
    await office.family((head["id"], 1), (wife["id"], 3))
    await office.certified(await office.death(head["id"]))
    await office.death(wife["id"])
    from kit.auth.actor import Actor

    async with office.registry.runtime.begin(Actor.system("verify")) as uow:
        for name, invariant in office.registry.service.invariants.items():
            assert await invariant(uow) == [], name


async def test_the_table_classes_mirror_the_tables(office: Office):
    from registry.contacts.tables import Contact
    from registry.deaths.tables import DeathRecord
    from registry.families.tables import Family
    from registry.identities.tables import IdentityClaim
    from registry.officers.tables import Officer
    from registry.payees.tables import PayeeAccount
    from registry.persons.tables import Person

    for table in (Contact, DeathRecord, Family, IdentityClaim, Officer, PayeeAccount, Person):
        rows = await office.registry.sql(
            "SELECT column_name, is_nullable FROM information_schema.columns WHERE table_name = $1", table.__tablename__
        )
        stored = {r["column_name"]: r["is_nullable"] == "YES" for r in rows}
        mapped = {c.name: bool(c.nullable) for c in table.__table__.columns}
        assert mapped == stored, table.__tablename__


async def test_a_split_region_answers_as_of_its_day(office: Office):
    sql = office.registry.sql
    await sql("UPDATE region SET valid_to = '2026-01-01' WHERE code = '32.76.03.1001'")
    await sql(
        "INSERT INTO region (authority, code, kind, name, parent_code, valid_from, decree) VALUES"
        " ('kemendagri', '32.76.03.1099', 'kel', 'Pasir Putih Baru', '32.76.03', '2026-01-01', 'Contoh 1/2026')"
    )

    async def villages(day: str) -> set[str]:
        params = {"within": "32.76.03", "level": "village", "as_of": day}
        return {r["code"] for r in good(await office.desa.get("/v1/regions", params=params))["items"]}

    assert "32.76.03.1001" in await villages("2025-12-31")
    assert await villages("2026-01-01") ^ await villages("2025-12-31") == {"32.76.03.1001", "32.76.03.1099"}
    gone = await office.desa.post("/v1/persons", json={"name": "Siti", "region_code": "32.76.03.1001"})
    assert gone.json()["errors"][0]["code"] == "wilayah_tidak_dikenal"
