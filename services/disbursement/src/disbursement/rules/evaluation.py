"""What a rule says about one subject on one day: three-valued evaluation and the two masks.

True, False and None (unknown) follow Kleene: a missing fact never turns into a yes or a no by itself. Every criterion
is computed, always, so that a person hears all reasons at once. Pure; everyone may import it.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Literal

from disbursement.rules.ast import (
    All,
    AnyOf,
    Compare,
    Criterion,
    Expr,
    FamilyAny,
    FamilyCount,
    HasLive,
    Known,
    Not,
    PaidFor,
    ReceivedWithin,
    Rule,
    facts_of,
)

Truth = bool | None
Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is known of one subject. `None` in a set of own data means it was not looked up: unknown."""

    facts: Facts
    family: Sequence[Facts] | None = None
    live_programmes: frozenset[str] | None = None
    received: Mapping[str, date] | None = None
    paid_for: frozenset[tuple[str, str]] | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one criterion: met, not met, or unknown; `reason` is the code to show when it is not met."""

    criterion: str
    result: Truth
    reason: str
    facts: tuple[str, ...]
    hard: bool
    overridden: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """All findings of a rule. Bit i of a mask is criterion i; `unknown` holds only what a person must look at."""

    fail: int
    unknown: int
    findings: tuple[Finding, ...] = field(default=())

    @property
    def eligible(self) -> bool:
        """Nothing failed and nothing is left to look at."""
        return not self.fail and not self.unknown

    @property
    def failed(self) -> tuple[Finding, ...]:
        """The findings against the subject, in the order of the rule."""
        return tuple(f for i, f in enumerate(self.findings) if self.fail >> i & 1)

    @property
    def open(self) -> tuple[Finding, ...]:
        """The findings a person must look at."""
        return tuple(f for i, f in enumerate(self.findings) if self.unknown >> i & 1)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Reason codes of what failed, then of what is unknown, each once."""
        return tuple(dict.fromkeys(f.reason for f in (*self.failed, *self.open)))

    @property
    def hard(self) -> bool:
        """Whether something failed that may stop aid without a hearing (death, moved, double)."""
        return any(f.hard for f in self.failed)


def evaluate(
    rule: Rule,
    subject: Subject,
    as_of: date,
    *,
    stage: str | None = None,
    overrides: Mapping[str, Literal["allow", "deny"]] | None = None,
) -> Verdict:
    """Hold a subject against a rule as of a day.

    `stage` limits the masks (not the findings) to the criteria of that stage. `overrides` are standing decisions of
    people by criterion; they count only where the criterion may be overridden.
    """
    fail = unknown = 0
    findings = []
    for bit, criterion in enumerate(rule.criteria):
        result = holds(criterion.expr, subject, as_of)
        override = (overrides or {}).get(criterion.code) if criterion.overridable else None
        settled = result if override is None else override == "allow"
        findings.append(
            Finding(
                criterion.code,
                settled,
                _reason(criterion, subject, result),
                facts_of(criterion.expr),
                criterion.hard,
                override,
            )
        )
        if stage is not None and stage not in criterion.at:
            continue
        if settled is False or (settled is None and criterion.unknown == "fail"):
            fail |= 1 << bit
        elif settled is None and criterion.unknown == "review":
            unknown |= 1 << bit
    return Verdict(fail, unknown, tuple(findings))


def holds(expr: Expr, subject: Subject, as_of: date) -> Truth:
    """Whether an expression holds for a subject on a day: true, false or unknown."""
    match expr:
        case All(parts):
            return _all([holds(p, subject, as_of) for p in parts])
        case AnyOf(parts):
            return _any([holds(p, subject, as_of) for p in parts])
        case Not(part):
            inner = holds(part, subject, as_of)
            return None if inner is None else not inner
        case Known(fact):
            return subject.facts.get(fact) is not None
        case Compare():
            return _compare(expr, subject.facts.get(expr.fact), as_of)
        case FamilyAny(part):
            if subject.family is None:
                return None
            return _any([holds(part, Subject(m), as_of) for m in subject.family])
        case FamilyCount(part, op, n):
            return _count(part, op, n, subject.family, as_of)
        case HasLive(programmes):
            return None if subject.live_programmes is None else bool(programmes & subject.live_programmes)
        case ReceivedWithin(programme, months):
            if subject.received is None:
                return None
            last = subject.received.get(programme)
            return last is not None and last >= months_before(as_of, months)
        case PaidFor(kind, key):
            return None if subject.paid_for is None else (kind, key) in subject.paid_for


def months_before(day: date, months: int) -> date:
    """The same day so many months earlier; the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    for last in range(day.day, 27, -1):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    return date(year, month + 1, day.day)


_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}


def _compare(expr: Compare, value: Any, as_of: date) -> Truth:
    if value is None:
        return None
    match expr.op:
        case "between":
            low, high = expr.value
            return bool(low <= value <= high)
        case "in":
            return value in expr.value
        case "overlaps":
            return not expr.value.isdisjoint(value)
        case "region_in":
            return any(value == p or str(value).startswith(p + ".") for p in expr.value)
        case "age_ge":
            return bool(value <= months_before(as_of, 12 * expr.value))
        case "age_lt":
            return bool(value > months_before(as_of, 12 * expr.value))
        case "within_days":
            return bool(as_of - timedelta(days=expr.value) <= value <= as_of)
        case _:
            return _ORDER[expr.op](value, expr.value)


def _count(part: Expr, op: str, n: int, family: Sequence[Facts] | None, as_of: date) -> Truth:
    """Unknown members may count or not: the answer is known only when both readings agree."""
    if family is None:
        return None
    results = [holds(part, Subject(m), as_of) for m in family]
    low, high = results.count(True), len(results) - results.count(False)
    readings = {_ORDER[op](c, n) for c in range(low, high + 1)}
    return readings.pop() if len(readings) == 1 else None


def _all(results: Sequence[Truth]) -> Truth:
    if any(r is False for r in results):
        return False
    return None if any(r is None for r in results) else True


def _any(results: Sequence[Truth]) -> Truth:
    if any(r is True for r in results):
        return True
    return None if any(r is None for r in results) else False


def _reason(criterion: Criterion, subject: Subject, result: Truth) -> str:
    """The criterion's own code, or another that the rule names for this value or for a missing one."""
    why = dict(criterion.why)
    if result is None:
        return why.get("unknown", criterion.code)
    for fact in facts_of(criterion.expr):
        value = subject.facts.get(fact)
        if isinstance(value, str) and value in why:
            return why[value]
    return criterion.code
