"""Messages (pesan): what may happen to one from plan to proof, and who may make it happen.

One message is one event x recipient x template x channel. Nothing here knows a clock, a database or a provider: the
worker asks `decide`, makes the call outside of any transaction, and comes back with what it learned.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kit.machine import SYSTEM as SYSTEM_ROLE
from kit.machine import Context, Move, Reason, Refusal, find

from notifications.messages.states import FINAL, HORIZON, UNKNOWN_WAIT, Channel, Policy, State, wait


@dataclass(frozen=True, slots=True)
class Message:
    state: State
    channel: Channel
    policy: Policy
    expires_at: datetime
    attempts: int = 0
    allowance: int = 0
    """Attempts that may be made in all; a redrive adds a fresh round."""
    resends: int = 0
    next_at: datetime | None = None
    """When the clock acts on it again: end of deferral, of the wait, of the lease, of the receipt horizon."""
    code: str | None = None
    """The last reason, as a code."""

    @property
    def final(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self.state in FINAL


@dataclass(frozen=True, slots=True)
class Plan:
    channel: Channel
    policy: Policy
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Render:
    """The text was written without a gap."""


@dataclass(frozen=True, slots=True)
class FailRender:
    code: str


@dataclass(frozen=True, slots=True)
class Skip:
    code: str


@dataclass(frozen=True, slots=True)
class Suppress:
    code: str


@dataclass(frozen=True, slots=True)
class Queue:
    pass


@dataclass(frozen=True, slots=True)
class Defer:
    until: datetime
    code: str


@dataclass(frozen=True, slots=True)
class Wake:
    """The time of a deferral or of a retry has come."""


@dataclass(frozen=True, slots=True)
class Supersede:
    pass


@dataclass(frozen=True, slots=True)
class Cancel:
    code: str


@dataclass(frozen=True, slots=True)
class Expire:
    pass


@dataclass(frozen=True, slots=True)
class Claim:
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class Accept:
    attempt: int


@dataclass(frozen=True, slots=True)
class RefuseForNow:
    """The provider clearly did not take it and may take it later."""

    attempt: int
    code: str
    retry_after: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class RefuseForGood:
    attempt: int
    code: str


@dataclass(frozen=True, slots=True)
class LoseOutcome:
    """The call ended without an answer after bytes were sent, or the worker's lease ran out."""

    attempt: int
    code: str


@dataclass(frozen=True, slots=True)
class SettleUnknown:
    """The wait for an unknown outcome is over and nobody could tell."""


@dataclass(frozen=True, slots=True)
class ReportDelivered:
    attempt: int


@dataclass(frozen=True, slots=True)
class ReportFailed:
    attempt: int
    code: str


@dataclass(frozen=True, slots=True)
class ReportRefusedForNow:
    attempt: int
    code: str


@dataclass(frozen=True, slots=True)
class StopWaiting:
    """The receipt horizon of the channel has passed."""


@dataclass(frozen=True, slots=True)
class Redrive:
    """An officer has mended the cause and sends it again; `expires_at` gives it a new last moment."""

    code: str
    expires_at: datetime | None = None


Command = (
    Plan
    | Render
    | FailRender
    | Skip
    | Suppress
    | Queue
    | Defer
    | Wake
    | Supersede
    | Cancel
    | Expire
    | Claim
    | Accept
    | RefuseForNow
    | RefuseForGood
    | LoseOutcome
    | SettleUnknown
    | ReportDelivered
    | ReportFailed
    | ReportRefusedForNow
    | StopWaiting
    | Redrive
)


def the_time_has_come(message: Message, _: Command, ctx: Context) -> Reason | None:
    """Its next moment is not in the future."""
    return None if message.next_at is not None and message.next_at <= ctx.now else Reason("belum_waktunya")


def still_of_use(message: Message, command: Command, ctx: Context) -> Reason | None:
    """Its last moment has not passed, or the officer gave it a new one."""
    last = command.expires_at if isinstance(command, Redrive) and command.expires_at else message.expires_at
    return None if last > ctx.now else Reason("kedaluwarsa")


def past_its_last_moment(message: Message, _: Command, ctx: Context) -> Reason | None:
    """Only what is past its last moment expires."""
    return None if message.expires_at <= ctx.now else Reason("belum_waktunya")


