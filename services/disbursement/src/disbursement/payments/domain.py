"""Payment line (baris pembayaran): what may happen to one payment between the frozen list and its end.

A line is one payee and one amount in one batch; it pays one or more rights. Its attempts live in `attempts`.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from kit.machine import SYSTEM, Context, Move, Reason, Refusal, find

REPAIR_WORKING_DAYS = 7
COOL_DOWN = timedelta(days=1)
GIVE_UP_AFTER_DAYS = 60


class State(StrEnum):
    FROZEN = "frozen"  # on the list; its rights can be paid nowhere else
    READY = "ready"  # passed gate F
    IN_FLIGHT = "in_flight"  # the bank has it
    SETTLED = "settled"  # the money has arrived
    REPAIR = "repair"  # came back: the citizen and the village office mend the account
    BLOCKED = "blocked"  # the bank holds it, neither posted nor returned
    REMOVED = "removed"  # taken out before it was sent
    REDEPOSITED = "redeposited"  # given up: the money went back to the treasury


@dataclass(frozen=True, slots=True)
class Line:
    """The line as far as its moves depend on it."""

    state: State
    repair_since: date | None = None
    fixed_by: str | None = None
    fixed_person_id: UUID | None = None
    confirmed_by: str | None = None
    confirmed_at: datetime | None = None
    reissue_asked_by: str | None = None
    reissue_agreed_by: str | None = None
    recalled: bool = False
    has_open_attempt: bool = False
    funds_present: bool = True
    gate_reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pass:
    """Gate F found nothing against the line."""


@dataclass(frozen=True, slots=True)
class Remove:
    """Take the line out; its rights are due or held again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Send:
    """The bank has the file with the line."""


@dataclass(frozen=True, slots=True)
class Settle:
    """Booking evidence: the money is on the account of the payee."""


@dataclass(frozen=True, slots=True)
class Reject:
    """The bank refused before booking (tolak)."""


@dataclass(frozen=True, slots=True)
class ReturnMoney:
    """The money came back after booking (retur)."""


@dataclass(frozen=True, slots=True)
class Block:
    """The bank holds the money."""


@dataclass(frozen=True, slots=True)
class NotCollected:
    """The window at the counter is over and nobody came."""


@dataclass(frozen=True, slots=True)
class FixPayee:
    """The village office puts the account in order with papers: SPTJM, letter, passbook."""

    documents: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class ConfirmFix:
    """A second person has compared the papers and agrees."""

    account_state: str
    name_match: str


@dataclass(frozen=True, slots=True)
class AskReissue:
    """The reconciliation officer asks for a new payment."""


@dataclass(frozen=True, slots=True)
class AgreeReissue:
    """The head of division agrees to it."""


@dataclass(frozen=True, slots=True)
class Reissue:
    """A new attempt with a new reference goes out; the right stays one."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The money goes back to the treasury (STS)."""

    reason: str
    year_end: bool = False


@dataclass(frozen=True, slots=True)
class Recall:
    """Ask the bank by letter to fetch the money back."""


Command = (
    Pass | Remove | Send | Settle | Reject | ReturnMoney | Block | NotCollected | FixPayee | ConfirmFix | AskReissue
    | AgreeReissue | Reissue | GiveUp | Recall
)  # fmt: skip


def documents_are_given(_: Line, command: FixPayee, __: Context) -> Reason | None:
    """An account is changed on paper, not on a word."""
    return None if command.documents else Reason.of("dokumen_kurang", list="rekening")


def a_fix_is_recorded(line: Line, _: Command, __: Context) -> Reason | None:
    """There is something to confirm."""
    return None if line.fixed_by else Reason("perbaikan_belum_ada")


def another_person_confirms(line: Line, _: ConfirmFix, ctx: Context) -> Reason | None:
    """Who mended the account does not confirm it, by account and by person."""
    same = ctx.actor == line.fixed_by or (ctx.person_id is not None and ctx.person_id == line.fixed_person_id)
    return Reason("pemisahan_tugas") if same else None


