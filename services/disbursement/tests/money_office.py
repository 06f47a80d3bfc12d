"""An office with people, money and a bank: what the money's tests stand on."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from disbursement.payee_client import Account, Changed, Fingerprint
from disbursement.payments.invariants import INVARIANTS
from kit.errors import Unavailable
from kit.ids import new_id
from stack import bank

REGION = "32.76"
MAKER, CHECKER, HEAD, CHIEF = "program_manager", "verifikator", "kabid", "kadis"


@dataclass
class Desk:
    """The registry's answers, as told by the test. Everybody has an account of their own and unchanged facts."""

    silent: bool = False
    changed: dict[UUID, frozenset[str]] = field(default_factory=dict)
    marks: dict[UUID, Fingerprint | None] = field(default_factory=dict)
    tied: set[UUID] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.silent:
            raise Unavailable("registry")

    def mark(self, id: UUID) -> Fingerprint | None:
        return self.marks.get(id, Fingerprint(id, "active", "exact", "110", b"T" + id.bytes[1:]))

    async def stale(self, known: dict[UUID, int]) -> dict[UUID, Changed]:
        self._ask("stale")
        return {id: Changed(id, 9, self.changed[id]) for id in known if id in self.changed}

    async def fingerprints(self, person_ids: Sequence[UUID]) -> dict[UUID, Fingerprint]:
        self._ask("fingerprints")
        return {id: mark for id in person_ids if (mark := self.mark(id)) is not None}

    async def accounts(self, person_ids: Sequence[UUID], batch_id: UUID) -> dict[UUID, Account]:
        self._ask("accounts")
        return {id: Account(id, "110", f"00{id.int % 10**10:010}", "Penerima Contoh") for id in person_ids}

    async def conflicts(self, officers: Sequence[Any], person_ids: Sequence[UUID]) -> frozenset[UUID]:
        self._ask("conflicts")
        return frozenset(self.tied & set(person_ids))


