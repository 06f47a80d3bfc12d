"""Payee accounts: captured, checked by the bank, and replaced only by two people, with a day before money follows.

A wrong account is how aid is stolen; whoever captured one never says that it is right.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from kit.machine import SYSTEM, Context, Guard, Move, Reason, Refusal, find

COOL_DOWN = timedelta(days=1)
"""Time between a changed default account and the first money to it, so that the owner can protest."""


class State(StrEnum):
    CAPTURED = "captured"  # written down
    OPENING = "opening"  # the bank opens it (BUREKOL)
    ACTIVE = "active"  # money can go there
    REJECTED = "rejected"  # the bank says no: name or number
    DORMANT = "dormant"  # asleep at the bank
    CLOSED = "closed"
    BLOCKED = "blocked"
    SUPERSEDED = "superseded"  # another account took its place


class NameMatch(StrEnum):
    """How the bank's holder fits the person's name."""

    EXACT = "exact"
    CLOSE = "close"
    MISMATCH = "mismatch"
    UNKNOWN = "unknown"


LIVE: tuple[State, ...] = tuple(state for state in State if state is not State.SUPERSEDED)
_USABLE: tuple[State, ...] = (State.CAPTURED, State.OPENING, State.ACTIVE)


@dataclass(frozen=True, slots=True)
class Account:
    state: State
    captured_by: str
    is_default: bool = False
    name_match: NameMatch = NameMatch.UNKNOWN
    reason: str | None = None
    usable_from: datetime | None = None
    replacement_id: UUID | None = None
    replacement_by: str | None = None


@dataclass(frozen=True, slots=True)
class Capture:
    """Write down an account. `has_default`: the person has one already; the first becomes the default."""

    has_default: bool
    known: bool = False


@dataclass(frozen=True, slots=True)
class RecordCheck:
    """What the bank or Pos says: the state of the account and how the name fits."""

    outcome: State
    name_match: NameMatch
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ProposeReplacement:
    """Ask that another account takes this one's place, with a document."""

    replacement_id: UUID
    replacement_state: State
    document_id: UUID | None


@dataclass(frozen=True, slots=True)
class ConfirmReplacement:
    """A second person agrees."""

    replacement_state: State


@dataclass(frozen=True, slots=True)
class TakeOver:
    """Become the default in place of another account."""


Command = Capture | RecordCheck | ProposeReplacement | ConfirmReplacement | TakeOver


def not_known_yet(_: Account | None, command: Capture, __: Context) -> Reason | None:
    """The person has not this very account already."""
    return Reason("rekening_sudah_ada") if command.known else None


def checked_by_another(account: Account, _: RecordCheck, ctx: Context) -> Reason | None:
    """Who captured an account never says that it is right."""
    return Reason("pencatat_memeriksa") if account.captured_by == ctx.actor else None


def outcome_is_an_answer(_: Account, command: RecordCheck, __: Context) -> Reason | None:
    """A check ends in a state that a bank can report."""
    return Reason("hasil_cek_tidak_dikenal") if command.outcome in (State.CAPTURED, State.SUPERSEDED) else None


def name_fits_if_active(_: Account, command: RecordCheck, __: Context) -> Reason | None:
    """No account becomes active under another's name."""
    active, wrong = command.outcome is State.ACTIVE, command.name_match is NameMatch.MISMATCH
    return Reason("nama_tidak_cocok") if active and wrong else None


def it_is_the_default(account: Account, _: Command, __: Context) -> Reason | None:
    """Only the account that money goes to is replaced."""
    return None if account.is_default else Reason("bukan_rekening_utama")


def document_is_there(_: Account, command: ProposeReplacement, __: Context) -> Reason | None:
    """A change rests on a document (passbook, letter)."""
    return None if command.document_id is not None else Reason.of("dokumen_wajib", doc="rekening")


def replacement_is_usable(_: Account, command: ProposeReplacement | ConfirmReplacement, __: Context) -> Reason | None:
    """Nobody moves money to an account that the bank refused or closed."""
    return None if command.replacement_state in _USABLE else Reason("rekening_pengganti_tidak_layak")


def proposed_by_another(account: Account, _: ConfirmReplacement, ctx: Context) -> Reason | None:
    """The change of a default account takes two people."""
    if account.replacement_by is None:
        return Reason("usul_pengganti_belum_ada")
    return Reason("pengusul_memutuskan") if account.replacement_by == ctx.actor else None


CAPTURERS = frozenset({"op_desa", "op_kab", "verifikator", SYSTEM})
CHECKERS = frozenset({"verifikator", SYSTEM})
PROPOSERS = frozenset({"op_desa", "verifikator"})
VERIFIER = frozenset({"verifikator"})


def says(outcome: State) -> Guard:
    """The check reports this very state."""

    def reported(_: Account, command: RecordCheck, __: Context) -> Reason | None:
        return None if command.outcome is outcome else Reason("hasil_cek_lain")

    return reported


_ANSWERS: tuple[tuple[State, str], ...] = (
    (State.ACTIVE, "payee_account.changed"),
    (State.OPENING, "payee_account.changed"),
    (State.REJECTED, "payee_account.rejected"),
    (State.DORMANT, "payee_account.rejected"),
    (State.CLOSED, "payee_account.rejected"),
    (State.BLOCKED, "payee_account.rejected"),
)
_CHECK = (outcome_is_an_answer, name_fits_if_active, checked_by_another)
_PROPOSE = (it_is_the_default, document_is_there, replacement_is_usable)
_CONFIRM = (it_is_the_default, proposed_by_another, replacement_is_usable)

MOVES: tuple[Move[State], ...] = (
    Move(None, Capture, State.CAPTURED, CAPTURERS, (not_known_yet,), "payee_account.changed"),
    *(
        Move(source, RecordCheck, target, CHECKERS, (*_CHECK, says(target)), event)
        for source in LIVE
        for target, event in _ANSWERS
    ),
    *(Move(source, ProposeReplacement, source, PROPOSERS, _PROPOSE) for source in LIVE),
    *(Move(source, ConfirmReplacement, State.SUPERSEDED, VERIFIER, _CONFIRM) for source in LIVE),
    *(Move(source, TakeOver, source, VERIFIER, (), "payee_account.changed") for source in _USABLE),
)


def decide(account: Account | None, command: Command, ctx: Context) -> tuple[Account, str | None] | Refusal:
    """The account after the command and the event that tells of it, or the refusal."""
    match find(MOVES, None if account is None else account.state, command, account, ctx):
        case Refusal() as refusal:
            telling = tuple(r for r in refusal.reasons if r.code != "hasil_cek_lain")
            return Refusal(refusal.kind, telling or refusal.reasons)
        case Move(target=target, event=event):
            return _after(account, command, ctx, target), event


def _after(account: Account | None, command: Command, ctx: Context, target: State) -> Account:
    if account is None:
        assert isinstance(command, Capture)  # noqa: S101 - the table has no other birth
        return Account(target, ctx.actor, is_default=not command.has_default)
    account = replace(account, state=target)
    match command:
        case RecordCheck(name_match=name_match, reason=reason):
            return replace(account, name_match=name_match, reason=reason)
        case ProposeReplacement(replacement_id=replacement_id):
            return replace(account, replacement_id=replacement_id, replacement_by=ctx.actor)
        case ConfirmReplacement():
            return replace(account, is_default=False)
        case TakeOver():
            return replace(account, is_default=True, usable_from=ctx.now + COOL_DOWN)
        case _:
            return account
