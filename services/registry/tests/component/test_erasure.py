"""Somebody's personal data are destroyed, by two people and with a report; nothing is left in any table, and money keeps its ids."""

from uuid import UUID

from kit import invariants
from kit.auth.actor import Actor
from registry_office import VILLAGE, Office, command, good, nik, reasons
from sqlalchemy import text

NAME, NIK, PHONE, ACCOUNT, STREET = (
    "Sri Kenanga Wulandari",
    nik(77),
    "+6281299887766",
    "0077665544",
    "Jalan Melati Kuning 7",
)
PAPER = "0198c0de-0000-7000-8000-0000000000aa"


async def known(office: Office) -> dict:
    """Somebody with everything that may be known of a person, dead for eleven years."""
    person = await office.person(NAME, nik=NIK, address={"region_code": VILLAGE, "rt": 3, "rw": 4, "street": STREET})
    await office.family((person["id"], 1))
    for path, form in (
        ("contacts", {"kind": "phone", "value": PHONE}),
        ("payee-accounts", {"rail": "bank", "bank_code": "110", "account": ACCOUNT, "holder_name": NAME}),
    ):
        good(await office.desa.post(f"/v1/{path}", json={"person_id": person["id"], **form}))
    death = await office.death(person["id"], died_on="2015-07-14", subject_name=NAME)
    await office.certified(death)
    return good(await office.desa.get(f"/v1/persons/{person['id']}"))


async def test_what_says_who_somebody_was_is_gone_and_the_report_says_so(office: Office):
    person = await known(office)
    ordered = good(await command(office.dpo, "persons", person, "order-erasure", {"basis": "retention_over"}))
    assert (ordered["state"], ordered["ordered_by"], ordered["destroyed"]) == ("active", "dpo-1", None)
    report = good(await command(office.kadis, "persons", {**person, "version": ordered["version"]}, "erase"))
    assert report["destroyed"] == {
        "names": 1, "numbers": 1, "contacts": 1, "accounts": 1, "addresses": 1, "deaths": 1, "family_cards": 0,
    }  # fmt: skip
    assert report == good(await office.dpo.get(f"/v1/persons/{person['id']}/erasure"))
    after = good(await office.dpo.get(f"/v1/persons/{person['id']}"))
    assert (after["names"], after["claims"], after["birth_date"], after["state"]) == ([], [], None, "erased")
    told = await office.registry.outbox("person.erased")
    assert [(str(e.key), e.data["basis"], e.data["state"]) for e in told] == [
        (person["id"], "retention_over", "erased")
    ]
    facts = (await office.facts(person["id"], "life", "nik_state", "birth_date", "payee_token"))["facts"]
    assert facts == {"life": "dead", "nik_state": "none", "birth_date": None, "payee_token": None}


async def test_no_table_holds_anything_of_an_erased_person(office: Office):
    person = await known(office)
    runtime = office.registry.runtime
    marks = [NAME, "WULANDARI", STREET, NIK[-4:], *(
        "\\x" + runtime.index.of(scheme, value).hex()
        for scheme, value in (("nik", NIK), ("phone", PHONE))
    )]  # fmt: skip
    assert await holding(office, person["id"], marks)
    ordered = good(
        await command(office.dpo, "persons", person, "order-erasure", {"basis": "order", "document_id": PAPER})
    )
    good(await command(office.kadis, "persons", {**person, "version": ordered["version"]}, "erase"))
    assert await holding(office, person["id"], marks) == []
    again = await command(office.desa, "persons", {"id": person["id"], "version": 1}, "correct")
    assert again.status_code in {403, 409, 412}
    late = await office.desa.post("/v1/contacts", json={"person_id": person["id"], "kind": "phone", "value": PHONE})
    assert reasons(late) == {"data_sudah_dihapus"}


async def test_what_comes_back_to_an_erased_person_is_found(office: Office):
    person = await known(office)
    ordered = good(await command(office.dpo, "persons", person, "order-erasure", {"basis": "retention_over"}))
    good(await command(office.kadis, "persons", {**person, "version": ordered["version"]}, "erase"))
    assert await violated(office) == []
    late = "INSERT INTO person_name (person_id, kind, name, name_norm, source) VALUES ($1, 'alias', 'X', 'X', 'manual')"
    await office.registry.sql(late, UUID(person["id"]))
    assert await violated(office) == [f"personal data of an erased person: {person['id']}"]


async def violated(office: Office) -> list[str]:
    """What the invariants of the kit and of the registry find."""
    found = await invariants.check(office.registry.service, office.registry.runtime)
    return [line for lines in found.values() for line in lines]


async def test_nobody_destroys_alone_or_early_or_elsewhere(office: Office):
    person = await office.person(NAME)
    refused = await command(office.kadis, "persons", person, "erase")
    assert reasons(refused) == {"penghapusan_belum_diperintahkan"}
    assert (
        await command(office.desa, "persons", person, "order-erasure", {"basis": "retention_over"})
    ).status_code == 403
    ordered = good(await command(office.dpo, "persons", person, "order-erasure", {"basis": "retention_over"}))
    row = {**person, "version": ordered["version"]}
    assert reasons(await command(office.kadis, "persons", row, "erase")) == {"masa_simpan_belum_berakhir"}
    stranger = office.registry.client("kadis", sub="kadis-9", regions=["35.17"])
    assert (await command(stranger, "persons", row, "erase")).status_code == 404
    assert (await stranger.get(f"/v1/persons/{person['id']}/erasure")).status_code == 404


async def test_the_database_lets_nothing_go_of_somebody_who_is_not_erased(office: Office):
    person = await known(office)
    async with office.registry.runtime.begin(Actor.system("mistake"), origin="test") as uow:
        for table in ("person_name", "identity_claim", "contact", "payee_account"):
            await uow.execute(text(f"DELETE FROM {table}"), {})
        await uow.execute(text("DELETE FROM family_card"), {})
    after = good(await office.desa.get(f"/v1/persons/{person['id']}"))
    assert (len(after["names"]), len(after["claims"])) == (1, 1)
    assert good(await office.desa.get(f"/v1/persons/{person['id']}/contacts"))["items"]


async def holding(office: Office, person_id: str, marks: list[str]) -> list[str]:
    """The tables in which a mark of the person stands, in any column; the answers kept for repeated requests aside."""
    tables = await office.registry.sql(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    )
    found = []
    for row in tables:
        if row["table_name"] == "idempotency":
            continue
        texts = await office.registry.sql(f'SELECT t::text AS line FROM "{row["table_name"]}" AS t')
        found += [f"{row['table_name']}: {mark}" for mark in marks if any(mark in line["line"] for line in texts)]
    return found