class Office:
    """Steps of the office over HTTP, each by a person of its own."""

    def __init__(self, running: Any, desk: Desk) -> None:
        self.running, self.desk, self.sql, self.clock = running, desk, running.sql, running.clock
        self.line_id = UUID(int=0)
        self.programme_id = new_id()
        self.rule_id = new_id()

    async def call(
        self,
        who: str,
        path: str,
        body: Any = None,
        *,
        version: int | None = None,
        status: int | None = None,
        **claims: Any,
    ) -> Any:
        """POST as a person with this role; the JSON answer."""
        claims.setdefault("sub", f"person-{who}")
        async with self.running.client(who, regions=[REGION], **claims) as client:
            headers = {} if version is None else {"If-Match": f'"{version}"'}
            answer: httpx.Response = await client.post(path, json=body, headers=headers)
        assert answer.status_code == (status or (201 if answer.status_code == 201 else 200)), (path, answer.text)
        return answer.json()

    async def get(self, who: str, path: str, **params: Any) -> Any:
        async with self.running.client(who, regions=[REGION]) as client:
            answer = await client.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def step(
        self, who: str, batch: dict[str, Any], name: str, body: Any = None, status: int | None = None, **claims: Any
    ) -> Any:
        """One step of a batch at its present version."""
        now = await self.get("kabid", f"/v1/batches/{batch['id']}")
        return await self.call(
            who, f"/v1/batches/{batch['id']}:{name}", body, version=now["version"], status=status, **claims
        )

    async def open_budget(self, pagu_idr: int) -> UUID:
        """A budget line in force."""
        body = {
            "fiscal_year": self.clock.now().year, "unit": "dinsos", "programme_code": "1.06.05", "account_code": "5.1.06.01",
            "pagu_idr": pagu_idr,
        }  # fmt: skip
        line = await self.call("bendahara", "/v1/budget-lines", body)
        await self.call("kadis", f"/v1/budget-lines/{line['id']}:open", version=line["version"])
        self.line_id = UUID(line["id"])
        return self.line_id

    async def grant(self, count: int, amount_idr: int, *, period: str = "2026-08", commit: bool = True) -> list[UUID]:
        """Due rights of as many people, committed on the budget line; the ids of the people."""
        people = [new_id() for _ in range(count)]
        await self._programme(amount_idr)
        await self.sql(
            "INSERT INTO fact_person (person_id, canonical_id, facts_version, updated_at) SELECT p, p, 3, now() FROM unnest($1::uuid[]) p",
            people,
        )
        await self.sql(
            """WITH place AS (
                INSERT INTO enrolment (programme_id, subject_id, holder_person_id, region_code, state, nominated_by)
                SELECT $1, p, p, $3, 'active', 'test' FROM unnest($2::uuid[]) p RETURNING id, subject_id)
            INSERT INTO entitlement (programme_id, enrolment_id, subject_id, beneficiary_person_id, payee_person_id, period,
                period_year, quantity, value_idr, rule_version_id, budget_line_id, region_code, due_on, qualifying_on, state)
            SELECT $1, place.id, subject_id, subject_id, subject_id, $4, 2026, $5, $5, $6, $7, $3, '2026-08-01', '2026-08-01', 'due'
            FROM place""",
            self.programme_id, people, f"{REGION}.03.1001", period, amount_idr, self.rule_id, self.line_id,
        )  # fmt: skip
        if commit:
            await self.commit_budget(count * amount_idr)
        return people

    async def commit_budget(self, amount_idr: int) -> None:
        from disbursement.budget import commands as budget
        from kit.auth.actor import Actor

        async with self.running.runtime.begin(Actor.system("test")) as uow:
            await budget.commit(uow, self.line_id, amount_idr, source_type="cycle", source_id=new_id(), step="approve")

    async def _programme(self, amount_idr: int) -> None:
        await self.sql(
            """INSERT INTO programme (id, code, name_id, name_en, kind, unit, instrument, form, owner_unit, owner_regions, state)
            VALUES ($1, 'LANSIA', 'Bantuan lansia', 'Elderly aid', 'recurring_cash', 'person', 'bansos', 'uang', 'dinsos',
                '{32.76}', 'active') ON CONFLICT DO NOTHING""",
            self.programme_id,
        )
        await self.sql(
            """INSERT INTO rule_version (id, programme_id, no, effective, date_basis, ast, benefit, docs, sha256, written_by)
            VALUES ($1, $2, 1, '[2026-01-01,)', 'period_start', '{}', $3, '[]', repeat('a', 64), 'test') ON CONFLICT DO NOTHING""",
            self.rule_id, self.programme_id, json.dumps({"amount_idr": amount_idr, "component": "uang"}),
        )  # fmt: skip

    async def draft(self, **more: Any) -> dict[str, Any]:
        body = {
            "programme_id": str(self.programme_id), "region_code": REGION, "budget_line_id": str(self.line_id),
            "due_on": "2026-08-03", **more,
        }  # fmt: skip
        batch: dict[str, Any] = await self.call(MAKER, "/v1/batches", body)
        return batch

    async def approved(self) -> dict[str, Any]:
        """A list that went through all hands up to its approval."""
        batch = await self.draft()
        await self.step(MAKER, batch, "freeze")
        await self.step(MAKER, batch, "check")
        await self.step(MAKER, batch, "submit", {"report_read": True})
        await self.verify(batch)
        return await self.approve(batch)

    async def verify(self, batch: dict[str, Any]) -> Any:
        sample = await self.get(CHECKER, f"/v1/batches/{batch['id']}/sample")
        return await self.step(CHECKER, batch, "verify", {"viewed": [line["id"] for line in sample]})

    async def approve(self, batch: dict[str, Any]) -> dict[str, Any]:
        while due := (await self.get("kabid", f"/v1/batches/{batch['id']}/approvals"))["due_roles"]:
            shown = await self.get("kabid", f"/v1/batches/{batch['id']}")
            body = {"list_sha256": shown["list_sha256"], "total_idr": shown["total_idr"]}
            shown = await self.step(due[0], batch, "approve", body)
            if shown["state"] == "approved":
                break
        result: dict[str, Any] = await self.get("kabid", f"/v1/batches/{batch['id']}")
        return result

    async def fund(self, batch: dict[str, Any]) -> Any:
        total = (await self.get("kabid", f"/v1/batches/{batch['id']}"))["total_idr"]
        number = str(new_id())[:23]
        paper = {"number": number, "dated_on": self.clock.now().date().isoformat(), "amount_idr": total}
        await self.step("bendahara", batch, "request-payment", paper)
        await self.step("ppk", batch, "order", paper)
        return await self.step("bpkad", batch, "fund", paper)

    async def export(self, batch: dict[str, Any]) -> Any:
        return await self.step("exporter", batch, "export")

    async def sent(self, batch: dict[str, Any]) -> Any:
        return await self.step("exporter", batch, "confirm-sent", {"receipt": "BK-1"})

    async def files(self, batch: dict[str, Any], state: str = "sent") -> list[tuple[dict[str, Any], bytes]]:
        """The files of a batch in a state, with their plain bytes."""
        found = []
        for file in await self.get("exporter", f"/v1/batches/{batch['id']}/files"):
            if file["state"] == state:
                async with self.running.client("exporter", regions=[REGION]) as client:
                    found.append((file, (await client.get(f"/v1/payment-files/{file['id']}/content")).content))
        return found

    async def upload(
        self, content: bytes, form: str = "camt054", *, sub: str = "person-recon_officer", **params: Any
    ) -> Any:
        async with self.running.client("recon_officer", regions=[REGION], sub=sub) as client:
            answer = await client.post("/v1/result-files", content=content, params={"format": form, **params})
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    async def apply(self, uploaded: dict[str, Any], *, sub: str = "second-officer", status: int = 200) -> Any:
        return await self.call(
            "recon_officer",
            f"/v1/result-files/{uploaded['id']}:apply",
            version=uploaded["version"],
            sub=sub,
            status=status,
        )

    async def bank_says(self, content: bytes, form: str = "camt054") -> Any:
        return await self.apply(await self.upload(content, form))

    async def orders(self, batch: dict[str, Any], state: str = "sent") -> list[bank.Order]:
        return [bank.read(content) for _, content in await self.files(batch, state)]

    async def balances(self) -> dict[str, int]:
        found = await self.get("kabid", f"/v1/budget-lines/{self.line_id}/balances")
        return {one["account"]: one["balance_idr"] for one in found if one["balance_idr"]}

    async def violations(self) -> dict[str, list[str]]:
        """Which of the money's invariants do not hold."""
        from kit.auth.actor import Actor

        found = {}
        for name, invariant in INVARIANTS.items():
            async with self.running.runtime.begin(Actor.system("verify")) as uow:
                if faults := await invariant(uow):
                    found[name] = faults
        return found

    async def codes(self, answer: dict[str, Any]) -> set[str]:
        return {reason["code"] for reason in answer["reasons"]}