def waits_for_the_morning(message: Message, command: Command, _: Context) -> Reason | None:
    """Urgent classes never wait for the morning; every class waits for the provider."""
    if isinstance(command, Defer) and command.code == "jam_tenang" and not message.policy.keeps_quiet:
        return Reason("kelas_tanpa_jam_tenang")
    return None


def attempts_are_left(message: Message, _: Command, __: Context) -> Reason | None:
    """The number of calls to a provider is bounded."""
    return None if message.attempts < message.allowance else Reason.of("percobaan_habis", attempts=message.attempts)


def the_attempt_is_the_current_one(message: Message, command: Command, _: Context) -> Reason | None:
    """Compare and set: a worker that lost its lease cannot speak for the attempt after its own."""
    attempt = getattr(command, "attempt", 0)
    return None if attempt == message.attempts else Reason.of("percobaan_lain", current=message.attempts)


def the_attempt_was_made(message: Message, command: Command, _: Context) -> Reason | None:
    """A receipt speaks of an attempt that exists."""
    return None if 1 <= getattr(command, "attempt", 0) <= message.attempts else Reason("percobaan_tidak_dikenal")


def a_resend_is_allowed(message: Message, _: Command, __: Context) -> Reason | None:
    """E-mail may repeat itself under the same Message-ID; the telephone rings once unless the class says so."""
    if message.channel is Channel.EMAIL or message.resends < message.policy.resends_unknown:
        return None
    return Reason("hasil_tidak_diketahui")


def not_a_mandatory_one(message: Message, command: Command, _: Context) -> Reason | None:
    """What the law says people must hear is not switched off by a preference, only by having no address."""
    if isinstance(command, Skip) and command.code == "preference" and message.policy.mandatory:
        return Reason("wajib_disampaikan")
    return None


S = State
SYSTEM = frozenset({SYSTEM_ROLE})
OFFICER = frozenset({"dinsos_operator", "kabid"})

_TIME = (the_time_has_come,)
_CURRENT = (the_attempt_is_the_current_one,)

_BEFORE_SENDING = (S.PLANNED, S.QUEUED, S.DEFERRED)
"""B.6 names queued and deferred; a planned message that waits for its day may be taken back too."""
_UNPROVEN = (
    S.QUEUED,
    S.DEFERRED,
    S.RETRY_WAIT,
    S.UNKNOWN,
    S.ACCEPTED,
    S.UNCONFIRMED,
    S.FAILED_PERMANENT,
    S.DEAD_LETTERED,
    S.SUPPRESSED,
    S.SKIPPED,
    S.SUPERSEDED,
    S.CANCELLED,
    S.EXPIRED,
)
"""States of rank below `delivered` that a message may have after an attempt. `sending` is not among them: a receipt
that overtakes the worker is parked until the outcome stands."""


