"""`make faults`, `make soak`: faults under load, one after the other, chosen by a seed; after each everything is looked at.

    python -m faults.driver --faults 100 --seed 7          the same seed repeats the same faults in the same order
    python -m faults.driver --seconds 1800                 as long as told
    python -m faults.driver --only "crash run.mid_create"  one kind again and again
    python -m faults.driver --only "^crash" --each 20      every named point twenty times, with a table
    python -m faults.driver --only "^kill" --faults 1000   a campaign of kill -9

After each fault: somebody's death is reported and must reach every reader (the time to that is the recovery), the load
stands still, every invariant of every service and those between them must hold, no defect may be in a log, and nothing
that was answered may be missing or be there twice. The first violation ends the run with its seed, fault and choices.
"""

import argparse
import asyncio
import os
import random
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from faults import kinds  # noqa: F401 - fills the registry
from faults.calls import Calls
from faults.canaries import Canaries, leaks
from faults.desk import Desk
from faults.disks import alone
from faults.ground import KINDS, Ground, Kind
from faults.links import LinkedStack
from faults.load import Load
from faults.payday import TODAY
from faults.report import Report, Verdict
from kit.testing import eventually
from private_stack import topics_of
from stack import backends
from stack.office import move_clock

PERSON = "registry.person"
RECOVERS_WITHIN = 150.0
RESTS_WITHIN = 150.0
WARM_UP_STEPS = 3
KEPT_BEFORE = timedelta(seconds=30)
"""A replay begins so much before the last look, for transactions that were under way."""


@dataclass
class Driver:
    """One run over a stack that is there: which kinds, how long, in what order."""

    stack: LinkedStack
    seed: int
    kinds: list[Kind]
    most: int = 10**6
    seconds: float = float("inf")
    leaks_every: int = 10
    """I9 reads every log, topic and table: after each so many faults and at the end."""
    report: Report = field(init=False)
    doing: str = ""
    """What is waited for, for the report of a failure."""

    def __post_init__(self) -> None:
        self.report = Report(self.seed)

    async def run(self) -> Report:
        """Everything; the report, with the first failure in it."""
        chance, desk = random.Random(self.seed), Desk(self.stack)
        calls = Calls(desk.office)
        load = Load(calls, Canaries(self.seed), random.Random(self.seed + 1))
        ground = Ground(self.stack, desk, calls, load, chance)
        before, killed = await self._events(), self.stack.killed
        try:
            await self.stack.mend()
            async with load.running():
                await self._all(ground)
        finally:
            self.report.events = await self._events() - before
            self.report.kills = self.stack.killed - killed
            self.report.commands = sum(n for status, n in calls.answers.items() if 200 <= status < 300)
            await desk.close()
        return self.report

    async def _all(self, ground: Ground) -> None:
        ends = time.monotonic() + self.seconds
        for number, kind in enumerate(self._order(ground.chance), start=1):
            if number > self.most or time.monotonic() > ends:
                break
            ground.said = []
            try:
                seconds = await self._one(ground, kind)
                verdict = await self._look(ground, with_leaks=number % self.leaks_every == 0)
            except Exception as failed:  # noqa: BLE001 - whatever it was ends the run, with the seed that repeats it
                self.report.failed(number, kind.name, ground.said, f"{self.doing}: {type(failed).__name__}: {failed}")
                return
            self.report.took(number, kind.name, ground.said, seconds)
            if not verdict.holds:
                self.report.violated(number, kind.name, ground.said, verdict)
                return
        verdict = await self._look(ground, with_leaks=True)
        if not verdict.holds:
            self.report.violated(self.report.faults, "the end", [], verdict)

    def _order(self, chance: random.Random) -> Iterator[Kind]:
        """Every kind once in an order by chance, then all again in another."""
        while True:
            yield from chance.sample(self.kinds, len(self.kinds))

    async def _one(self, ground: Ground, kind: Kind) -> float:
        """One fault under load; the seconds from its end until a new death has reached every reader."""
        self.doing = "work before the fault"
        await ground.load.moved(WARM_UP_STEPS)
        self.doing = "the fault"
        async with kind.inflicted(ground):
            if kind.steps:
                await ground.load.moved(kind.steps)
            healing = time.monotonic()
        self.doing = "a command after the fault"
        person = await ground.load.death()
        self.doing = "its event at every reader"
        for reader in self._readers():
            await eventually(lambda reader=reader: self._heard(reader, person), within=RECOVERS_WITHIN)
        return time.monotonic() - healing

    async def _look(self, ground: Ground, *, with_leaks: bool) -> Verdict:
        """With the load standing still: every invariant, every answer found once, no canary anywhere."""
        self.doing = "the end of the commands under way"
        async with ground.load.still():
            self.doing = "the invariants"
            verdict = await Verdict.of(self.stack, ground, within=RESTS_WITHIN)
            if with_leaks:
                verdict.leaks = await leaks(self.stack, ground.load.canaries)
            ground.quiet_at = datetime.now(UTC) - KEPT_BEFORE
        return verdict

    def _readers(self) -> list[str]:
        return [service for service in self.stack.members if PERSON in topics_of(service)]

    async def _heard(self, reader: str, person: str) -> bool:
        told = await self.stack.sql("registry", "SELECT max(sequence) FROM outbox WHERE key = $1", person)
        seen = await self.stack.sql(
            reader, "SELECT last_sequence FROM stream_position WHERE topic = $1 AND key = $2", PERSON, person
        )
        return bool(seen) and seen[0][0] >= told[0][0]

    async def _events(self) -> int:
        counts = [await self.stack.sql(service, "SELECT count(*) FROM outbox") for service in self.stack.members]
        return sum(rows[0][0] for rows in counts)


