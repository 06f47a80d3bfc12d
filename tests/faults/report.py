"""What a run of faults has shown: counted as it goes, told in one sentence at the end."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kit.testing import eventually
from private_stack import PrivateStack

if TYPE_CHECKING:
    from faults.ground import Ground

SHOWN = 10


@dataclass
class Verdict:
    """What does not hold, by what it means."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    reordered: list[str] = field(default_factory=list)
    money: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.lines

    @property
    def lines(self) -> list[str]:
        """Everything that is wrong."""
        return [*self.lost, *self.doubled, *self.reordered, *self.money, *self.others, *self.leaks]

    @classmethod
    async def of(cls, stack: PrivateStack, ground: "Ground", *, within: float) -> "Verdict":
        """Wait until all that was announced has arrived and every invariant holds; what still does not after that time."""
        last: list[str] = []

        async def calm() -> bool:
            nonlocal last
            last = ["the broker does not answer"]
            lag = await stack.lag()
            last = [f"{service} lacks {n} messages" for service, n in lag.items() if n] or await stack.violated()
            return not last

        try:
            await eventually(calm, within=within, every=0.3)
        except AssertionError:
            verdict = cls._sorted(last)
        else:
            verdict = cls()
        verdict.others += [line[:300] for line in stack.defects()] + ground.calls.strange
        await _answers(verdict, stack, ground)
        return verdict

    @classmethod
    def _sorted(cls, lines: Sequence[str]) -> "Verdict":
        verdict = cls()
        for line in lines:
            kind = line.partition(": ")[2]
            if " lacks " in line:
                verdict.lost.append(line)
            elif kind.startswith("I5"):
                verdict.reordered.append(line)
            elif kind.startswith(("I2", "I4", "M5", "M6")):
                verdict.doubled.append(line)
            elif kind.startswith(("I1", "M")):
                verdict.money.append(line)
            else:
                verdict.others.append(line)
        return verdict


async def _answers(verdict: Verdict, stack: PrivateStack, ground: "Ground") -> None:
    """Every death that was answered is there once and was told once; no transfer was given to the bank twice."""
    people = ground.load.done.deaths
    rows = await stack.sql(
        "registry",
        "SELECT p.id, (SELECT count(*) FROM death_record AS d WHERE d.person_id = p.id) AS records,"
        " (SELECT count(*) FROM outbox AS o JOIN death_record AS d ON d.id = o.key AND d.person_id = p.id"
        "   WHERE o.type = 'org.santun.registry.death.reported.v1') AS told"
        " FROM unnest($1::uuid[]) AS p(id)",
        people,
    )
    for row in rows:
        if min(row["records"], row["told"]) < 1:
            verdict.lost.append(
                f"the death of {row['id']} was answered: {row['records']} records, {row['told']} events"
            )
        if max(row["records"], row["told"]) > 1:
            verdict.doubled.append(f"the death of {row['id']}: {row['records']} records, {row['told']} events")
    verdict.doubled += [f"transfer {ref} was given {n} times" for ref, n in ground.load.done.transfers.items() if n > 1]
    known = await stack.sql(
        "disbursement",
        "SELECT reference, state FROM attempt WHERE reference = ANY($1::text[])",
        list(ground.load.done.transfers),
    )
    if len(known) != len(ground.load.done.transfers):
        verdict.lost.append(f"{len(ground.load.done.transfers) - len(known)} transfers at the bank are unknown here")


@dataclass
class Report:
    """The figures of a run."""

    seed: int
    say: Callable[[str], None] = lambda _: None
    faults: int = 0
    events: int = 0
    commands: int = 0
    kills: int = 0
    kinds: dict[str, list[float]] = field(default_factory=dict)
    """How long each kind took to recover from, each time."""
    verdict: Verdict = field(default_factory=Verdict)
    failure: str = ""
    left_out: dict[str, str] = field(default_factory=dict)
    """Kinds that were asked for and cannot be inflicted on this machine, each with the reason."""

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.failure and self.verdict.holds

    def took(self, number: int, name: str, said: Sequence[str], seconds: float) -> None:
        """One fault was survived."""
        self.faults += 1
        self.kinds.setdefault(name, []).append(seconds)
        self.say(f"{number:4d}  {seconds:5.1f} s  {name} {' '.join(said)}")

    def violated(self, number: int, name: str, said: Sequence[str], verdict: Verdict) -> None:
        """Something does not hold after this fault."""
        self.verdict = verdict
        self.failed(number, name, said, "\n  ".join(verdict.lines[:SHOWN]))

    def failed(self, number: int, name: str, said: Sequence[str], why: str) -> None:
        """The run ends here."""
        self.failure = f"seed {self.seed}, fault {number}: {name} ({' '.join(said)})\n  {why}"
        self.say(f"FAILED {self.failure}")

    def table(self) -> str:
        """Each kind with how often it was survived, and the median and p99 of its recovery."""
        width = max(map(len, self.kinds), default=0)
        lines = [f"{'':{width}}  times  median     p99"]
        for name in sorted(self.kinds):
            times = self.kinds[name]
            lines.append(f"{name:{width}}  {len(times):5d}  {statistics.median(times):4.1f} s  {_high(times):4.1f} s")
        return "\n".join(lines)

    def last_word(self, command: str = "") -> str:
        """The figures in one sentence, the command that repeats them, and the failure if there was one."""
        v, times = self.verdict, [seconds for of_kind in self.kinds.values() for seconds in of_kind] or [0.0]
        money = "exact" if not v.money else f"wrong {len(v.money)} times"
        figures = (
            f"{self.faults} faults of {len(self.kinds)} kinds, {self.events} events, {len(v.lost)} lost, {len(v.doubled)} doubled,"
            f" {len(v.reordered)} reordered, money {money}, median recovery {statistics.median(times):.1f} s, p99 {_high(times):.1f} s"
        )
        lines = [
            figures,
            "; ".join(
                (
                    f"{self.commands} commands answered", f"{self.kills} processes killed", f"seed {self.seed}",
                    *([command] if command else []),
                )
            ),
        ]  # fmt: skip
        lines += [f"left out: {name} ({why})" for name, why in self.left_out.items()]
        if self.left_out:
            lines[0] += f"; {len(self.left_out)} kinds left out"
        return "\n".join([*lines, *([f"FAILED {self.failure}"] if self.failure else [])])


def _high(times: Sequence[float]) -> float:
    """p99: of few times the longest."""
    return sorted(times)[round(0.99 * (len(times) - 1))]