def _moves() -> Iterator[Move[State]]:
    yield Move(None, Plan, S.PLANNED, SYSTEM, (), "planned")
    yield Move(S.PLANNED, Render, S.RENDERED, SYSTEM)
    yield Move(S.PLANNED, FailRender, S.RENDER_FAILED, SYSTEM, (), "render_failed")
    for source in (S.RENDERED, S.QUEUED):  # asked again at the moment of sending
        yield Move(source, Skip, S.SKIPPED, SYSTEM, (not_a_mandatory_one,), "skipped")
        yield Move(source, Suppress, S.SUPPRESSED, SYSTEM, (), "suppressed")
    yield Move(S.RENDERED, Queue, S.QUEUED, SYSTEM, (), "queued")
    yield Move(S.QUEUED, Defer, S.DEFERRED, SYSTEM, (waits_for_the_morning,), "deferred")
    yield Move(S.DEFERRED, Wake, S.QUEUED, SYSTEM, _TIME)
    for source in _BEFORE_SENDING:
        yield Move(source, Supersede, S.SUPERSEDED, SYSTEM, (), "superseded")
        yield Move(source, Cancel, S.CANCELLED, OFFICER, (), "cancelled")
    for source in (*_BEFORE_SENDING, S.RENDERED, S.RETRY_WAIT):
        yield Move(source, Expire, S.EXPIRED, SYSTEM, (past_its_last_moment,), "expired")
    yield Move(S.QUEUED, Claim, S.SENDING, SYSTEM, (attempts_are_left, still_of_use))
    for source in (S.SENDING, S.UNKNOWN):  # the worker that made the call, or the provider when asked later
        yield Move(source, Accept, S.ACCEPTED, SYSTEM, _CURRENT, "accepted")
        yield Move(source, RefuseForNow, S.RETRY_WAIT, SYSTEM, _CURRENT)
        yield Move(source, RefuseForGood, S.FAILED_PERMANENT, SYSTEM, _CURRENT, "failed")
    yield Move(S.SENDING, LoseOutcome, S.UNKNOWN, SYSTEM, _CURRENT, "outcome_unknown")
    resend = (the_time_has_come, a_resend_is_allowed, attempts_are_left, still_of_use)
    yield Move(S.UNKNOWN, SettleUnknown, S.QUEUED, SYSTEM, resend)
    yield Move(S.UNKNOWN, SettleUnknown, S.DEAD_LETTERED, SYSTEM, _TIME, "dead_lettered")
    for source in _UNPROVEN:
        yield Move(source, ReportDelivered, S.DELIVERED, SYSTEM, (the_attempt_was_made,), "delivered")
    for source in (S.UNKNOWN, S.ACCEPTED, S.UNCONFIRMED):
        yield Move(source, ReportFailed, S.FAILED_PERMANENT, SYSTEM, _CURRENT, "failed")
    for source in (S.UNKNOWN, S.ACCEPTED):
        yield Move(source, ReportRefusedForNow, S.RETRY_WAIT, SYSTEM, _CURRENT)
    yield Move(S.ACCEPTED, StopWaiting, S.UNCONFIRMED, SYSTEM, _TIME, "unconfirmed")
    yield Move(S.RETRY_WAIT, Wake, S.QUEUED, SYSTEM, (the_time_has_come, attempts_are_left))
    yield Move(S.RETRY_WAIT, Wake, S.DEAD_LETTERED, SYSTEM, _TIME, "dead_lettered")
    yield Move(S.DEAD_LETTERED, Redrive, S.QUEUED, OFFICER, (still_of_use,), "redriven")
    yield Move(S.RENDER_FAILED, Redrive, S.PLANNED, OFFICER, (still_of_use,), "redriven")


MOVES = tuple(_moves())


def decide(message: Message | None, command: Command, ctx: Context) -> tuple[Message, Move[State]] | Refusal:
    """The message after the command and the row of the table that allowed it, or the refusal with every reason."""
    move = find(MOVES, message.state if message else None, command, message, ctx)
    if isinstance(move, Refusal):
        return move
    if isinstance(command, Plan):
        return _planned(command), move
    assert message is not None  # noqa: S101 - only Plan starts from nothing
    return replace(_changed(message, command, move.target, ctx.now), state=move.target), move


def _planned(command: Plan) -> Message:
    return Message(S.PLANNED, command.channel, command.policy, command.expires_at, allowance=command.policy.attempts)


def _changed(message: Message, command: Command, target: State, now: datetime) -> Message:
    """The message with what the command brings; the state is set by the caller from the table."""
    clear = replace(message, next_at=None, code=getattr(command, "code", None))
    match command:
        case Claim(lease_until=until):
            return replace(clear, attempts=message.attempts + 1, next_at=until)
        case Accept():
            return replace(clear, next_at=now + HORIZON[message.channel])
        case Defer(until=until):
            return replace(clear, next_at=until)
        case RefuseForNow(retry_after=after):
            return replace(clear, next_at=now + wait(message.attempts, after))
        case ReportRefusedForNow():
            return replace(clear, next_at=now + wait(message.attempts, timedelta(0)))
        case LoseOutcome():
            return replace(clear, next_at=now + UNKNOWN_WAIT)
        case SettleUnknown() if target is S.QUEUED:
            return replace(clear, resends=message.resends + 1, code=message.code)
        case SettleUnknown() | Wake():
            return replace(clear, code=message.code)
        case Redrive(expires_at=last):
            allowance = message.attempts + message.policy.attempts
            return replace(clear, allowance=allowance, expires_at=last or message.expires_at)
        case _:
            return clear
