"""Deaths at the desks: reported, certified, refused, revoked; and what is told of it."""

from registry_office import good


async def test_a_reported_death_holds_and_a_certified_one_ends(office):
    person = await office.person()
    death = await office.death(person["id"])
    assert death["state"] == "reported"
    assert (await office.facts(person["id"], "life"))["facts"] == {"life": "death_reported"}

    certified = await office.certified(death)

    assert certified["state"] == "certified"
    assert (await office.facts(person["id"], "life", "died_on"))["facts"] == {"life": "dead", "died_on": "2026-07-14"}
    life = await office.registry.outbox("person.life_changed")
    assert [e.data["life"] for e in life] == ["death_reported", "dead"]
    names = [e.name for e in await office.registry.outbox() if e.topic == "registry.death"]
    assert names == ["death.reported", "death.certified"]
    assert good(await office.verifikator.get(f"/v1/deaths/{death['id']}"))["akta_token"]
