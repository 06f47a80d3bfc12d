"""The headline: a million payments from due rights to the bank's answer, every event published and planned for.

    python tests/load/payments_million.py --payments 100000
    python tests/load/payments_million.py --payments 1000000 --small 100000 --json FILE

Registry, disbursement and notifications work in this process, over real HTTP routes, PostgreSQL and Kafka; only people and
their rights are put there beforehand. Lists of at most 20,000 lines go through every hand: frozen, asked about at the
registry, verified, approved by two, funded, exported, sent, answered by a bank that rejects one in fifty, applied,
reconciled. The limit is COPY of the very rows that were written. A run counts only when rows, events, messages and money
agree and every invariant of the service holds.
"""

import argparse
import asyncio
import math
import resource
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import payments_limit
import payments_people
from kit.service import settle_in
from measure import Figure, Goal, Pair, Series
from page import circumstances, say, write
from payments_truth import events_of, told_and_true
from stack import backends, bank
from stack.backends import Backends
from stack.places import ROOT
from stack.running import Running

sys.path.insert(0, str(ROOT / "services" / "disbursement" / "tests"))
from money_office import CHECKER, MAKER, Office

MAX_LINES = 20_000
TOGETHER = 2
"""Lists that are worked on at one time: while one computes the other waits for the database."""
SLOWEST = """
SELECT round(total_exec_time)::int AS ms, calls, rows, left(regexp_replace(query, '\\s+', ' ', 'g'), 110) AS query
FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = $1) ORDER BY total_exec_time DESC LIMIT 16
"""


class Neighbour:
    """The registry in this process, asked over its routes as the disbursement's own machine account."""

    def __init__(self, registry: Running) -> None:
        self._client = registry.client("santun-disbursement")

    async def ask(self, path: str, body: object) -> Any:
        """The answer to a question."""
        answer = await self._client.post(path, json=body)
        answer.raise_for_status()
        return answer.json()


@dataclass(slots=True)
class Seconds:
    """How long each phase took, and of that the processor time of this process."""

    wall: dict[str, float] = field(default_factory=dict)
    client: dict[str, float] = field(default_factory=dict)

    async def of(self, phase: str, work: Awaitable[Any], count: int) -> Any:
        """Measure a phase and say it at once."""
        wall, cpu = perf_counter(), _cpu()
        found = await work
        self.wall[phase], self.client[phase] = perf_counter() - wall, _cpu() - cpu
        show(
            f"  {phase:<20}{self.wall[phase]:>9.2f} s {count / self.wall[phase]:>10,.0f} /s   client {self.client[phase]:.2f} s"
        )
        return found


class Payday:
    """The lists of one run, each phase for all of them before the next."""

    def __init__(self, office: Office, world: payments_people.World, rejected_each: int) -> None:
        self.office, self.world, self.rejected_each = office, world, rejected_each
        self.batches: list[dict[str, Any]] = []
        self.answers: list[list[tuple[bytes, str]]] = []
        self.uploaded: list[list[dict[str, Any]]] = []

    async def freeze(self) -> None:
        """Draft and freeze a list for each village."""
        self.batches = await _each(self.world.places, self._frozen)

    async def check(self) -> None:
        """Gate F."""
        await _each(self.batches, lambda batch: self.office.step(MAKER, batch, "check"))

    async def sign_and_fund(self) -> None:
        """Submitted, verified with its sample, approved by two, SPP, SPM, SP2D."""
        await _each(self.batches, self._signed)

    async def export(self) -> None:
        """Gate P and the files."""
        await _each(self.batches, self.office.export)

    async def send(self) -> None:
        """The bank has them."""
        await _each(self.batches, self.office.sent)

    async def answer(self) -> None:
        """The bank reads its files, books most and rejects one in so many; not ours, and not counted."""
        self.answers = [await self._answered(batch) for batch in self.batches]

    async def upload(self) -> None:
        """The notices and refusals of the bank."""
        self.uploaded = await _each(self.answers, self._uploaded)

    async def apply(self) -> None:
        """Another officer applies them."""
        await _each(self.uploaded, self._applied)

    async def reconcile(self) -> None:
        """Both levels come to nought."""
        await _each(self.batches, lambda b: self.office.step("recon_officer", b, "reconcile", sub="third-officer"))

    async def _frozen(self, place: str) -> dict[str, Any]:
        batch = await self.office.draft(region_code=place)
        found: dict[str, Any] = await self.office.step(MAKER, batch, "freeze")
        return found

    async def _signed(self, batch: dict[str, Any]) -> None:
        await self.office.step(MAKER, batch, "submit", {"report_read": True})
        sample = await self.office.get(CHECKER, f"/v1/batches/{batch['id']}/sample")
        await self.office.step(CHECKER, batch, "verify", {"viewed": [line["id"] for line in sample]})
        await self.office.approve(batch)
        await self.office.fund(batch)

    async def _answered(self, batch: dict[str, Any]) -> list[tuple[bytes, str]]:
        """A notice of what was booked, and a report of the rejected alone."""
        found: list[tuple[bytes, str]] = []
        on = self.office.clock.now().date()
        for order in await self.office.orders(batch):
            references = [transfer.reference for transfer in order.transfers]
            rejected = dict.fromkeys(references[self.rejected_each - 1 :: self.rejected_each], "AC04")
            booked = bank.Faults(rejected=rejected)
            refused = bank.Faults(rejected=rejected, silent=frozenset(references) - rejected.keys())
            found.append((bank.notice(order, on, booked), "camt054"))
            found.append((bank.status_report(order, on, refused), "pain002"))
        return found

    async def _uploaded(self, answers: Sequence[tuple[bytes, str]]) -> list[dict[str, Any]]:
        return [await self.office.upload(content, form) for content, form in answers]

    async def _applied(self, files: Sequence[dict[str, Any]]) -> None:
        for file in files:
            await self.office.apply(file)