@contextmanager
def own_stack() -> Iterator[LinkedStack]:
    """A stack for this run alone, forgotten afterwards."""
    folder = backends.begin()
    try:
        with LinkedStack() as stack:
            move_clock(stack.system, TODAY)
            yield stack
    finally:
        if folder is not None:
            backends.end(folder)


def main() -> None:
    """Run from the command line; exit status 1 when something did not hold."""
    alone("faults.driver")
    options = _options()
    asked = [kind for kind in KINDS.values() if re.search(options.only, kind.name)]
    left_out = {kind.name: why for kind in asked if (why := kind.lacking())}
    chosen = [kind for kind in asked if kind.name not in left_out]
    for name, why in left_out.items():
        _say(f"left out: {name} ({why})")
    if not asked:
        sys.exit(f"no kind of fault is called like {options.only!r}; there are:\n  " + "\n  ".join(KINDS))
    if not chosen:
        sys.exit("nothing of what was asked for can be done on this machine")
    command = f"python -m faults.driver {' '.join(sys.argv[1:])}".strip()
    if options.keep:
        os.environ["SANTUN_TEST_KEEP"] = str(options.keep)
    with own_stack() as stack:
        most = options.each * len(chosen) if options.each else options.faults
        driver = Driver(stack, options.seed, chosen, most=most, seconds=options.seconds)
        driver.report.say, driver.report.left_out = _say, left_out
        report = asyncio.run(driver.run())
    if any(len(times) > 1 for times in report.kinds.values()):
        _say(report.table())
    _say(report.last_word(command))
    sys.exit(0 if report.holds else 1)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m faults.driver", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--faults", type=int, default=10**6, help="at most so many")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="no new fault after so long")
    parser.add_argument("--only", default="", help="kinds whose name this regular expression finds")
    parser.add_argument("--each", type=int, default=0, help="every kind so many times, in another order each round")
    parser.add_argument("--keep", type=Path, help="where the logs go")
    return parser.parse_args()


if __name__ == "__main__":
    main()
