"""Rights (hak) and their cycles: which periods a right is due for, and how it moves between due and paid.

The set-based statements of `rights.store` take their source states from `MOVES` here, so that one table rules both.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from kit.machine import SYSTEM, Context, Move, Reason, Refusal, find


class State(StrEnum):
    PLANNED = "planned"  # of a period to come
    DUE = "due"  # waits for a batch
    HELD = "held"  # somebody must find something out first; it is not lost
    RESERVED = "reserved"  # in exactly one live batch
    PAID = "paid"
    COLLECTED = "collected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class FallDue:
    pass


@dataclass(frozen=True, slots=True)
class Hold:
    reason: str


@dataclass(frozen=True, slots=True)
class Release:
    pass


@dataclass(frozen=True, slots=True)
class Reserve:
    pass


@dataclass(frozen=True, slots=True)
class Settle:
    pass


@dataclass(frozen=True, slots=True)
class Free:
    pass


@dataclass(frozen=True, slots=True)
class Reopen:
    pass


@dataclass(frozen=True, slots=True)
class Cancel:
    reason: str


@dataclass(frozen=True, slots=True)
class Expire:
    pass


@dataclass(frozen=True, slots=True)
class Restore:
    """The ground of a cancelled right is gone: the holder is alive after all."""


@dataclass(frozen=True, slots=True)
class Right:
    """What the guards look at: the day from which the right may be paid."""

    due_on: date


def its_day_has_come(right: Right, _: object, ctx: Context) -> Reason | None:
    """The period of the right has begun; what was missed meanwhile is paid as arrears."""
    return None if right.due_on <= ctx.today else Reason("belum_jatuh_tempo")


def its_day_lies_ahead(right: Right, _: object, ctx: Context) -> Reason | None:
    """The right goes back to waiting for its period."""
    return Reason("sudah_jatuh_tempo") if right.due_on <= ctx.today else None


BY_RULE = frozenset({SYSTEM})
KABID_OR_RULE = frozenset({"kabid", SYSTEM})
S = State
MOVES: tuple[Move[State], ...] = (
    Move(S.PLANNED, FallDue, S.DUE, BY_RULE),
    *(Move(s, Hold, S.HELD, KABID_OR_RULE, (), "entitlement.held") for s in (S.PLANNED, S.DUE, S.RESERVED)),
    Move(S.HELD, Release, S.DUE, KABID_OR_RULE, (its_day_has_come,), "entitlement.released"),
    Move(S.HELD, Release, S.PLANNED, KABID_OR_RULE, (its_day_lies_ahead,), "entitlement.released"),
    Move(S.DUE, Reserve, S.RESERVED, BY_RULE),
    Move(S.RESERVED, Settle, S.PAID, BY_RULE, (), "entitlement.fulfilled"),
    Move(S.RESERVED, Free, S.DUE, BY_RULE),
    Move(S.PAID, Reopen, S.DUE, BY_RULE, (), "entitlement.reopened"),
    *(
        Move(s, Cancel, S.CANCELLED, frozenset({"kadis", SYSTEM}), (), "entitlement.cancelled")
        for s in (S.PLANNED, S.DUE, S.HELD)
    ),
    Move(S.CANCELLED, Restore, S.DUE, BY_RULE, (its_day_has_come,), "entitlement.released"),
    Move(S.CANCELLED, Restore, S.PLANNED, BY_RULE, (its_day_lies_ahead,), "entitlement.released"),
    Move(S.DUE, Expire, S.EXPIRED, BY_RULE, (), "entitlement.expired"),
)
COMMANDS: tuple[type, ...] = (FallDue, Hold, Release, Reserve, Settle, Free, Reopen, Cancel, Restore, Expire)
OPEN = (S.PLANNED, S.DUE, S.HELD, S.RESERVED)
"""States of a right that still can become money."""


def sources(command: type) -> tuple[str, ...]:
    """The states a set-based command takes rights from: the SQL predicate of K13, read from the table."""
    return tuple(dict.fromkeys(m.source.value for m in MOVES if m.command is command and m.source is not None))


def target(command: type) -> State:
    """The state that a command leads to; of a release the first, the store looks at the day itself."""
    return next(m.target for m in MOVES if m.command is command)


def event(command: type) -> str | None:
    """The event that tells of a command, or None when nobody acts on it."""
    return next(m.event for m in MOVES if m.command is command)


def may(command: type, ctx: Context) -> Refusal | None:
    """Whether one of the actor's roles may give this command at all; the states are the store's predicate."""
    if any(m.roles & ctx.roles for m in MOVES if m.command is command):
        return None
    return Refusal("role", (Reason("peran_tidak_berwenang"),))


class CycleState(StrEnum):
    """States of a cycle (putaran penyaluran): the rights of one programme and period."""

    DRAFT = "draft"
    GENERATED = "generated"
    APPROVED = "approved"
    PAYING = "paying"
    CLOSED = "closed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Cycle:
    state: CycleState
    generated_by: str | None = None
    count: int = 0
    sum_idr: int = 0


@dataclass(frozen=True, slots=True)
class Generate:
    """Make the rights of a period; control totals are what the enrolments and the rule give."""

    funded: bool
    rule_in_force: bool
    count: int
    sum_idr: int


@dataclass(frozen=True, slots=True)
class ApproveCycle:
    count: int
    sum_idr: int


@dataclass(frozen=True, slots=True)
class StartPaying:
    pass


@dataclass(frozen=True, slots=True)
class CloseCycle:
    open_rights: int = 0


@dataclass(frozen=True, slots=True)
class Discard:
    reason: str


def the_month_is_funded(_: Cycle, command: Generate, __: Context) -> Reason | None:
    """The budget of the year names this month."""
    return None if command.funded else Reason("bulan_tidak_didanai")


def a_rule_covers_the_period(_: Cycle, command: Generate, __: Context) -> Reason | None:
    """A rule version is in force on the day that counts."""
    return None if command.rule_in_force else Reason("aturan_belum_terbit")


def another_person_than_the_generator(cycle: Cycle, _: ApproveCycle, ctx: Context) -> Reason | None:
    """Who generated a cycle does not approve it."""
    return Reason("pembuat_memutuskan") if ctx.actor == cycle.generated_by else None


def the_control_totals_hold(cycle: Cycle, command: ApproveCycle, _: Context) -> Reason | None:
    """Count and sum are still those that were generated."""
    same = (command.count, command.sum_idr) == (cycle.count, cycle.sum_idr)
    return None if same else Reason("jumlah_kendali_berbeda")


def somebody_is_in_it(cycle: Cycle, _: ApproveCycle, __: Context) -> Reason | None:
    """An empty cycle is not approved."""
    return None if cycle.count else Reason("putaran_kosong")


def no_right_is_open(_: Cycle, command: CloseCycle, __: Context) -> Reason | None:
    """Every right of the cycle has its end."""
    return Reason.of("masih_ada_berkas", count=command.open_rights) if command.open_rights else None


C = CycleState
CYCLE_MOVES: tuple[Move[CycleState], ...] = (
    Move(
        C.DRAFT,
        Generate,
        C.GENERATED,
        frozenset({"program_manager", SYSTEM}),
        (the_month_is_funded, a_rule_covers_the_period),
        "cycle.generated",
    ),
    Move(
        C.GENERATED,
        ApproveCycle,
        C.APPROVED,
        frozenset({"kadis"}),
        (another_person_than_the_generator, the_control_totals_hold, somebody_is_in_it),
        "cycle.approved",
    ),
    Move(C.GENERATED, Discard, C.CANCELLED, frozenset({"program_manager", "kadis"})),
    Move(C.APPROVED, StartPaying, C.PAYING, BY_RULE),
    *(
        Move(s, CloseCycle, C.CLOSED, frozenset({"kadis", SYSTEM}), (no_right_is_open,), "cycle.closed")
        for s in (C.APPROVED, C.PAYING)
    ),
)


def decide_cycle(
    cycle: Cycle, command: Generate | ApproveCycle | StartPaying | CloseCycle | Discard, ctx: Context
) -> tuple[Cycle, str | None] | Refusal:
    """The cycle after the command and its event, or the refusal with every reason."""
    match find(CYCLE_MOVES, cycle.state, command, cycle, ctx):
        case Refusal() as refusal:
            return refusal
        case Move(target=state, event=event):
            changed = replace(cycle, state=state)
            if isinstance(command, Generate):
                changed = replace(changed, generated_by=ctx.actor, count=command.count, sum_idr=command.sum_idr)
            return changed, event


@dataclass(frozen=True, slots=True)
class Period:
    """A month (`2026-07`), a quarter (`2026-Q3`) or `once`; half-open days."""

    code: str
    starts_on: date
    ends_before: date

    def qualifying_day(self, basis: str) -> date:
        """The day on which the holder must be alive for the period to be owed; `pay_date` counts as its end."""
        return self.starts_on if basis == "period_start" else self.ends_before - timedelta(days=1)


def period(code: str) -> Period:
    """Read a period code; ValueError when it is none."""
    year, _, rest = code.partition("-")
    if len(year) != 4 or not year.isdigit():
        raise ValueError(code)
    if len(rest) == 2 and rest.isdigit():
        start = date(int(year), int(rest), 1)
        return Period(code, start, _plus_months(start, 1))
    if len(rest) == 2 and rest[0] == "Q" and rest[1] in "1234":
        start = date(int(year), 3 * int(rest[1]) - 2, 1)
        return Period(code, start, _plus_months(start, 3))
    raise ValueError(code)


def funded(span: Period, months: tuple[int, int]) -> bool:
    """Whether the budget of the year pays this period (S06: May to December)."""
    first, last = months
    return first <= span.starts_on.month and (span.ends_before - timedelta(days=1)).month <= last


def cancelled_by_death(periods: Iterable[str], died_on: date, basis: str) -> tuple[str, ...]:
    """The periods that are not owed after a death: those whose qualifying day lies after the day of death."""
    return tuple(code for code in periods if period(code).qualifying_day(basis) > died_on)


def _plus_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, 1)