@dataclass(slots=True)
class Run:
    """What came out of one size."""

    payments: int
    planned: int
    seconds: Seconds
    limit: payments_limit.Limit

    @property
    def money(self) -> float:
        """Seconds of all phases of the money side."""
        return sum(self.seconds.wall[phase] for phase in payments_limit.PHASES)

    def table(self) -> list[str]:
        """A line a phase: seconds, limit, ratio."""
        limits = {phase: self.limit.of(phase) for phase in payments_limit.PHASES}
        limits |= {"all of it": self.limit.payments, "publish": self.limit.read, "plan": self.limit.notified}
        walls = {**self.seconds.wall, "all of it": self.money}
        lines = [f"  {'phase':<20}{'seconds':>9}{'limit':>9}{'ratio':>7}{'client cpu':>12}"]
        for phase in (*payments_limit.PHASES, "all of it", "publish", "plan"):
            limit = limits[phase]
            ratio = f"{limit / walls[phase]:.2f}" if limit else "-"
            client = self.seconds.client.get(phase)
            lines.append(
                f"  {phase:<20}{walls[phase]:>9.2f}{limit:>9.2f}{ratio:>7}" + (f"{client:>12.2f}" if client else "")
            )
        return lines


async def run(parts: Backends, payments: int, given: argparse.Namespace) -> Run:
    """One run of so many payments on new databases and topics. Raises Untrue when something does not agree."""
    sizes = tuple(min(MAX_LINES, payments - start) for start in range(0, payments, MAX_LINES))
    async with AsyncExitStack() as stack:
        started = [await Running.start(parts, "disbursement", {})]
        stack.push_async_callback(started[0].close)
        for name in ("registry", "notifications"):
            started.append(await Running.start(parts, name, {"topic_prefix": started[0].settings.topic_prefix}))
            stack.push_async_callback(started[-1].close)
        disbursement, registry, notifications = started
        office, payday = await _opened(disbursement, registry, sizes, given)
        settle_in()  # as the process of a service does when it starts
        seconds = Seconds()
        phases: dict[str, Callable[[], Awaitable[None]]] = {
            "freeze": payday.freeze, "check": payday.check, "sign and fund": payday.sign_and_fund,
            "export": payday.export, "send": payday.send, "(the bank)": payday.answer, "upload": payday.upload,
            "apply": payday.apply, "reconcile and close": payday.reconcile,
        }  # fmt: skip
        for phase, work in phases.items():
            await seconds.of(phase, work(), payments)
        events = await events_of(disbursement)
        published = await seconds.of("publish", disbursement.relay_once(), sum(events.values()))
        planning = await seconds.of("plan", planned(notifications, events, given.plan), payments)
        back = sum(size // given.rejected_each for size in sizes)
        await told_and_true(office, notifications, payday.world, events, published, back=back, whole=given.plan is None)
        if given.statements:
            await _say_statements(disbursement)
            await _say_statements(notifications)
        limit = await payments_limit.measure(disbursement, notifications, events, given.rounds)
        return Run(payments, planning, seconds, limit)


async def planned(notifications: Running, events: dict[str, int], most: int | None) -> int:
    """Let the consumer of notifications take in what it has rules for, at least so many of it; how many it took."""
    wanted = sum(
        n for name, n in events.items() if f"org.santun.disbursement.{name}.v1" in notifications.service.handlers
    )
    wanted = min(wanted, most or wanted)
    connection = await payments_people.connect(notifications)
    stop = asyncio.Event()
    running = asyncio.create_task(notifications.consumer.run(stop))
    limit = perf_counter() + 60 + wanted / 50
    said = perf_counter()
    try:
        while (there := int(await connection.fetchval("SELECT count(*) FROM inbox"))) < wanted:
            if running.done():
                await running
            if perf_counter() > limit:
                raise TimeoutError(f"{there} of {wanted} events planned")
            if perf_counter() > said + 20:
                said = perf_counter()
                show(f"    {there:,} of {wanted:,} events planned")
            await asyncio.sleep(0.2)
    finally:
        stop.set()
        await running
    there = int(await connection.fetchval("SELECT count(*) FROM inbox"))
    await connection.close()
    return there


async def _opened(
    disbursement: Running, registry: Running, sizes: tuple[int, ...], given: argparse.Namespace
) -> tuple[Office, Payday]:
    """The office with its budget, its people and what they are due."""
    from disbursement.payee_client import HttpPayeeDesk

    desk: Any = HttpPayeeDesk(Neighbour(registry))  # type: ignore[arg-type]
    disbursement.runtime.wiring.desk = desk
    office = Office(disbursement, desk)
    await office.open_budget(sum(sizes) * payments_people.AMOUNT_IDR)
    started = perf_counter()
    world = await payments_people.settle_in(registry, disbursement, office.line_id, sizes, analyzed=not given.stale)
    office.programme_id = world.programme_id
    await office.commit_budget(world.total_idr)
    show(
        f"{world.people:,} payments in {len(sizes)} lists; people and rights were made in {perf_counter() - started:.1f} s"
    )
    return office, Payday(office, world, given.rejected_each)


async def _each(items: Sequence[Any], work: Callable[[Any], Awaitable[Any]]) -> list[Any]:
    """Work on all items, a few at one time, and give what came of each in order."""
    free = asyncio.Semaphore(TOGETHER)

    async def one(item: Any) -> Any:
        async with free:
            return await work(item)

    return list(await asyncio.gather(*(one(item) for item in items)))


async def _say_statements(running: Running) -> None:
    connection = await payments_people.connect(running)
    for row in await connection.fetch(SLOWEST, running.database):
        show(f"  {row['ms']:>8} ms {row['calls']:>7} calls {row['rows']:>9} rows  {row['query']}")
    await connection.close()


def rows(done: Sequence[Run], command: str) -> list[dict[str, Any]]:
    """The figures of the largest run, and the growth from the smallest, in the form of `page.py`."""
    last = done[-1]
    reckoned = "" if last.payments == 1_000_000 else f", reckoned from {last.payments:,}"
    million = f"the same for a million payments{reckoned}"
    pairs = [
        (Figure("P9", "payments from due rights to the bank's answer, applied and reconciled", "payments/s",
                "COPY of all rows that were written for them", Goal(at_least=0.5)),
         last.payments / last.money, last.payments / last.limit.payments),
        (Figure("P9 million", million, "s", "", Goal(at_most=45, of="measured", unit="s")),
         last.money * 1_000_000 / last.payments, None),
        (Figure("P9 publish", "their events published", "payments/s", "COPY of the outbox to the client", Goal(at_least=0.6)),
         last.payments / last.seconds.wall["publish"], last.payments / last.limit.read),
        (Figure("P9 plan", f"their messages planned by notifications ({last.planned:,} of them)", "messages/s",
                "COPY of all rows that were written for them", Goal(at_least=0.5)),
         last.planned / last.seconds.wall["plan"], last.planned / last.limit.notified),
    ]  # fmt: skip
    if last.planned < last.payments:
        pairs = [pair for pair in pairs if pair[0].id != "P9 plan"]  # a part of them says nothing of the whole topic
    if len(done) > 1:
        first = done[0]
        grown = math.log(last.money / first.money) / math.log(last.payments / first.payments)
        figure = Figure("P9 growth", f"exponent from {first.payments:,} to {last.payments:,} payments", "", "",
                        Goal(at_most=1.05, of="measured"))  # fmt: skip
        pairs.append((figure, grown, None))
    about = {**circumstances("full" if last.payments >= 100_000 else "small"), "command": command}
    return [Series(f, [Pair(f.id, measured, limit)]).row(about) for f, measured, limit in pairs]


def show(line: str) -> None:
    """Say it at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Parse the arguments, start PostgreSQL and Kafka, run, stop them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--payments", type=int, default=100_000)
    parser.add_argument("--small", type=int, help="run this many first, for the growth")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of the limit")
    parser.add_argument("--plan", type=int, help="let notifications plan for so many events only, not for all")
    parser.add_argument("--rejected-each", type=int, default=50, help="the bank rejects one in so many")
    parser.add_argument("--stale", action="store_true", help="the planner does not know of the people and rights")
    parser.add_argument("--statements", action="store_true", help="name the statements that took longest")
    parser.add_argument("--json", type=Path, help="write the figures there")
    given = parser.parse_args()
    begun = backends.begin()
    assert begun is not None, "begin it outside of a test run"
    try:
        done = []
        for size in filter(None, (given.small, given.payments)):
            done.append(asyncio.run(run(Backends(begun), size, given)))
            for line in done[-1].table():
                show(line)
    finally:
        backends.end(begun)
    small = f" --small {given.small}" if given.small else ""
    found = rows(done, f"python tests/load/payments_million.py --payments {given.payments}{small}")
    for row in found:
        show(say(row))
    if given.json:
        write(found, given.json)


if __name__ == "__main__":
    main()
