"""The gates' questions against the registry as it is: what both sides say must fit."""

from typing import Any
from uuid import UUID

import httpx
from disbursement.batches import gates
from disbursement.batches.gates import GateLine
from disbursement.payee_client import HttpPayeeDesk, Officer
from kit.ids import new_id
from registry_office import Office as Registry
from registry_office import command, good


class Peer:
    """The way to the registry in this process, with the token of disbursement."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def ask(self, path: str, body: Any) -> Any:
        answer = await self.client.post(path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()


async def test_the_gates_understand_the_registry(service_factory):
    registry = Registry(await service_factory("registry"))
    desk = HttpPayeeDesk(Peer(registry.disbursement))  # type: ignore[arg-type]
    siti = await registry.person()
    other = await registry.person("Budi Santoso", birth_date="1948-01-02", sex="L")
    account = {
        "person_id": siti["id"],
        "rail": "bank",
        "bank_code": "BJB",
        "account": "0012345678",
        "holder_name": "SITI AMINAH",
    }
    held = good(await registry.desa.post("/v1/payee-accounts", json=account))
    good(
        await command(
            registry.verifikator, "payee-accounts", held, "record-check", {"state": "active", "name_match": "exact"}
        )
    )
    sheet = good(
        await registry.disbursement.post(
            "/v1/facts:batch-get",
            json={"person_ids": [siti["id"], other["id"]], "facts": ["life"], "purpose": "test_check"},
        )
    )
    versions = {UUID(item["person_id"]): item["facts_version"] for item in sheet["items"]}
    one, two, nobody = UUID(siti["id"]), UUID(other["id"]), new_id()
    lines = [GateLine(new_id(), id, id, versions.get(id, 0)) for id in (one, two, nobody)]
    officers = [Officer("kabid-1"), Officer("maker", two)]
    asked = await gates.ask(desk, new_id(), lines, officers, accounts=True, now=registry.registry.clock.now())
    found = gates.failing(asked, at_export=False)
    assert set(found) == {lines[1].line_id, lines[2].line_id}
    assert found[lines[1].line_id] == gates.CONFLICT
    assert found[lines[2].line_id] in {gates.CHANGED, gates.LIFE}
    assert asked.accounts[one].number == "0012345678"
    assert "0012345678" not in repr(asked)
    assert set(asked.marks) == {one}
    await registry.death(siti["id"])
    asked = await gates.ask(desk, new_id(), lines[:1], [], accounts=False, now=registry.registry.clock.now())
    assert gates.failing(asked, at_export=False) == {lines[0].line_id: gates.LIFE}
