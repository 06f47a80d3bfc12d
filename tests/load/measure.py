"""What a benchmark is: rounds that measure something and its limit side by side, and a goal for their ratio.

A limit is what the machine itself can do at that moment (a bare COPY, a bare route), so the ratio says how much of it
is left to be won, whatever else the machine has to do. The absolute numbers beside it are only for orientation.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from rig import Rig


class Untrue(AssertionError):
    """What was written, announced and applied does not agree: the figures of this run would say nothing."""


def demand(holds: bool, what: str, *seen: object) -> None:
    """The gate of validity. Raises Untrue, with what was seen instead."""
    if not holds:
        raise Untrue(f"{what}: {', '.join(map(str, seen))}" if seen else what)


@dataclass(frozen=True, slots=True)
class Goal:
    """Where the ratio (or the measured value itself) should be; `text` as it stands in the table."""

    at_least: float | None = None
    at_most: float | None = None
    of: Literal["ratio", "measured"] = "ratio"
    unit: str = ""

    @property
    def text(self) -> str:
        """`>= 0.60`, `<= 15 ms`."""
        sign, number = ("≥", self.at_least) if self.at_least is not None else ("≤", self.at_most)
        return f"{sign} {number:,.2f}" if self.of == "ratio" else f"{sign} {number:,.6g} {self.unit}"

    def reached(self, measured: float, ratio: float | None) -> bool:
        """Whether the goal is met."""
        seen = measured if self.of == "measured" else ratio
        if seen is None:
            return False
        return (self.at_least is None or seen >= self.at_least) and (self.at_most is None or seen <= self.at_most)


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table as it is declared: what is measured, in which unit, against which limit, to which goal."""

    id: str
    what: str
    unit: str
    limit: str
    goal: Goal


@dataclass(frozen=True, slots=True)
class Pair:
    """One round of one figure; `limit` None where the goal speaks of the measured value alone."""

    figure: str
    measured: float
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Figures that come out of one run, and the run: it yields their rounds one after another, interleaved."""

    figures: Sequence[Figure]
    run: Callable[["Rig"], AsyncIterator[Pair]]


@dataclass(slots=True)
class Series:
    """The rounds of one figure."""

    figure: Figure
    pairs: list[Pair] = field(default_factory=list)

    def row(self, circumstances: Mapping[str, Any]) -> dict[str, Any]:
        """The figure as data: medians over the rounds; the ratio is the median of the ratios of the rounds."""
        limits = [pair.limit for pair in self.pairs if pair.limit is not None]
        ratio = median(p.measured / p.limit for p in self.pairs if p.limit) if limits else None
        measured = median(pair.measured for pair in self.pairs)
        goal = self.figure.goal
        return {
            "id": self.figure.id, "what": self.figure.what, "measured": measured, "unit": self.figure.unit,
            "limit": median(limits) if limits else None, "against": self.figure.limit, "ratio": ratio,
            "goal": goal.text, "reached": goal.reached(measured, ratio), "rounds": len(self.pairs), **circumstances,
        }  # fmt: skip


def percentile(values: Iterable[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
