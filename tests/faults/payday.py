"""A monthly aid for a few elders, from the nomination to the bank's answer, over HTTP: the money that is under way in faults.

Each step is one method, so that a fault can stand before, inside and after any of them. One programme pays at most eleven
months; then another one with other people begins.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from faults.calls import Calls
from faults.canaries import Canaries
from kit.ids import new_id
from kit.testing import eventually
from stack import bank
from stack.story.programmes import ELDERLY

VILLAGE = "32.76.03.1001"
TODAY = datetime(2026, 11, 16, 2, 0, tzinfo=UTC)
"""A Monday morning at the office; every stack that is hurt begins at this instant."""
MONTHS = tuple(f"2026-{month:02d}" for month in range(1, 12))
Row = dict[str, Any]


@dataclass
class Elder:
    """One who receives the aid."""

    id: str
    phone: str
    enrolment: str = ""


@dataclass
class Batch:
    """A list on its way: the batch as last answered, its files as the bank read them, what the bank said."""

    row: Row
    files: list[Row] = field(default_factory=list)
    orders: list[bank.Order] = field(default_factory=list)
    results: list[Row] = field(default_factory=list)
    applied: list[Row] = field(default_factory=list)


class Payday:
    """The programme, its people, and the steps of a list."""

    def __init__(self, calls: Calls, canaries: Canaries) -> None:
        self.calls, self.canaries = calls, canaries
        self.tag = new_id().hex[-10:].upper()
        self.elders: list[Elder] = []
        self.programme: Row = {}
        self.line_id = ""
        self.months = list(MONTHS)

    async def open(self, elders: int = 3) -> "Payday":
        """A budget line, a programme in force, and so many people with an account, a telephone and an active place."""
        await self._budget()
        await self._programme()
        for _ in range(elders):
            self.elders.append(await self.elder())
        await self._places()
        return self

    async def elder(self) -> Elder:
        """Register somebody old enough, whose account the bank knows."""
        name, born, phone = self.canaries.name(), self.canaries.birthday(), self.canaries.phone()
        person = await self._do("op_desa", "registry", "/v1/persons", {
            "name": name, "birth_date": born.isoformat(), "sex": "P", "region_code": VILLAGE,
            "nik": self.canaries.nik(born, "P"), "address": {"region_code": VILLAGE, "since": "2020-01-01"},
            "reason": "diperiksa",
        })  # fmt: skip
        account = await self._do("op_desa", "registry", "/v1/payee-accounts", {
            "person_id": person["id"], "rail": "bank", "bank_code": "110", "account": self.canaries.account(),
            "holder_name": name.upper(),
        })  # fmt: skip
        await self._do(
            "verifikator", "registry", f"/v1/payee-accounts/{account['id']}:record-check",
            {"state": "active", "name_match": "exact"}, account["version"],
        )  # fmt: skip
        contact = {"person_id": person["id"], "kind": "phone", "value": phone}
        await self._do("op_desa", "registry", "/v1/contacts", contact)
        return Elder(str(person["id"]), phone)

    async def month(self) -> Row:
        """Make and approve the rights of the next month; they are due at once."""
        wanted = {"programme_id": self.programme["id"], "period": self.months.pop(0)}
        cycle = await self._do("program_manager", "disbursement", "/v1/cycles", wanted)
        path = f"/v1/cycles/{cycle['id']}:approve"
        return await self._do("kadis", "disbursement", path, {}, cycle["version"])

    async def draft(self) -> Batch:
        """Put the list of the due rights together."""
        return Batch(await self._do("program_manager", "disbursement", "/v1/batches", {
            "programme_id": self.programme["id"], "region_code": "32.76", "budget_line_id": self.line_id,
            "due_on": TODAY.date().isoformat(),
        }))  # fmt: skip

    async def freeze(self, batch: Batch) -> None:
        """Fix the list."""
        await self._step("program_manager", batch, "freeze")

    async def approve(self, batch: Batch) -> None:
        """Check, submit, verify and approve it, each by their person."""
        await self.submit(batch)
        await self.verify(batch)
        await self.sign(batch)

    async def submit(self, batch: Batch) -> None:
        """The maker has checked it and hands it on."""
        await self._step("program_manager", batch, "check")
        await self._step("program_manager", batch, "submit", {"report_read": True})

    async def verify(self, batch: Batch) -> None:
        """The verifier has looked at the sample."""
        sample = await self.calls.ask("verifikator", "disbursement", f"/v1/batches/{batch.row['id']}/sample")
        await self._step("verifikator", batch, "verify", {"viewed": [line["id"] for line in sample]})

    async def sign(self, batch: Batch) -> None:
        """As many approve as its total asks for."""
        for person in ("kabid", "kadis"):
            if batch.row["state"] != "approved":
                await self._step(person, batch, "approve", self.shown(batch))

    @staticmethod
    def shown(batch: Batch) -> Row:
        """What an approver has seen of the list."""
        return {"list_sha256": batch.row["list_sha256"], "total_idr": batch.row["total_idr"]}

    async def fund(self, batch: Batch) -> None:
        """SPP, SPM, SP2D."""
        for person, command, kind in (("bendahara", "request-payment", "SPP"), ("ppk", "order", "SPM"), ("bpkad", "fund", "SP2D")):  # fmt: skip
            number = f"{kind}-{batch.row['id'][-8:]}"
            paper = {"number": number, "dated_on": TODAY.date().isoformat(), "amount_idr": batch.row["total_idr"]}
            await self._step(person, batch, command, paper)

    async def export(self, batch: Batch) -> None:
        """Write the files and read them as the bank does."""
        await self._step("exporter", batch, "export")
        batch.files = await self.calls.ask("exporter", "disbursement", f"/v1/batches/{batch.row['id']}/files")
        contents = [
            await self.calls.download("exporter", "disbursement", f"/v1/payment-files/{file['id']}/content")
            for file in batch.files
        ]
        batch.orders = [bank.read(content) for content in contents]
        written = [hashlib.sha256(content).hexdigest() for content in contents]
        assert written == [file["pain001_sha256"] for file in batch.files]

    async def send(self, batch: Batch) -> None:
        """The bank has them."""
        await self._step("exporter", batch, "confirm-sent", {"receipt": f"BJB {batch.row['id'][-8:]}"})

    async def upload(self, batch: Batch, faults: bank.Faults = bank.NONE) -> None:
        """The bank's answer comes in."""
        for order in batch.orders:
            content = bank.answer(order, bank.Format.CAMT054, TODAY.date(), faults)
            batch.results.append(
                await self.calls.do("recon_officer", "disbursement", "/v1/result-files?format=camt054", content=content)
            )

    async def apply(self, batch: Batch) -> None:
        """Another officer applies it."""
        for file in batch.results:
            path = f"/v1/result-files/{file['id']}:apply"
            batch.applied.append(await self._do("recon_officer_2", "disbursement", path, {}, file["version"]))

    async def paid(self) -> int:
        """A whole month, from its rights to the bank's answer; how many payments the bank had in its files."""
        await self.month()
        batch = await self.draft()
        for step in (self.freeze, self.approve, self.fund, self.export, self.send, self.upload, self.apply):
            await step(batch)
        return sum(len(order.transfers) for order in batch.orders)

    async def _budget(self) -> None:
        line = await self._do("bendahara", "disbursement", "/v1/budget-lines", {
            "fiscal_year": 2026, "unit": "dinsos", "programme_code": f"4.06.{self.tag[:4]}",
            "activity_code": f"4.06.{self.tag}", "account_code": "5.1.06.01", "pagu_idr": 500_000_000,
        })  # fmt: skip
        await self._do("bpkad", "disbursement", f"/v1/budget-lines/{line['id']}:open", {}, line["version"])
        self.line_id = str(line["id"])

    async def _programme(self) -> None:
        basis = await self._do("program_manager", "disbursement", "/v1/legal-bases", {
            "kind": "perwal", "number": f"{self.tag}/2026", "issued_on": "2025-12-01", "subject": "Bantuan lansia",
            "document_sha256": hashlib.sha256(self.tag.encode()).hexdigest(),
        })  # fmt: skip
        programme = await self._do("program_manager", "disbursement", "/v1/programmes", {
            "code": f"LANSIA_{self.tag}", "name_id": "Bantuan lansia", "name_en": "Aid for elders",
            "kind": "recurring_cash", "unit": "person", "owner_unit": "dinsos", "owner_regions": ["32.76"],
            "owner_from": "2026-01-01", "owner_to": "2027-12-31", "plan_ref": "RPJMD", "legal_basis_id": basis["id"],
            "funding_line_id": self.line_id,
        })  # fmt: skip
        path = f"/v1/programmes/{programme['id']}"
        version = await self._do("program_manager", "disbursement", f"{path}/rule-versions", {
            **ELDERLY, "effective_from": "2026-01-01", "effective_to": "2027-12-31", "legal_basis_id": basis["id"],
            "funding_line_id": self.line_id, "retro_document": "Nota dinas 1/2026",
        })  # fmt: skip
        rule = f"/v1/rule-versions/{version['id']}"
        version = await self._do("program_manager_2", "disbursement", f"{rule}:review", {}, version["version"])
        programme = await self._do("kadis", "disbursement", f"{path}:plan", {}, programme["version"])
        await self._do("kadis", "disbursement", f"{rule}:publish", {}, version["version"])
        self.programme = await self._do("kadis", "disbursement", f"{path}:activate", {}, programme["version"])

    async def _places(self) -> None:
        """Nominate and decree; the system's own rule begins the places."""
        for elder in self.elders:
            form = {"programme_id": self.programme["id"], "subject_id": elder.id, "payee_person_id": elder.id}
            place = await self._do("op_desa", "disbursement", "/v1/enrolments", form)
            assert place["state"] == "eligible", place
            elder.enrolment = str(place["id"])
        ids = sorted(elder.enrolment for elder in self.elders)
        await self._do("kadis", "disbursement", "/v1/decrees", {
            "programme_id": self.programme["id"], "number": f"466/{self.tag}", "issued_on": "2026-01-02",
            "document_sha256": hashlib.sha256(self.tag.encode()).hexdigest(), "starts_on": "2026-01-01",
            "list_sha256": hashlib.sha256("".join(f"{id}\n" for id in ids).encode()).hexdigest(), "enrolment_ids": ids,
        })  # fmt: skip

        async def begun() -> bool:
            found = [await self.calls.ask("program_manager", "disbursement", f"/v1/enrolments/{id}") for id in ids]
            return {place["state"] for place in found} == {"active"}

        await eventually(begun, within=60, every=0.3)

    async def _do(
        self, person: str, service: str, path: str, body: Mapping[str, Any], version: int | None = None
    ) -> Row:
        return await self.calls.do(person, service, path, body, version=version)

    async def _step(self, person: str, batch: Batch, command: str, body: Mapping[str, Any] | None = None) -> None:
        path = f"/v1/batches/{batch.row['id']}:{command}"
        batch.row = await self._do(person, "disbursement", path, body or {}, int(batch.row["version"]))