def account_is_usable(_: Line, command: ConfirmFix, __: Context) -> Reason | None:
    """The account is active and the holder's name is the payee's, exactly or closely."""
    usable = command.account_state == "active" and command.name_match in ("exact", "close")
    return None if usable else Reason("rekening_belum_aktif")


def fix_is_confirmed(line: Line, _: Command, __: Context) -> Reason | None:
    """Two people have seen the papers."""
    return None if line.confirmed_at else Reason("perbaikan_belum_disetujui")


def cool_down_is_over(line: Line, _: Command, ctx: Context) -> Reason | None:
    """A changed account rests for a day, so that a wrong change can be noticed."""
    if line.confirmed_at is None or ctx.now >= line.confirmed_at + COOL_DOWN:
        return None
    return Reason.of("masa_tunggu_rekening", datetime=(line.confirmed_at + COOL_DOWN).isoformat(timespec="minutes"))


def no_attempt_is_open(line: Line, _: Command, __: Context) -> Reason | None:
    """While the fate of one attempt is not known there is no second one."""
    return Reason("percobaan_masih_terbuka") if line.has_open_attempt else None


def another_person_than_who_asked(line: Line, _: AgreeReissue, ctx: Context) -> Reason | None:
    """Asking and agreeing are two people's work."""
    if line.reissue_asked_by is None:
        return Reason("belum_diminta")
    return Reason("pemisahan_tugas") if ctx.actor == line.reissue_asked_by else None


def reissue_is_agreed(line: Line, _: Reissue, ctx: Context) -> Reason | None:
    """The officer asked, the head of division agreed, a third sends."""
    if line.reissue_agreed_by is None:
        return Reason("terbit_ulang_belum_disetujui")
    return Reason("pemisahan_tugas") if ctx.actor in (line.reissue_asked_by, line.reissue_agreed_by) else None


def funds_are_still_there(line: Line, _: Reissue, __: Context) -> Reason | None:
    """The returned money is on the distribution account; otherwise it needs a new SP2D or arrears."""
    return None if line.funds_present else Reason("dana_sudah_kembali")


def gate_p_is_open(line: Line, _: Reissue, __: Context) -> Reason | None:
    """The registry was asked again today."""
    return Reason.of("gerbang_menolak", checks=",".join(line.gate_reasons)) if line.gate_reasons else None


def time_is_up(line: Line, command: GiveUp, ctx: Context) -> Reason | None:
    """Sixty days of trying, or the end of the budget year."""
    if command.year_end or line.repair_since is None:
        return None
    until = line.repair_since + timedelta(days=GIVE_UP_AFTER_DAYS)
    return None if ctx.today >= until else Reason.of("belum_waktunya_setor", date=until.isoformat())


def _by(*roles: str) -> frozenset[str]:
    return frozenset(roles)


SYS = _by(SYSTEM)
BANK = _by(SYSTEM, "recon_officer")
"""A result file speaks: applied by the reconciliation officer, or by the system on evidence."""
S = State

