"""An office that imports lists: uploads as op_kab, works as the system, approves as kabid or kadis."""

import csv
import io
from collections.abc import Awaitable, Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from registry.imports import worker
from stack.running import Running
from stack.synthetic import families

AS_OF = date(2026, 1, 1)
TABLES = ("person", "person_name", "identity_claim", "family", "family_card", "family_member", "residence", "contact", "payee_account",
    "desil", "person_facts", "import_subject", "death_record", "outbox")  # fmt: skip


def as_csv(lines: Iterable[list[str]], columns: Iterable[str] = families.COLUMNS, *, delimiter: str = ",") -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(lines)
    return text.getvalue().encode()


def listed(count: int, *, broken: float = 0.0, seed: int = 1) -> list[list[str]]:
    """The lines of so many synthetic families."""
    return list(families.lines(families.families(count, seed=seed), broken=broken, seed=seed))


class Office:
    def __init__(self, registry: Running, folder: Path) -> None:
        self.registry = registry
        self.folder = folder
        self.runtime = registry.runtime
        self.op_kab = registry.client("op_kab", regions=["32.76"], sub="op-kab-1")
        self.kabid = registry.client("kabid", regions=["32.76"], sub="kabid-1")
        self.kadis = registry.client("kadis", regions=["32.76"], sub="kadis-1")

    async def send(
        self, content: bytes, *, name: str = "daftar.csv", client: httpx.AsyncClient | None = None, **form: str
    ) -> httpx.Response:
        given = {"source": "dtsen", "region_code": "32.76", "as_of": AS_OF.isoformat(), **form}
        return await (client or self.op_kab).post(
            "/v1/imports", files={"file": (name, content)}, data=given, timeout=120
        )

    async def upload(self, content: bytes, **form: str) -> dict[str, Any]:
        answer = await self.send(content, **form)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def work(self) -> None:
        await worker.work(self.runtime)

    async def read(self, run: dict[str, Any]) -> dict[str, Any]:
        answer = await self.op_kab.get(f"/v1/imports/{run['id']}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def approve(self, run: dict[str, Any], *, who: httpx.AsyncClient | None = None) -> httpx.Response:
        who = who or (self.kadis if (await self.read(run))["state"] == "held" else self.kabid)
        assert (await who.get(f"/v1/imports/{run['id']}/sample")).status_code == 200
        version = (await self.read(run))["version"]
        return await who.post(f"/v1/imports/{run['id']}:approve", headers={"If-Match": f'"{version}"'})

    async def imported(self, content: bytes, **form: str) -> dict[str, Any]:
        """A list brought all the way into the registry."""
        run = await self.upload(content, **form)
        await self.work()
        answer = await self.approve(run)
        assert answer.status_code == 200, answer.text
        await self.work()
        run = await self.read(run)
        assert run["state"] == "applied", run
        return run

    async def counts(self) -> dict[str, int]:
        union = " UNION ALL ".join(f"SELECT '{table}' AS t, count(*) AS n FROM {table}" for table in TABLES)
        return {row["t"]: row["n"] for row in await self.registry.sql(union)}


@pytest_asyncio.fixture
async def office(service_factory: Callable[..., Awaitable[Running]], tmp_path: Path) -> Office:
    folder = tmp_path / "imports"
    return Office(await service_factory("registry", imports_dir=folder), folder)


@pytest.fixture
def lists() -> Any:
    """The makers of lists: `lists.listed(count)`, `lists.as_csv(lines)`."""

    class Lists:
        listed = staticmethod(listed)
        as_csv = staticmethod(as_csv)
        columns = families.COLUMNS

    return Lists
