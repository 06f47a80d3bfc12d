"""Recovery (penagihan kembali): money paid that was not owed, found, told, and heard. The poor hear of it first.

It goes as far as the notice and its answer; instalments and offsets come with the money side.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from kit.machine import SYSTEM, Context, Move, Reason, Refusal, find

OBJECTION_DAYS = 14


class State(StrEnum):
    FOUND = "found"
    NOTIFIED = "notified"  # the person was told, and may object until a day
    CONTESTED = "contested"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Recovery:
    state: State
    amount_idr: int
    found_by: str | None = None
    objection_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Find:
    """`paid_idr` is what was really paid; a recovery never exceeds it."""

    cause: str
    amount_idr: int
    paid_idr: int


@dataclass(frozen=True, slots=True)
class Notify:
    pass


@dataclass(frozen=True, slots=True)
class Contest:
    pass


@dataclass(frozen=True, slots=True)
class Decide:
    """Hear the objection: the claim for the money stands, or it is dropped."""

    stands: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Drop:
    """The cause is gone, for example the death turned out to be true after all."""

    reason: str


Command = Find | Notify | Contest | Decide | Drop


def no_more_than_was_paid(_: Recovery, command: Find, __: Context) -> Reason | None:
    """Nobody is asked for more than they were paid."""
    return None if 0 < command.amount_idr <= command.paid_idr else Reason("melebihi_yang_dibayar")


def another_person_than_the_finder(recovery: Recovery, _: Notify, ctx: Context) -> Reason | None:
    """Who found it does not send the letter."""
    return Reason("penemu_memutuskan") if ctx.actor == recovery.found_by else None


def before_objection_ends(recovery: Recovery, _: Contest, ctx: Context) -> Reason | None:
    """The objection comes before its last day ends."""
    open_ = recovery.objection_until is not None and ctx.now < recovery.objection_until
    return None if open_ else Reason("batas_keberatan")


def it_stands(_: Recovery, command: Decide, __: Context) -> Reason | None:
    """The objection was not followed."""
    return None if command.stands else Reason("keberatan_diterima")


def it_is_dropped(_: Recovery, command: Decide, __: Context) -> Reason | None:
    """The objection was followed."""
    return Reason("keberatan_ditolak") if command.stands else None


def a_reason_is_named(_: Recovery, command: Decide | Drop, __: Context) -> Reason | None:
    """A decision has a reason."""
    return None if command.reason else Reason("alasan_wajib")


KADIS = frozenset({"kadis"})
S = State
MOVES: tuple[Move[State], ...] = (
    Move(None, Find, S.FOUND, frozenset({SYSTEM, "inspektorat"}), (no_more_than_was_paid,), "recovery.found"),
    Move(S.FOUND, Notify, S.NOTIFIED, frozenset({"kabid"}), (another_person_than_the_finder,), "recovery.notified"),
    Move(S.NOTIFIED, Contest, S.CONTESTED, frozenset({"warga", "op_desa"}), (before_objection_ends,)),
    Move(S.CONTESTED, Decide, S.NOTIFIED, KADIS, (it_stands, a_reason_is_named), "recovery.decided"),
    Move(S.CONTESTED, Decide, S.CANCELLED, KADIS, (it_is_dropped, a_reason_is_named), "recovery.decided"),
    *(
        Move(s, Drop, S.CANCELLED, KADIS | {SYSTEM}, (a_reason_is_named,), "recovery.decided")
        for s in (S.FOUND, S.NOTIFIED)
    ),
)
COMMANDS: tuple[type, ...] = Command.__args__


def decide(recovery: Recovery, command: Command, ctx: Context) -> tuple[Recovery, str | None] | Refusal:
    """The recovery after the command and its event, or the refusal with every reason."""
    source = None if isinstance(command, Find) else recovery.state
    match find(MOVES, source, command, recovery, ctx):
        case Refusal() as refusal:
            return refusal
        case Move(target=target, event=event):
            changed = replace(recovery, state=target)
            if isinstance(command, Find):
                changed = replace(changed, amount_idr=command.amount_idr, found_by=ctx.actor)
            if isinstance(command, Notify):
                changed = replace(changed, objection_until=_objection_end(ctx.today))
            return changed, event


def _objection_end(today: date) -> datetime:
    end = datetime.combine(today + timedelta(days=OBJECTION_DAYS + 1), time.min, ZoneInfo("Asia/Jakarta"))
    return end.astimezone(UTC)
