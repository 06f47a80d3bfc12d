"""Grants in process, and the desk at which officers and institution users sit."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

import httpx
from kit.ids import new_id
from stack.running import Running

NOON = datetime(2026, 7, 1, 5, 0, tzinfo=UTC)
SLEMAN = ("34.04",)


def paper(number: str, dated: date = date(2026, 7, 1), **more: Any) -> dict[str, Any]:
    """A paper as bodies carry it."""
    digest = sha256(number.encode()).hexdigest()
    return {"number": number, "dated": dated.isoformat(), "issuer": "Dinas Sosial", "sha256": digest, **more}


FORM = {name: {"isi": "lengkap"} for name in ("profil", "pengurus", "kegiatan", "sarana", "keuangan")}


@dataclass
class Desk:
    """Calls to grants as the people of the office and of an institution make them."""

    running: Running

    def client(self, who: str, lks: str | None = None, **claims: Any) -> httpx.AsyncClient:
        if lks is not None:
            claims.setdefault("unit", lks)
            claims.setdefault("sub", f"{who}-{lks}")
        return self.running.client(who, **{"regions": SLEMAN, **claims})

    async def post(
        self, who: str, path: str, body: Any = None, *, version: int | None = None, **more: Any
    ) -> httpx.Response:
        headers = {} if version is None else {"If-Match": f'"{version}"'}
        return await self.client(who, **more).post(f"/v1/{path}", json=body, headers=headers)

    async def good(self, *args: Any, **more: Any) -> dict[str, Any]:
        answer = await self.post(*args, **more)
        assert answer.status_code < 300, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def listed(self, name: str, region: str = "34.04.07.2001", **more: Any) -> dict[str, Any]:
        body = {"name": name, "kind": "lksa", "legal_form": "yayasan", "region_code": region, **more}
        return await self.good("dinsos_operator", "institutions", body)

    async def step(
        self, who: str, file: dict[str, Any], command: str, body: Any = None, kind: str = "registrations", **more: Any
    ) -> dict[str, Any]:
        return await self.good(who, f"{kind}/{file['id']}:{command}", body, version=file["version"], **more)

    async def ready(self, name: str) -> dict[str, Any]:
        """An institution whose first officer is proved and whose account is declared."""
        lks = await self.listed(name)
        officer = {"position": "ketua", "person_id": str(new_id()), "proved": True, "term_until": "2030-01-01"}
        lks |= await self.good(
            "dinsos_operator", f"institutions/{lks['id']}:record-officer", officer, version=lks["version"]
        )
        account = {
            "account": {"bank": "BPD", "number": f"0012{lks['id'][-6:]}".translate(str.maketrans("abcdef", "123456"))}
        }
        path = f"institutions/{lks['id']}:declare-account"
        return lks | await self.good("lks_pengurus", path, account, version=lks["version"], lks=lks["id"])

    async def draft(self, lks: dict[str, Any]) -> dict[str, Any]:
        file = await self.good("lks_pengurus", "registrations", {"institution_id": lks["id"]}, lks=lks["id"])
        return await self.step("lks_pengurus", file, "edit", {"sections": FORM}, lks=lks["id"])

    async def verified(self, lks: dict[str, Any]) -> dict[str, Any]:
        """A file that a verifier has taken and visited."""
        file = await self.step("lks_pimpinan", await self.draft(lks), "submit", lks=lks["id"])
        file = await self.step("verifikator", file, "take", {"conflict_of_interest": False})
        visit = {"visited_on": "2026-07-01", "minutes": paper(f"BA-{lks['id']}")}
        return await self.step("verifikator", file, "record-visit", visit)

    async def registered(self, lks: dict[str, Any], until: str = "2029-07-01") -> dict[str, Any]:
        file = await self.step(
            "verifikator", await self.verified(lks), "recommend", {"checklist": {"papan_nama": True}}
        )
        body = {"certificate": paper(f"TD-{lks['id']}"), "valid_until": until}
        return await self.step("kadis", file, "issue", body)

    async def events(self, lks: dict[str, Any]) -> list[str]:
        return [e.name for e in await self.running.outbox() if e.data.get("lks_id") == lks["id"]]
