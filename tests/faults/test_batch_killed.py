"""The process dies at each point of a list's way to the bank: the repeated command has one effect, the books stay exact."""

from typing import Any

import httpx
import pytest
from faults.calls import Calls
from faults.canaries import Canaries
from faults.desk import Desk
from faults.links import LinkedStack
from faults.payday import Payday
from kit.failpoints import POINTS
from kit.ids import new_id
from stack.office import Office

MONEY = ("line", "line_item", "live_item", "attempt", "payment_file", "journal", "posting", "result_file", "result_row")
"""Tables that a killed step must leave as they were, and a repeated one must not fill twice."""
WAY = {
    "freeze": ("run.after_reservation", "run.mid_create"),
    "export": ("run.after_file",),
    "send": ("run.before_sent",),
    "upload": ("run.result_staged",),
    "apply": ("run.mid_reconcile", "run.after_commit"),
}
"""Which points lie in which step."""


class Mortal(Calls):
    """Each command goes first to processes that die of it, one per armed point, then to the living service, twice."""

    def __init__(self, stack: LinkedStack, office: Office) -> None:
        super().__init__(office)
        self.stack = stack
        self.points: list[str] = []
        self.died: list[str] = []

    async def do(self, person: str, service: str, path: str, body: Any = None, *, version: Any = None, content: Any = None,
                 key: str = "", within: float = 60) -> dict[str, Any]:  # fmt: skip
        key = str(new_id())
        again = {"version": version, "content": content, "key": key, "within": within}
        if not self.points:
            return await super().do(person, service, path, body, **again)
        before = await self._money()
        while self.points:
            point = self.points.pop(0)
            await self._die(point, person, path, key, body=body, version=version, content=content)
            self.died.append(point)
            assert (await self._money() == before) == (point != "run.after_commit"), point
        first = await super().do(person, service, path, body, **again)
        after = await self._money()
        assert after != before
        assert await super().do(person, service, path, body, **again) == first
        assert await self._money() == after
        return first

    async def _die(
        self, point: str, person: str, path: str, key: str, *, body: Any, version: Any, content: Any
    ) -> None:
        headers = {"Idempotency-Key": key} | ({} if version is None else {"If-Match": f'"{version}"'})
        sent = {"json": dict(body or {})} if content is None else {"content": content}
        async with self.stack.another("disbursement", "api", point) as (url, died):
            auth = self.office.desk(person, "disbursement").auth
            async with httpx.AsyncClient(base_url=url, auth=auth, timeout=30) as other:
                with pytest.raises(httpx.TransportError):
                    await other.post(path, headers=headers, **sent)
            await died()

    async def _money(self) -> dict[str, int]:
        rows = await self.stack.counts("disbursement")
        return {table: rows[table] for table in MONEY}


async def test_a_list_dies_at_each_of_its_points_and_everybody_is_paid_once(stack: LinkedStack, desk: Desk):
    calls = Mortal(stack, desk.office)
    payday = await Payday(calls, Canaries(seed=31)).open(elders=3)
    await payday.month()
    batch = await payday.draft()
    for step in ("freeze", "approve", "fund", "export", "send", "upload", "apply"):
        calls.points = list(WAY.get(step, ()))
        await getattr(payday, step)(batch)
    assert calls.died == [point for point in POINTS if point.startswith("run.")]
    assert [file["outcomes"] for file in batch.applied] == [{"matched": 3}]
    await stack.at_rest()
    lines = await stack.sql("disbursement", "SELECT state, attempt_no FROM line WHERE batch_id = $1", batch.row["id"])
    assert [tuple(line) for line in lines] == [("settled", 1)] * 3
    rights = await stack.sql(
        "disbursement", "SELECT state, value_idr FROM entitlement WHERE programme_id = $1", payday.programme["id"]
    )
    assert [tuple(right) for right in rights] == [("paid", 150_000)] * 3
