"""Whatever the desks do, in any order and at once: no defect, no gap in what is told, and life as the records say."""

import asyncio
import random
from collections import defaultdict
from typing import Any

import httpx
import pytest
from kit.auth.actor import Actor
from kit.ids import new_id
from registry_office import VILLAGE, Office, good


class Day:
    """A day of random work on a few people. Every answer is a success or a refusal, never a defect."""

    def __init__(self, office: Office, seed: int) -> None:
        self.office, self.chance = office, random.Random(seed)
        self.desks = [office.desa, office.kab, office.petugas, office.verifikator, office.kabid, office.kadis]
        self.people: list[str] = []
        self.answers: defaultdict[int, int] = defaultdict(int)

    async def work(self, steps: int, lanes: int) -> None:
        self.people = [(await self.office.person(f"Warga {n}"))["id"] for n in ("Satu", "Dua", "Tiga")]
        for _ in range(steps):
            await asyncio.gather(*(self._step() for _ in range(lanes)))

    async def _step(self) -> None:
        act = self.chance.choice((self._report, self._decide, self._decide, self._decide, self._family, self._account))
        answer = await act(self.chance.choice(self.desks), self.chance.choice(self.people))
        if answer is not None:
            assert answer.status_code < 500, answer.text
            self.answers[answer.status_code] += 1

    async def _report(self, desk: httpx.AsyncClient, person: str) -> httpx.Response:
        source = self.chance.choice(("rt", "hospital", "family"))
        form = {"person_id": person, "source": source, "died_on": "2026-07-14", "region_code": VILLAGE}
        return await desk.post("/v1/deaths", json=form)

    async def _decide(self, desk: httpx.AsyncClient, _: str) -> httpx.Response | None:
        deaths = good(await self.office.kadis.get("/v1/deaths"))["items"]
        if not deaths:
            return None
        death = self.chance.choice(deaths)
        number = self.chance.randrange(4)
        moves: dict[str, dict[str, Any]] = {
            "corroborate": {"source": self.chance.choice(("buku_makam", "family"))},
            "certify": {"akta_no": f"AKTA-{number}", "issuer_code": "32.76", "issued_on": "2026-07-18"},
            "contradict": {"seen_on": "2026-07-19", "photo_document_id": str(new_id())},
            "expire-hold": {"visit_found_nothing": True},
            "propose-outcome": {"outcome": self.chance.choice(("certify", "revoke"))},
            "revoke": {"basis": "court", "document_id": str(new_id()), "dpo_informed": True},
            "void": {"reason": "salah_orang"},
        }
        name = self.chance.choice(list(moves))
        headers = {"If-Match": f'"{death["version"]}"'}
        return await desk.post(f"/v1/deaths/{death['id']}:{name}", json=moves[name], headers=headers)

    async def _family(self, desk: httpx.AsyncClient, person: str) -> httpx.Response:
        others = [p for p in self.people if p != person]
        members = [{"person_id": person, "shdk": 1}, {"person_id": self.chance.choice(others), "shdk": 3}]
        return await desk.post("/v1/families", json={"region_code": VILLAGE, "members": members})

    async def _account(self, desk: httpx.AsyncClient, person: str) -> httpx.Response:
        number = f"00{self.chance.randrange(3)}2345678"
        form = {"person_id": person, "rail": "bank", "bank_code": "BJB", "account": number, "holder_name": "Warga"}
        return await desk.post("/v1/payee-accounts", json=form)


@pytest.mark.parametrize(("seed", "lanes"), [(1, 1), (2, 3), (3, 3)])
async def test_a_day_of_work_in_any_order_and_at_once(office: Office, seed: int, lanes: int):
    day = Day(office, seed)
    await day.work(steps=25, lanes=lanes)
    assert day.answers[200] + day.answers[201] > 3, day.answers

    async with office.registry.runtime.begin(Actor.system("verify")) as uow:
        for name, invariant in office.registry.service.invariants.items():
            assert await invariant(uow) == [], name
    told: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    life: dict[str, tuple[str, int]] = {}
    for event in await office.registry.outbox():
        told[event.topic, str(event.key)].append(event.sequence)
        if event.name == "person.life_changed":
            life[event.data["person_id"]] = (event.data["life"], event.data["facts_version"])
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in told.values())
    for person in day.people:
        facts = await office.facts(person, "life")
        assert facts["facts"]["life"] == life.get(person, ("alive", 0))[0]
