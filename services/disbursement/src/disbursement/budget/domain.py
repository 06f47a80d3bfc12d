"""Budget line (rekening anggaran): from the DPA to the last day of the year. Amounts move in the ledger, not here."""

from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from kit.machine import SYSTEM, Context, Move, Reason, Refusal, find

LOW_PERCENT = 10


class State(StrEnum):
    DRAFT = "draft"
    OPEN = "open"  # money may be promised
    FROZEN = "frozen"  # audit, or a shift in progress: nothing new is promised
    CLOSED = "closed"  # 31 December


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """The line as far as its moves depend on it. Amounts in whole rupiah."""

    state: State | None
    pagu_idr: int = 0
    available_idr: int = 0
    promised_idr: int = 0


@dataclass(frozen=True, slots=True)
class NewLine:
    """A line of the DPA as entered."""

    fiscal_year: int
    unit: str
    programme_code: str
    activity_code: str
    sub_activity_code: str
    account_code: str
    funding_source: str
    pagu_idr: int
    id: UUID | None = None
    client_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """Enter a line of the DPA."""

    pagu_idr: int


@dataclass(frozen=True, slots=True)
class Open:
    """The DPA is in force: the ceiling may be used."""


@dataclass(frozen=True, slots=True)
class Revise:
    """Shift or change of the budget (pergeseran, perubahan): the ceiling rises or falls by the difference."""

    difference_idr: int


@dataclass(frozen=True, slots=True)
class Freeze:
    """Nothing new is promised for a while."""


@dataclass(frozen=True, slots=True)
class Thaw:
    """The line is open again."""


@dataclass(frozen=True, slots=True)
class Close:
    """The year is over: what is left lapses."""


Command = Draft | Open | Revise | Freeze | Thaw | Close


def the_rest_covers_the_cut(line: BudgetLine, command: Revise, _: Context) -> Reason | None:
    """What is promised cannot be cut away."""
    short = -command.difference_idr - line.available_idr
    return Reason.of("pagu_tidak_cukup", short_idr=short) if short > 0 else None


def the_difference_is_not_zero(_: BudgetLine, command: Revise, __: Context) -> Reason | None:
    """A revision changes something."""
    return None if command.difference_idr else Reason("nilai_tidak_sah")


def nothing_is_on_its_way(line: BudgetLine, _: Close, __: Context) -> Reason | None:
    """Commitments and orders are paid or cancelled before the line closes."""
    return Reason.of("komitmen_belum_selesai", promised_idr=line.promised_idr) if line.promised_idr else None


TREASURER = frozenset({"bendahara", "bpkad"})
HEAD = frozenset({"kadis", "bpkad"})
S = State

MOVES: tuple[Move[State], ...] = (
    Move(None, Draft, S.DRAFT, TREASURER),
    Move(S.DRAFT, Open, S.OPEN, HEAD, (), "budget_line.opened"),
    Move(S.OPEN, Revise, S.OPEN, HEAD, (the_difference_is_not_zero, the_rest_covers_the_cut), "budget_line.revised"),
    Move(
        S.FROZEN, Revise, S.FROZEN, HEAD, (the_difference_is_not_zero, the_rest_covers_the_cut), "budget_line.revised"
    ),
    Move(S.OPEN, Freeze, S.FROZEN, HEAD),
    Move(S.FROZEN, Thaw, S.OPEN, HEAD),
    Move(S.OPEN, Close, S.CLOSED, HEAD | {SYSTEM}, (nothing_is_on_its_way,), "budget_line.closed"),
    Move(S.FROZEN, Close, S.CLOSED, HEAD | {SYSTEM}, (nothing_is_on_its_way,), "budget_line.closed"),
)


@dataclass(frozen=True, slots=True)
class Decision:
    """The line after the command, and the event that tells of it."""

    line: BudgetLine
    event: str | None


def decide(line: BudgetLine, command: Command, ctx: Context) -> Decision | Refusal:
    """The line after the command, or the refusal with every reason."""
    match find(MOVES, line.state, command, line, ctx):
        case Refusal() as refusal:
            return refusal
        case Move(target=target, event=event):
            after = replace(line, state=target)
            match command:
                case Draft(pagu_idr=pagu):
                    after = replace(after, pagu_idr=pagu)
                case Revise(difference_idr=difference):
                    after = replace(
                        after, pagu_idr=line.pagu_idr + difference, available_idr=line.available_idr + difference
                    )
                case _:
                    pass
            return Decision(after, event)


def is_low(pagu_idr: int, available_idr: int) -> bool:
    """Less than a tenth of the ceiling is left."""
    return available_idr * 100 < pagu_idr * LOW_PERCENT
