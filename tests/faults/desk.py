"""Work that is under way while parts are hurt: persons are registered, deaths reported, and every answer is kept."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
from kit.ids import new_id
from kit.testing import eventually
from private_stack import PrivateStack, plain
from stack.office import Office

VILLAGE = "32.76.03.1001"


@dataclass
class Written:
    """What one run of writers sent and what was answered."""

    answers: Counter[int] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)
    done: list[Mapping[str, Any]] = field(default_factory=list)


class Desk:
    """An operator of the kelurahan and a verifier at a running stack."""

    def __init__(self, stack: PrivateStack) -> None:
        self.stack = stack
        self.office = Office(stack.system)
        self.operator = self.office.desk("op_desa", "registry")
        self.verifier = self.office.desk("verifikator", "registry")

    async def close(self) -> None:
        """Go home."""
        await self.office.close()

    async def person(self) -> str:
        """Register somebody; the id."""
        form = {"name": "Warga Contoh", "region_code": VILLAGE, "birth_date": "1950-03-17", "sex": "P", "reason": "diperiksa"}  # fmt: skip
        return str(plain(await self.operator.post("/v1/persons", json=form))["id"])

    async def people(self, count: int) -> list[str]:
        """Register so many, a few at a time."""
        gate = asyncio.Semaphore(4)

        async def one() -> str:
            async with gate:
                return await self.person()

        return list(await asyncio.gather(*(one() for _ in range(count))))

    @staticmethod
    def report(person_id: str) -> dict[str, str]:
        """The form of a death."""
        return {"person_id": person_id, "source": "rt", "died_on": "2026-01-14", "region_code": VILLAGE}

    async def death(self, person_id: str) -> Mapping[str, Any]:
        """Report a death."""
        return plain(await self.operator.post("/v1/deaths", json=self.report(person_id)))

    async def certify(self, death: Mapping[str, Any], number: int) -> httpx.Response:
        """Certify it by its akta."""
        form = {"akta_no": f"3276-KM-14012026-{number:04d}", "issuer_code": "32.76", "issued_on": "2026-01-18"}
        return await self.verifier.post(
            f"/v1/deaths/{death['id']}:certify", json=form, headers={"If-Match": f'"{death["version"]}"'}
        )

    @asynccontextmanager
    async def writing(self, people: list[str], lanes: int = 4) -> AsyncIterator[Written]:
        """Report the deaths of these people while the block runs, repeating with the same key whatever got no good answer.

        At the end of the block every command has its good answer, or the test fails.
        """
        written, waiting = Written(), list(people)
        running = [asyncio.create_task(self._lane(waiting, written)) for _ in range(lanes)]
        try:
            yield written
            async with asyncio.timeout(90):
                await asyncio.gather(*running)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        assert len(written.done) == len(people)
        assert not written.bad, written.bad[:5]

    async def _lane(self, waiting: list[str], written: Written) -> None:
        while waiting:
            form, key = self.report(waiting.pop()), str(new_id())
            written.done.append(await eventually(partial(self._try, form, key, written), within=90))

    async def _try(self, form: Mapping[str, str], key: str, written: Written) -> Mapping[str, Any] | None:
        try:
            answer = await self.operator.post("/v1/deaths", json=form, headers={"Idempotency-Key": key})
        except httpx.TransportError:
            written.answers[0] += 1  # nobody was there
            return None
        written.answers[answer.status_code] += 1
        if answer.status_code == httpx.codes.CREATED:
            return plain(answer)
        again = {httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.CONFLICT}
        if answer.status_code not in again or "retry-after" not in answer.headers:
            written.bad.append(f"{answer.status_code} {answer.text}")
        return None

    async def once_each(self, people: list[str]) -> None:
        """Every one of these people has one death record, one report and one announcement of it."""
        rows = await self.stack.sql(
            "registry",
            "SELECT count(*) AS records, count(DISTINCT d.person_id) AS people,"
            " (SELECT count(*) FROM death_report AS r JOIN death_record AS x ON x.id = r.death_record_id"
            "   WHERE x.person_id = ANY($1::uuid[])) AS reports,"
            " (SELECT count(*) FROM outbox AS o JOIN death_record AS x ON x.id = o.key"
            "   WHERE x.person_id = ANY($1::uuid[]) AND o.type = 'org.santun.registry.death.reported.v1') AS told"
            " FROM death_record AS d WHERE d.person_id = ANY($1::uuid[])",
            people,
        )
        assert [tuple(row) for row in rows] == [(len(people),) * 4]
