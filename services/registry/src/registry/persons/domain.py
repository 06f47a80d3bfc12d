"""Persons: who may register one, how a name, birth date or sex is corrected, and when personal data are destroyed."""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from uuid import UUID

from kit.machine import SYSTEM, Context, Move, Reason, Refusal, find

DUPLICATE_SCORE = 920
"""Likeness in thousandths from which somebody already here counts as alike (registry_disbursement.md 1.3)."""


RETENTION_YEARS = 10
"""Years that data of somebody who was given public money are kept after their death: as documents of finance (UU 8/1997
art. 11)."""


class Basis(StrEnum):
    """Why personal data are destroyed (UU 27/2022 art. 43, 44)."""

    RETENTION = "retention_over"  # masa simpan berakhir
    REQUEST = "request"  # permintaan subjek data
    ORDER = "order"  # perintah hukum


class State(StrEnum):
    ACTIVE = "active"
    MERGED_AWAY = "merged_away"  # the same person stands under another row
    VOID = "void"  # entered by mistake
    ERASED = "erased"  # personal data destroyed after retention


@dataclass(frozen=True, slots=True)
class Person:
    state: State
    correction_by: str | None = None
    erasure: Basis | None = None
    erasure_by: str | None = None


@dataclass(frozen=True, slots=True)
class Register:
    """Register a person, with or without a NIK. `alike`: how many here are so similar that a reason is needed."""

    alike: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ProposeCorrection:
    """Propose another name, birth date or sex."""

    document_id: UUID | None


@dataclass(frozen=True, slots=True)
class Correct:
    """Apply what was proposed."""


@dataclass(frozen=True, slots=True)
class OrderErasure:
    """Order that personal data be destroyed (perintah penghapusan)."""

    basis: Basis
    document_id: UUID | None


@dataclass(frozen=True, slots=True)
class Erase:
    """Destroy them. `life` and `died_on` are what is known of the person."""

    life: str
    died_on: date | None


Command = Register | ProposeCorrection | Correct | OrderErasure | Erase


def nobody_like_this_or_a_reason(_: Person | None, command: Register, __: Context) -> Reason | None:
    """A very similar person here needs a word why this is another."""
    return Reason.of("calon_ganda", n=command.alike) if command.alike and not command.reason else None


def document_is_there(_: Person, command: ProposeCorrection, __: Context) -> Reason | None:
    """A correction rests on a document or an answer of Dukcapil."""
    return None if command.document_id is not None else Reason.of("dokumen_wajib", doc="pendukung")


def proposed_by_another(person: Person, _: Correct, ctx: Context) -> Reason | None:
    """Who proposes a correction does not apply it."""
    if person.correction_by is None:
        return Reason("usul_perbaikan_belum_ada")
    return Reason("pengusul_memutuskan") if person.correction_by == ctx.actor else None


def order_is_documented(_: Person, command: OrderErasure, __: Context) -> Reason | None:
    """A request or an order is a document; that the time is over shows by itself."""
    bare = command.basis is not Basis.RETENTION and command.document_id is None
    return Reason.of("dokumen_wajib", doc="dasar-penghapusan") if bare else None


def ordered_by_another(person: Person, _: Erase, ctx: Context) -> Reason | None:
    """Who orders an erasure does not carry it out."""
    if person.erasure_by is None:
        return Reason("penghapusan_belum_diperintahkan")
    return Reason("pengusul_memutuskan") if person.erasure_by == ctx.actor else None


def no_death_is_open(_: Person, command: Erase, __: Context) -> Reason | None:
    """Somebody whose death is reported and not decided is a case that is still open."""
    return Reason("wafat_belum_diputus") if command.life == "death_reported" else None


def time_is_over(person: Person, command: Erase, ctx: Context) -> Reason | None:
    """Without a request or an order, ten years have passed since the death."""
    if person.erasure is not Basis.RETENTION:
        return None
    if command.life != "dead" or command.died_on is None:
        return Reason("masa_simpan_belum_berakhir")
    years = ctx.today.year - command.died_on.year
    before = (ctx.today.month, ctx.today.day) < (command.died_on.month, command.died_on.day)
    return Reason("masa_simpan_belum_berakhir") if years - before < RETENTION_YEARS else None


REGISTRARS = frozenset({"op_desa", "op_kec", "op_kab", "petugas", "trc", "rps_admin", "verifikator", SYSTEM})
CLERKS = frozenset({"op_desa", "op_kec", "op_kab", "petugas", "verifikator"})
VERIFIER = frozenset({"verifikator"})
PROTECTOR = frozenset({"dpo"})
HEAD = frozenset({"kadis"})
_A = State.ACTIVE

MOVES: tuple[Move[State], ...] = (
    Move(None, Register, _A, REGISTRARS, (nobody_like_this_or_a_reason,), "person.registered"),
    Move(_A, ProposeCorrection, _A, CLERKS, (document_is_there,)),
    Move(_A, Correct, _A, VERIFIER, (proposed_by_another,), "person.facts_changed"),
    Move(_A, OrderErasure, _A, PROTECTOR, (order_is_documented,)),
    Move(_A, Erase, State.ERASED, HEAD, (ordered_by_another, no_death_is_open, time_is_over), "person.erased"),
)


def decide(person: Person | None, command: Command, ctx: Context) -> tuple[Person, str | None] | Refusal:
    """The person after the command and the event that tells of it, or the refusal."""
    match find(MOVES, None if person is None else person.state, command, person, ctx):
        case Refusal() as refusal:
            return refusal
        case Move(target=target, event=event):
            after = replace(person or Person(target), state=target)
            match command:
                case ProposeCorrection():
                    after = replace(after, correction_by=ctx.actor)
                case Correct():
                    after = replace(after, correction_by=None)
                case OrderErasure(basis=basis):
                    after = replace(after, erasure=basis, erasure_by=ctx.actor)
            return after, event
