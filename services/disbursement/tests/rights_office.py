"""An office with programmes and claims, and a registry that answers what the test recorded, or does not answer."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
from disbursement.registry_client import Death, FactSheet, Relative, typed
from kit.errors import Unavailable
from kit.ids import new_id

WIB = ZoneInfo("Asia/Jakarta")
VILLAGE = "32.76.03.1001"
NOW = datetime(2023, 3, 1, 9, 0, tzinfo=WIB)


class Register:
    """The registry behind the port. `silent` makes it fail; what is not recorded is not known."""

    def __init__(self) -> None:
        self.silent = False
        self.deaths: dict[UUID, Death] = {}
        self.sheets: dict[UUID, FactSheet] = {}
        self.kin: dict[UUID, list[Relative]] = {}
        self.tied: set[UUID] = set()

    def person(self, *, life: str = "alive", domicile: str = VILLAGE, **facts: Any) -> UUID:
        id = new_id()
        values = {"life": life, "domicile": domicile, "payee_state": "active", **facts}
        self.sheets[id] = FactSheet(id, 1, typed(values))
        return id

    def learn(self, person: UUID, **facts: Any) -> int:
        """Change facts of a person; the new version."""
        sheet = self.sheets[person]
        self.sheets[person] = replace(sheet, version=sheet.version + 1, values={**sheet.values, **typed(facts)})
        return sheet.version + 1

    def death(self, died_on: date, *, person: UUID | None = None, state: str = "certified", akta: str | None = None,
              region: str = VILLAGE) -> Death:  # fmt: skip
        person = person or self.person(life="dead")
        record = Death(new_id(), state, died_on, person, akta or new_id().hex, region)
        self.deaths[record.record_id] = record
        return record

    def _ask(self) -> None:
        if self.silent:
            raise Unavailable("registry")

    async def death_record(self, record_id: UUID) -> Death | None:
        self._ask()
        return self.deaths.get(record_id)

    async def facts(self, person_ids: Sequence[UUID], names: Sequence[str], **_: Any) -> dict[UUID, FactSheet]:
        self._ask()
        return {
            p: replace(s, values={n: v for n, v in s.values.items() if n in names})
            for p in person_ids
            if (s := self.sheets.get(p)) is not None
        }

    async def heirs(self, person_id: UUID) -> list[Relative]:
        self._ask()
        return self.kin.get(person_id, [])

    async def canonical(self, person_ids: Sequence[UUID]) -> dict[UUID, UUID]:
        self._ask()
        return {p: p for p in person_ids}

    async def conflicts(self, officers: Mapping[str, UUID | None], person_ids: Sequence[UUID]) -> bool:
        self._ask()
        return bool(self.tied & set(person_ids))


DEPOK_RULE = {
    "v": 1, "unit": "deceased", "basis": "event_date",
    "criteria": [{"c": "domisili", "e": {"region_in": ["domicile", ["32.76"]]}, "at": "EFP", "hard": True}],
    "claim": {"deadline": {"kind": "none"}, "cash_place": True},
}  # fmt: skip
DEPOK_BENEFIT = {"form": "fixed", "amount_idr": 2_000_000}
DEPOK_DOCS = [
    {"code": "akta_kematian", "once": True},
    {"code": "kk", "any_of": ["kk", "ktp_pemohon"]},
]


class Office:
    """Steps of the office over HTTP, each by a person of its own."""

    def __init__(self, running: Any, register: Register) -> None:
        self.running, self.register = running, register
        self.sql, self.clock = running.sql, running.clock
        self.programme_id = self.line_id = ""

    async def send(
        self, who: str, path: str, body: Any = None, *, version: int | None = None, regions: Sequence[str] = ("32.76",),
        **claims: Any,
    ) -> httpx.Response:  # fmt: skip
        claims.setdefault("sub", f"{who}-1")
        headers = {} if version is None else {"If-Match": f'"{version}"'}
        async with self.running.client(who, regions=list(regions), **claims) as client:
            return await client.post(path, json=body, headers=headers)

    async def call(self, who: str, path: str, body: Any = None, **more: Any) -> Any:
        answer = await self.send(who, path, body, **more)
        assert answer.is_success, (path, answer.status_code, answer.text)
        return answer.json()

    async def refused(self, who: str, path: str, body: Any = None, *, status: int = 409, **more: Any) -> list[str]:
        """The reason codes of a refusal."""
        answer = await self.send(who, path, body, **more)
        assert answer.status_code == status, (path, answer.status_code, answer.text)
        told = answer.json()
        return [r["code"] for r in told.get("reasons", told.get("errors", []))]

    async def get(self, who: str, path: str, regions: Sequence[str] = ("32.76",), **params: Any) -> Any:
        async with self.running.client(who, regions=list(regions), sub=f"{who}-1") as client:
            answer = await client.get(path, params=params)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    async def jobs(self, *names: str) -> None:
        for name in names:
            await self.running.run_job(name)

    async def line(self, pagu_idr: int, year: int, code: str = "1.06.05") -> str:
        form = {
            "fiscal_year": year, "unit": "dinsos", "programme_code": code, "account_code": "5.1.06.01", "pagu_idr": pagu_idr,
        }  # fmt: skip
        line = await self.call("bendahara", "/v1/budget-lines", form)
        await self.call("kadis", f"/v1/budget-lines/{line['id']}:open", version=line["version"])
        return str(line["id"])

    async def balances(self, line_id: str | None = None) -> dict[str, int]:
        found = await self.get("kabid", f"/v1/budget-lines/{line_id or self.line_id}/balances")
        return {one["account"]: one["balance_idr"] for one in found if one["balance_idr"]}

    async def programme(
        self, code: str, kind: str, unit: str, *, line_id: str, regions: Sequence[str] = ("32.76",)
    ) -> dict[str, Any]:
        basis = await self.call("kadis", "/v1/legal-bases", {
            "kind": "perwal", "number": f"28/{code}", "issued_on": "2016-05-02", "subject": "Bantuan sosial",
        })  # fmt: skip
        form = {
            "code": code, "name_id": "Bantuan", "name_en": "Aid", "kind": kind, "unit": unit, "owner_unit": "dinsos",
            "owner_regions": list(regions), "owner_from": "2021-01-01", "owner_to": "2026-12-31", "plan_ref": "RPJMD 2.1",
            "legal_basis_id": basis["id"], "funding_line_id": line_id,
        }  # fmt: skip
        found: dict[str, Any] = await self.call("program_manager", "/v1/programmes", form)
        return found

    async def rule(self, programme_id: str, effective_from: str, **parts: Any) -> dict[str, Any]:
        """Write, review and publish a rule version."""
        form = {
            "ast": DEPOK_RULE, "benefit": DEPOK_BENEFIT, "docs": DEPOK_DOCS, "effective_from": effective_from,
            "retro_document": "SK 1", **parts,
        }  # fmt: skip
        version = await self.call("program_manager", f"/v1/programmes/{programme_id}/rule-versions", form)
        path = f"/v1/rule-versions/{version['id']}"
        version = await self.call("program_manager", f"{path}:review", version=version["version"], sub="manager-2")
        if parts.get("publish") is False:
            return version  # type: ignore[no-any-return]
        return await self.call("kadis", f"{path}:publish", version=version["version"])  # type: ignore[no-any-return]

    async def activate(self, programme: dict[str, Any]) -> dict[str, Any]:
        path = f"/v1/programmes/{programme['id']}"
        now = await self.get("kadis", path)
        now = await self.call("kadis", f"{path}:plan", version=now["version"])
        return await self.call("kadis", f"{path}:activate", version=now["version"])  # type: ignore[no-any-return]

    async def depok(self, pagu_idr: int = 100_000_000, **parts: Any) -> dict[str, Any]:
        """The death benefit of Depok, in force."""
        self.line_id = await self.line(pagu_idr, self.clock.now().year)
        programme = await self.programme("SANKEM_DPK", "death_benefit", "deceased", line_id=self.line_id)
        self.programme_id = programme["id"]
        await self.rule(programme["id"], "2021-01-01", **parts)
        return await self.activate(programme)

    def papers(self, *kinds: str) -> list[dict[str, Any]]:
        return [{"kind": k, "sha256": hashlib.sha256(new_id().bytes).hexdigest()} for k in kinds]

    async def start(
        self, death: Death, claimant: UUID | None = None, *, papers: Sequence[dict[str, Any]] | None = None,
        relationship: str = "child", **more: Any,
    ) -> dict[str, Any]:  # fmt: skip
        form = {
            "programme_id": self.programme_id, "death_record_id": str(death.record_id),
            "claimant_person_id": str(claimant or self.register.person()), "relationship": relationship,
            "documents": list(self.papers("akta_kematian", "kk") if papers is None else papers),
        }  # fmt: skip
        return await self.call("op_desa", "/v1/claims", form, **more)  # type: ignore[no-any-return]

    async def step(self, who: str, claim: dict[str, Any], name: str, body: Any = None, **more: Any) -> dict[str, Any]:
        """One step of a claim at its present version."""
        now = await self.get("kadis", f"/v1/claims/{claim['id']}")
        return await self.call(who, f"/v1/claims/{claim['id']}:{name}", body, version=now["version"], **more)  # type: ignore[no-any-return]

    async def no(self, who: str, claim: dict[str, Any], name: str, body: Any = None, **more: Any) -> list[str]:
        now = await self.get("kadis", f"/v1/claims/{claim['id']}")
        return await self.refused(who, f"/v1/claims/{claim['id']}:{name}", body, version=now["version"], **more)

    async def filed(self, death: Death | None = None, **more: Any) -> dict[str, Any]:
        claim = await self.start(death or self.register.death(date(2023, 2, 20)), **more)
        return await self.step("op_desa", claim, "file")

    async def verified(self, death: Death | None = None, **more: Any) -> dict[str, Any]:
        claim = await self.filed(death, **more)
        await self.step("pemeriksa_kel", claim, "check-kel", {})
        return await self.step("verifikator", claim, "verify")

    async def payable(self, death: Death | None = None, **more: Any) -> dict[str, Any]:
        claim = await self.verified(death, **more)
        await self.step("kadis", claim, "approve", {})
        await self.jobs("entitle-claims")
        return await self.claim(claim)

    async def claim(self, claim: dict[str, Any]) -> dict[str, Any]:
        return await self.get("kadis", f"/v1/claims/{claim['id']}")  # type: ignore[no-any-return]

    async def pay(self, *claims: dict[str, Any]) -> None:
        """Settle the rights of claims as the money side does when the bank has booked them."""
        from disbursement.rights import commands
        from kit.auth.actor import Actor

        ids = [r["id"] for r in await self.sql(
            "SELECT id FROM entitlement WHERE claim_id = ANY($1::uuid[])", [UUID(c["id"]) for c in claims]
        )]  # fmt: skip
        async with self.running.runtime.begin(Actor.system("test")) as uow:
            assert sorted(await commands.reserve(uow, ids)) == sorted(ids)
        async with self.running.runtime.begin(Actor.system("test")) as uow:
            assert sorted(await commands.settle(uow, ids)) == sorted(ids)

    async def life(self, person: UUID, life: str, *, died_on: date | None = None, record: UUID | None = None) -> None:
        """The registry tells of a change of life."""
        known = {} if died_on is None else {"died_on": died_on.isoformat()}
        version = self.register.learn(person, life=life)
        await self.running.deliver(
            "person.life_changed",
            {
                "person_id": str(person), "facts_version": version, "life": life,
                "effective_at": self.clock.now().isoformat(), "death_record_id": str(record or new_id()),
                "source": "rt", "region": "32.76.03", "state": "active", **known,
            },
            key=person,
        )  # fmt: skip

    async def events(self, *names: str) -> list[str]:
        return [e.name for e in await self.running.outbox() if not names or e.name.split(".")[0] in names]


class Port:
    """The port as the service sees it; it forwards to what the test recorded."""

    def __init__(self, register: Register) -> None:
        self.register = register
        self.facts, self.heirs = register.facts, register.heirs
        self.canonical, self.conflicts = register.canonical, register.conflicts

    async def death(self, record_id: UUID) -> Death | None:
        return await self.register.death_record(record_id)

    async def close(self) -> None:
        pass