MOVES: tuple[Move[State], ...] = (
    Move(S.FROZEN, Pass, S.READY, SYS),
    Move(S.FROZEN, Remove, S.REMOVED, SYS | _by("kabid"), (), "payment.removed"),
    Move(S.READY, Remove, S.REMOVED, SYS | _by("kabid"), (), "payment.removed"),
    Move(S.READY, Send, S.IN_FLIGHT, SYS | _by("exporter"), (), "payment.sent"),
    Move(S.IN_FLIGHT, Settle, S.SETTLED, BANK, (), "payment.settled"),
    Move(S.IN_FLIGHT, Reject, S.REPAIR, BANK, (), "payment.rejected"),
    Move(S.IN_FLIGHT, ReturnMoney, S.REPAIR, BANK, (), "payment.returned"),
    Move(S.IN_FLIGHT, Block, S.BLOCKED, BANK, (), "payment.blocked"),
    Move(S.IN_FLIGHT, NotCollected, S.REPAIR, BANK, (), "payment.unclaimed"),
    Move(S.BLOCKED, Settle, S.SETTLED, BANK, (), "payment.settled"),
    Move(S.BLOCKED, Reject, S.REPAIR, BANK, (), "payment.rejected"),
    Move(S.BLOCKED, ReturnMoney, S.REPAIR, BANK, (), "payment.returned"),
    Move(S.SETTLED, ReturnMoney, S.REPAIR, BANK, (), "payment.returned"),
    Move(S.REPAIR, Settle, S.SETTLED, BANK, (), "payment.settled"),
    Move(S.REPAIR, FixPayee, S.REPAIR, _by("op_desa"), (documents_are_given, no_attempt_is_open)),
    Move(
        S.REPAIR, ConfirmFix, S.REPAIR, _by("verifikator", "kabid", "recon_officer"),
        (a_fix_is_recorded, another_person_confirms, account_is_usable), "payment.repaired",
    ),
    Move(S.REPAIR, AskReissue, S.REPAIR, _by("recon_officer"), (fix_is_confirmed, cool_down_is_over, no_attempt_is_open)),
    Move(S.REPAIR, AgreeReissue, S.REPAIR, _by("kabid"), (fix_is_confirmed, another_person_than_who_asked)),
    Move(
        S.REPAIR, Reissue, S.IN_FLIGHT, _by("exporter"),
        (reissue_is_agreed, cool_down_is_over, no_attempt_is_open, funds_are_still_there, gate_p_is_open),
        "payment.reissued",
    ),
    Move(S.REPAIR, GiveUp, S.REDEPOSITED, _by("kadis"), (time_is_up, no_attempt_is_open), "payment.redeposited"),
    *(
        Move(s, Recall, s, _by("recon_officer"), (), "payment.recall_requested")
        for s in (S.IN_FLIGHT, S.BLOCKED, S.SETTLED)
    ),
)  # fmt: skip
"""A settled report after a rejected one of the same attempt leads out of repair: the bank did pay. Blocked money is given
up only after the bank has given it back (recall), since until then it is not ours to put back."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The line after the command, and the event that tells of it."""

    line: Line
    event: str | None


def decide(line: Line, command: Command, ctx: Context) -> Decision | Refusal:
    """The line after the command, or the refusal with every reason."""
    match find(MOVES, line.state, command, line, ctx):
        case Refusal() as refusal:
            return refusal
        case Move(target=target, event=event):
            return Decision(_after(replace(line, state=target), command, ctx), event)


def _after(line: Line, command: Command, ctx: Context) -> Line:
    """What a command leaves in the line beside its state."""
    match command:
        case Reject() | ReturnMoney() | NotCollected():
            return replace(_unmended(line), repair_since=ctx.today)
        case FixPayee():
            return replace(_unmended(line), fixed_by=ctx.actor, fixed_person_id=ctx.person_id)
        case ConfirmFix():
            return replace(line, confirmed_by=ctx.actor, confirmed_at=ctx.now)
        case AskReissue():
            return replace(line, reissue_asked_by=ctx.actor, reissue_agreed_by=None)
        case AgreeReissue():
            return replace(line, reissue_agreed_by=ctx.actor)
        case Recall():
            return replace(line, recalled=True)
        case _:
            return line


def _unmended(line: Line) -> Line:
    """A new return, or a new fix, begins the two people's work again."""
    return replace(
        line, fixed_by=None, fixed_person_id=None, confirmed_by=None, confirmed_at=None,
        reissue_asked_by=None, reissue_agreed_by=None,
    )  # fmt: skip


def sources(command: type, role: str = SYSTEM) -> tuple[State, ...]:
    """The states that a set-based command may start from: the SQL predicate of the same table (K13)."""
    return tuple(m.source for m in MOVES if m.command is command and m.source is not None and role in m.roles)


def working_days_after(start: date, days: int, holidays: frozenset[date] = frozenset()) -> date:
    """The working day that lies `days` working days after `start`; the first one counted is the day after it."""
    day = start
    while days > 0:
        day += timedelta(days=1)
        if day.weekday() < 5 and day not in holidays:
            days -= 1
    return day
