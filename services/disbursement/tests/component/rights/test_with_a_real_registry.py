"""The port against a registry that really answers: what the client reads is what the registry writes."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import httpx
from disbursement.registry_client import HttpRegistry
from kit.http.client import ServiceClient
from kit.ids import new_id
from stack.running import identity_of, token

VILLAGE = "32.76.03.1001"


class InProcess(ServiceClient):
    """A client whose token comes from the test's own issuer."""

    def __init__(self, registry: Any) -> None:
        super().__init__(
            "registry", "http://registry.test", registry.settings, transport=httpx.ASGITransport(registry.app)
        )
        self._signed = token(registry.parts.folder, identity_of("santun-disbursement"), "santun-disbursement")

    async def _bearer(self, *, fresh: bool) -> str:
        return self._signed


async def test_every_question_of_the_port_is_understood(service_factory):
    registry = await service_factory("registry")
    registry.clock.set(datetime(2026, 7, 20, 3, 0, tzinfo=UTC))
    desk = registry.client("op_desa", sub="desa-1", regions=["32.76.03"])
    verifier = registry.client("verifikator", sub="verifikator-1", regions=["32.76"])

    async def person(name: str, birth: str) -> str:
        form = {"name": name, "region_code": VILLAGE, "birth_date": birth, "sex": "P", "reason": "diperiksa"}
        answer = await desk.post("/v1/persons", json=form)
        assert answer.is_success, answer.text
        return str(answer.json()["id"])

    deceased, wife = await person("Contoh Satu", "1950-03-17"), await person("Contoh Dua", "1955-05-01")
    members = [
        {"person_id": deceased, "shdk": 1, "since": "2020-01-01"},
        {"person_id": wife, "shdk": 2, "since": "2020-01-01"},
    ]
    answer = await desk.post("/v1/families", json={"region_code": VILLAGE, "members": members})
    assert answer.is_success, answer.text
    answer = await desk.post(
        "/v1/deaths", json={"person_id": deceased, "source": "rt", "died_on": "2026-07-14", "region_code": VILLAGE}
    )
    assert answer.is_success, answer.text
    record = answer.json()
    akta = {"akta_no": "3276-KM-14072026-0007", "issuer_code": "32.76", "issued_on": "2026-07-18"}
    answer = await verifier.post(
        f"/v1/deaths/{record['id']}:certify", json=akta, headers={"If-Match": f'"{record["version"]}"'}
    )
    assert answer.is_success, answer.text

    port = HttpRegistry(InProcess(registry))
    death = await port.death(UUID(record["id"]))
    assert death is not None
    assert (death.state, death.died_on, death.person_id) == ("certified", date(2026, 7, 14), UUID(deceased))
    assert death.akta_token
    assert not death.life_signs
    assert await port.death(new_id()) is None

    sheets = await port.facts(
        [UUID(deceased), UUID(wife), new_id()],
        ["life", "died_on", "domicile", "birth_date", "family_id"],
        purpose="claim",
    )
    assert set(sheets) == {UUID(deceased), UUID(wife)}
    assert sheets[UUID(deceased)].values["life"] == "dead"
    assert sheets[UUID(deceased)].values["died_on"] == date(2026, 7, 14)
    assert sheets[UUID(wife)].values["birth_date"] == date(1955, 5, 1)
    assert sheets[UUID(wife)].version >= 1
    assert sheets[UUID(wife)].family_id

    heirs = await port.heirs(UUID(deceased))
    assert [(h.person_id, h.relationship, h.alive) for h in heirs] == [(UUID(wife), "spouse", True)]
    assert await port.canonical([UUID(wife)]) == {UUID(wife): UUID(wife)}
    assert await port.conflicts({"kadis-1": UUID(wife)}, [UUID(deceased)])
    assert not await port.conflicts({"kadis-1": None}, [UUID(deceased)])
    await port.close()
