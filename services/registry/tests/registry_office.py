"""What the tests of the registry's desks share: people at their desks, and short ways to fill in forms. No assertions but 2xx."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import httpx
from kit.ids import new_id
from stack.running import Running

VILLAGE = "32.76.03.1001"
OTHER_VILLAGE = "35.17.01.2001"
NOW = datetime(2026, 7, 20, 3, 0, tzinfo=UTC)


class Office:
    """One running registry with the officers of Depok; every client is made once."""

    def __init__(self, registry: Running) -> None:
        self.registry = registry
        registry.clock.set(NOW)
        self.desa = registry.client("op_desa", sub="desa-1", regions=["32.76.03"])
        self.kab = registry.client("op_kab", sub="kab-1", regions=["32.76"])
        self.petugas = registry.client("petugas", sub="petugas-1", regions=["32.76"])
        self.verifikator = registry.client("verifikator", sub="verifikator-1", regions=["32.76"])
        self.kabid = registry.client("kabid", sub="kabid-1", regions=["32.76"])
        self.kadis = registry.client("kadis", sub="kadis-1", regions=["32.76"])
        self.dpo = registry.client("dpo", sub="dpo-1", regions=["32.76"])
        self.elsewhere = registry.client("op_desa", sub="desa-9", regions=["35.17"])
        self.disbursement = registry.client("santun-disbursement", client="santun-disbursement")
        self.notifications = registry.client("santun-notifications", client="santun-notifications")

    async def person(self, name: str = "Siti Aminah", **more: Any) -> dict[str, Any]:
        """Register somebody in Sawangan."""
        form = {
            "name": name,
            "region_code": VILLAGE,
            "birth_date": "1950-03-17",
            "sex": "P",
            "reason": "diperiksa",
            **more,
        }
        return good(await self.desa.post("/v1/persons", json=form))

    async def family(self, *shdk_of: tuple[str, int]) -> dict[str, Any]:
        """Form a family of (person, relation to the head)."""
        members = [{"person_id": person, "shdk": shdk, "since": "2020-01-01"} for person, shdk in shdk_of]
        return good(await self.desa.post("/v1/families", json={"region_code": VILLAGE, "members": members}))

    async def death(self, person_id: str, **more: Any) -> dict[str, Any]:
        """Report a death by the RT."""
        form = {"person_id": person_id, "source": "rt", "died_on": "2026-07-14", "region_code": VILLAGE, **more}
        return good(await self.desa.post("/v1/deaths", json=form))

    async def certified(self, death: dict[str, Any], akta: str = "3276-KM-14072026-0007") -> dict[str, Any]:
        """Certify a death by its akta."""
        form = {"akta_no": akta, "issuer_code": "32.76", "issued_on": "2026-07-18"}
        return good(await command(self.verifikator, "deaths", death, "certify", form))

    async def facts(self, person_id: str, *names: str) -> dict[str, Any]:
        """Facts as disbursement sees them."""
        form = {"person_ids": [person_id], "facts": list(names), "purpose": "test_check"}
        return good(await self.disbursement.post("/v1/facts:batch-get", json=form))["items"][0]


async def command(
    desk: httpx.AsyncClient,
    plural: str,
    row: dict[str, Any],
    name: str,
    form: dict[str, Any] | None = None,
    **headers: str,
) -> httpx.Response:
    """Send a command about the version that was read."""
    sent = {"If-Match": f'"{row["version"]}"', "Idempotency-Key": str(new_id()), **headers}
    return await desk.post(f"/v1/{plural}/{row['id']}:{name}", json=form, headers=sent)


def good(answer: httpx.Response) -> dict[str, Any]:
    """The body of a success; shows the problem otherwise."""
    assert answer.status_code < 300, answer.text
    body: dict[str, Any] = answer.json()
    return body


def reasons(answer: httpx.Response) -> set[str]:
    """The reason codes of a refusal."""
    return {reason["code"] for reason in answer.json().get("reasons", [])}


def day(text: str) -> date:
    """A day as tests write it."""
    return date.fromisoformat(text)


def nik(serial: int, born: str = "57", district: str = "327603") -> str:
    """A synthetic NIK of a woman born 17 March 1950; serial 1 to 9999."""
    return f"{district}{born}0350{serial:04d}"


def ids(*rows: dict[str, Any]) -> list[UUID]:
    """The ids of answers."""
    return [UUID(row["id"]) for row in rows]
