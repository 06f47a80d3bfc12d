"""Payee accounts and contacts: sealed, checked by another, replaced by two, opened only for a purpose."""

from datetime import timedelta

from kit.ids import new_id
from registry_office import NOW, Office, command, good, reasons


async def account(office: Office, person_id: str, number: str = "0012345678", **more: str) -> dict:
    form = {
        "person_id": person_id,
        "rail": "bank",
        "bank_code": "BJB",
        "account": number,
        "holder_name": "SITI AMINAH",
        **more,
    }
    return good(await office.desa.post("/v1/payee-accounts", json=form))


async def test_the_first_account_is_the_default_and_another_person_checks_it(office: Office):
    person = await office.person()
    first = await account(office, person["id"])
    assert (first["is_default"], first["state"], first["name_match"], first["masked"]) == (
        True,
        "captured",
        "exact",
        "******5678",
    )
    check = {"state": "active", "name_match": "exact"}
    assert (await command(office.desa, "payee-accounts", first, "record-check", check)).status_code == 403
    active = good(await command(office.verifikator, "payee-accounts", first, "record-check", check))
    assert active["state"] == "active"
    print_ = good(await office.disbursement.post("/v1/payees:fingerprint", json={"person_ids": [person["id"]]}))[
        "items"
    ][0]
    facts = await office.facts(person["id"], "payee_state", "payee_token")
    assert (print_["state"], print_["payee_token"]) == (facts["facts"]["payee_state"], facts["facts"]["payee_token"])
    told = await office.registry.outbox("payee_account.changed")
    assert [e.data["state"] for e in told] == ["captured", "active"]
    assert await office.registry.outbox("person.facts_changed") == []


async def test_an_account_is_replaced_by_two_people_and_takes_money_after_a_day(office: Office):
    person = await office.person()
    old, new = await account(office, person["id"]), await account(office, person["id"], "0087654321")
    assert not new["is_default"]
    before = (await office.facts(person["id"], "payee_token"))["facts"]["payee_token"]
    form = {"replacement_id": new["id"]}
    assert reasons(await command(office.desa, "payee-accounts", old, "propose-replacement", form)) == {"dokumen_wajib"}
    form["document_id"] = str(new_id())
    proposed = good(await command(office.verifikator, "payee-accounts", old, "propose-replacement", form))
    assert reasons(await command(office.verifikator, "payee-accounts", proposed, "confirm-replacement")) == {
        "pengusul_memutuskan"
    }
    second = office.registry.client("verifikator", sub="verifikator-2", regions=["32.76"])
    default = good(await command(second, "payee-accounts", proposed, "confirm-replacement"))
    assert (default["id"], default["is_default"]) == (new["id"], True)
    assert (
        default["usable_from"]
        == (NOW + timedelta(days=1)).isoformat().replace("+00:00", "Z")[:10] + default["usable_from"][10:]
    )
    assert (await office.facts(person["id"], "payee_token"))["facts"]["payee_token"] != before
    listed = good(await office.desa.get(f"/v1/persons/{person['id']}/payee-accounts"))["items"]
    assert {(a["id"], a["state"]) for a in listed} == {(old["id"], "superseded"), (new["id"], "captured")}


async def test_an_account_of_another_person_never_takes_the_place(office: Office):
    one, other = await office.person(), await office.person("Ani Lestari")
    mine, theirs = await account(office, one["id"]), await account(office, other["id"], "0087654321")
    form = {"replacement_id": theirs["id"], "document_id": str(new_id())}
    assert (await command(office.desa, "payee-accounts", mine, "propose-replacement", form)).status_code == 422


async def test_the_same_account_is_not_captured_twice_and_a_bad_one_never(office: Office):
    person = await office.person()
    await account(office, person["id"])
    form = {
        "person_id": person["id"],
        "rail": "bank",
        "bank_code": "BJB",
        "account": "001 234.5678",
        "holder_name": "Siti",
    }
    assert reasons(await office.desa.post("/v1/payee-accounts", json=form)) == {"rekening_sudah_ada"}
    assert (await office.desa.post("/v1/payee-accounts", json={**form, "account": "12"})).status_code == 422
    assert (await office.desa.post("/v1/payee-accounts", json={**form, "bank_code": None})).status_code == 422


async def test_accounts_are_opened_for_an_export_only_and_logged(office: Office):
    person, cash, none = await office.person(), await office.person("Ani Lestari"), await office.person("Rina Wati")
    await account(office, person["id"])
    good(
        await office.desa.post(
            "/v1/payee-accounts", json={"person_id": cash["id"], "rail": "pos", "holder_name": "Ani Lestari"}
        )
    )
    asked = {"person_ids": [person["id"], cash["id"], none["id"]], "purpose": "export", "batch_id": str(new_id())}
    opened = good(await office.disbursement.post("/v1/payees:batch-get", json=asked))
    by_person = {i["person_id"]: i for i in opened["items"]}
    assert by_person[person["id"]]["account"] == "0012345678"
    assert (by_person[cash["id"]]["rail"], by_person[cash["id"]]["account"]) == ("pos", None)
    assert opened["missing"] == [none["id"]]
    log = await office.registry.sql("SELECT purpose, fields, cardinality(subjects) AS rows FROM read_log")
    assert [(r["purpose"], r["rows"]) for r in log] == [(f"export:{asked['batch_id']}", 2)]
    assert (await office.verifikator.post("/v1/payees:batch-get", json=asked)).status_code == 403


async def test_a_contact_is_kept_in_one_spelling_and_given_to_who_sends(office: Office):
    person, silent = await office.person(), await office.person("Ani Lestari")
    form = {
        "person_id": person["id"],
        "kind": "wa",
        "value": "0812-3456-7890",
        "consent": {"decision": True},
        "language": "su",
    }
    contact = good(await office.desa.post("/v1/contacts", json=form))
    assert contact["masked"].endswith("890")
    assert "812345" not in str(contact)
    asked = {"person_ids": [person["id"], silent["id"]], "message_class": "decision"}
    found = good(await office.notifications.post("/v1/contacts:batch-get", json=asked))
    assert found["missing"] == [silent["id"]]
    assert found["items"][0]["contacts"] == [
        {"kind": "wa", "value": "+6281234567890", "owner": "self", "language": "su", "consent": {"decision": True}}
    ]
    refused = {**form, "value": "081234567891", "consent": {"reminder": False}, "owner": "family"}
    good(await office.desa.post("/v1/contacts", json=refused))
    reminder = good(
        await office.notifications.post("/v1/contacts:batch-get", json={**asked, "message_class": "reminder"})
    )
    assert [c["value"] for c in reminder["items"][0]["contacts"]] == ["+6281234567890"]
    stale = good(await command(office.desa, "contacts", contact, "mark", {"state": "stale"}))
    assert stale["state"] == "stale"
    assert len(good(await office.notifications.post("/v1/contacts:batch-get", json=asked))["items"][0]["contacts"]) == 1
    log = await office.registry.sql("SELECT purpose FROM read_log ORDER BY at")
    assert [r["purpose"] for r in log] == ["notification:decision", "notification:reminder", "notification:decision"]
    assert (await office.desa.post("/v1/contacts:batch-get", json=asked)).status_code == 403


async def test_names_are_given_for_a_printed_list(office: Office):
    person = await office.person()
    asked = {"person_ids": [person["id"], str(new_id())], "purpose": "paper_list"}
    found = good(await office.notifications.post("/v1/names:batch-get", json=asked))
    assert [n["name"] for n in found["items"]] == ["Siti Aminah"]
    assert len(found["missing"]) == 1
