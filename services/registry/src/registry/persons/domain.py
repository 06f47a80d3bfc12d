"""Persons: who may register one, and how a name, birth date or sex is corrected (by two people, with a document)."""

from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from kit.machine import SYSTEM, Context, Move, Reason, Refusal, find

DUPLICATE_SCORE = 920
"""Likeness in thousandths from which somebody already here counts as alike (registry_disbursement.md 1.3)."""


class State(StrEnum):
    ACTIVE = "active"
    MERGED_AWAY = "merged_away"  # the same person stands under another row
    VOID = "void"  # entered by mistake
    ERASED = "erased"  # personal data destroyed after retention


@dataclass(frozen=True, slots=True)
class Person:
    state: State
    correction_by: str | None = None


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


Command = Register | ProposeCorrection | Correct


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


REGISTRARS = frozenset({"op_desa", "op_kec", "op_kab", "petugas", "trc", "rps_admin", "verifikator", SYSTEM})
CLERKS = frozenset({"op_desa", "op_kec", "op_kab", "petugas", "verifikator"})
VERIFIER = frozenset({"verifikator"})
_A = State.ACTIVE

MOVES: tuple[Move[State], ...] = (
    Move(None, Register, _A, REGISTRARS, (nobody_like_this_or_a_reason,), "person.registered"),
    Move(_A, ProposeCorrection, _A, CLERKS, (document_is_there,)),
    Move(_A, Correct, _A, VERIFIER, (proposed_by_another,), "person.facts_changed"),
)


def decide(person: Person | None, command: Command, ctx: Context) -> tuple[Person, str | None] | Refusal:
    """The person after the command and the event that tells of it, or the refusal."""
    match find(MOVES, None if person is None else person.state, command, person, ctx):
        case Refusal() as refusal:
            return refusal
        case Move(target=target, event=event):
            by = ctx.actor if isinstance(command, ProposeCorrection) else None
            return replace(person or Person(target), state=target, correction_by=by), event
