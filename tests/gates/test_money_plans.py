"""The bulk commands of the money side ask as much for a thousand lines as for fifty, and no statement walks a whole table.

Each statement is explained in its own transaction, as it is about to run: with the settings of that moment, and once more
with sequential scans forbidden. What is left of them then has no index to go by, and would grow with everything that was
ever paid.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from money_office import CHECKER, MAKER, Desk, Office
from sqlalchemy import event
from stack import bank

DAY = date(2026, 8, 4)
FEW, MANY = 50, 1_000
LARGE = re.compile(
    r"^(line|line_item|live_item|attempt|entitlement|fact_person|result_row|journal(_\d+)?|posting_\w+|outbox\w*)$"
)
"""Tables that grow with the payments of all years."""
OPEN_ONLY = ("entitlement_due", "line_in_limbo")
"""Indexes that hold nothing but what waits to be paid or put back: reading one of them whole is no walk."""
EXPLAINED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


class Watch:
    """What one connection of the service is asked: how many statements of each command, and their plans."""

    def __init__(self, office: Office) -> None:
        self._engine = office.running.runtime.engine.sync_engine
        self.statements: list[str] = []
        self.faults: set[str] = set()
        self._busy = False

    @contextmanager
    def watching(self) -> Iterator["Watch"]:
        """Listen while a command runs."""
        self.statements = []
        event.listen(self._engine, "before_cursor_execute", self._seen)
        try:
            yield self
        finally:
            event.remove(self._engine, "before_cursor_execute", self._seen)

    def _seen(self, conn: Any, _: Any, statement: str, parameters: Any, *__: Any) -> None:
        if self._busy:
            return
        self.statements.append(statement)
        if not statement.lstrip().upper().startswith(EXPLAINED) or "set_config" in statement:
            return
        self._busy = True
        cursor = conn.connection.cursor()
        try:
            for seqscan in ("on", "off"):
                cursor.execute(f"SET LOCAL enable_seqscan = {seqscan}")
                cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
                [(found,)] = cursor.fetchall()
                plan = found if isinstance(found, list) else json.loads(found)
                self.faults |= {
                    f"{fault}: {statement[:200]}" for fault in walks(plan[0]["Plan"], indexed=seqscan == "off")
                }
            cursor.execute("SET LOCAL enable_seqscan = on")
        finally:
            cursor.close()
            self._busy = False


def walks(plan: Mapping[str, Any], *, indexed: bool, inner: bool = False) -> Iterator[str]:
    """What is wrong with a plan. `indexed`: sequential scans were forbidden, so one that is there could not be avoided."""
    table, kind = plan.get("Relation Name", ""), plan["Node Type"]
    if kind == "Seq Scan" and LARGE.match(table):
        if inner:
            yield f"a nested loop reads all of {table} again and again"
        if indexed:
            yield f"nothing but reading all of {table} would do"
    unbound = kind in ("Index Scan", "Index Only Scan") and "Index Cond" not in plan
    if indexed and unbound and LARGE.match(table) and plan.get("Index Name") not in OPEN_ONLY:
        yield f"{plan.get('Index Name')} of {table} is read from end to end"
    for child in plan.get("Plans", ()):
        within = kind == "Nested Loop" and child.get("Parent Relationship") == "Inner"
        passing = inner and kind not in ("Hash", "Materialize", "Sort")
        yield from walks(child, indexed=indexed, inner=within or passing)


@pytest.fixture
async def office(service_factory):
    running = await service_factory("disbursement", database_pool_size=2)
    desk = Desk()
    running.runtime.wiring.desk = desk
    made = Office(running, desk)
    await made.open_budget(10_000_000_000)
    return made


async def _commands(office: Office, lines: int, watch: Watch) -> dict[str, int]:
    """One list of so many lines, all the way; how many statements each bulk command had."""
    counts: dict[str, int] = {}

    async def step(name: str, work: Any) -> Any:
        with watch.watching():
            found = await work
        counts[name] = len(watch.statements)
        return found

    await office.grant(lines, 150_000, period=f"2026-{lines % 11 + 1:02}")
    await office.sql("ANALYZE")
    batch = await office.draft()
    await step("freeze", office.step(MAKER, batch, "freeze"))
    await step("check", office.step(MAKER, batch, "check"))
    await office.step(MAKER, batch, "submit", {"report_read": True})
    sample = await office.get(CHECKER, f"/v1/batches/{batch['id']}/sample")
    await office.step(CHECKER, batch, "verify", {"viewed": [line["id"] for line in sample]})
    await office.approve(batch)
    await office.fund(batch)
    await step("export", office.export(batch))
    await step("send", office.sent(batch))
    [order] = await office.orders(batch)
    references = [transfer.reference for transfer in order.transfers]
    rejected = dict.fromkeys(references[::25], "AC04")
    notice = bank.notice(order, DAY, bank.Faults(rejected=rejected))
    report = bank.status_report(
        order, DAY, bank.Faults(rejected=rejected, silent=frozenset(references) - rejected.keys())
    )
    for form, content in (("camt054", notice), ("pain002", report)):
        uploaded = await step(f"upload {form}", office.upload(content, form))
        await step(f"apply {form}", office.apply(uploaded))
    return counts


async def test_bulk_commands_of_money_ask_no_more_for_more_lines_and_never_walk_a_table(office):
    watch = Watch(office)
    few = await _commands(office, FEW, watch)
    many = await _commands(office, MANY, watch)
    assert many == few
    assert not watch.faults, "\n".join(sorted(watch.faults))
    assert sum(few.values()) < 250, few


@pytest.mark.parametrize(
    ("plan", "faults"),
    [
        (("Nested Loop", "Seq Scan", "line"), 2),
        (("Hash Join", "Seq Scan", "line"), 1),
        (("Nested Loop", "Seq Scan", "approval_rule"), 0),
        (("Hash Join", "Index Scan", "attempt"), 1),
    ],
)
def test_the_gate_sees_a_plan_that_walks(plan, faults):
    join, scan, table = plan
    child = {"Node Type": scan, "Relation Name": table, "Parent Relationship": "Inner"}
    assert len(list(walks({"Node Type": join, "Plans": [child]}, indexed=True))) == faults
