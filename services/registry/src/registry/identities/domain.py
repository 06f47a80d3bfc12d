"""Identity claims: from what somebody said to what Dukcapil knows, and what happens when two people carry one NIK.

By machine an answer counts at once; typed by hand it takes two people: one proposes, another confirms.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from kit.machine import SYSTEM, Context, Move, Reason, Refusal, find

from registry.identities.nik import Checked, Structure


class State(StrEnum):
    CAPTURED = "captured"  # written down, not looked at
    WELL_FORMED = "well_formed"  # could exist
    QUARANTINED = "quarantined"  # cannot exist: to be asked again
    MATCHED = "matched"  # Dukcapil or DTSEN knows this person by it
    MISMATCH = "mismatch"  # known, with another name or birth date
    NOT_FOUND = "not_found"  # unknown there
    CONFLICT = "conflict"  # two persons here carry it
    REJECTED = "rejected"  # it belongs to somebody else
    SUPERSEDED = "superseded"  # replaced by a newer claim


class Answer(StrEnum):
    """What the authority says of a claim."""

    MATCHED = "matched"
    MISMATCH = "mismatch"
    NOT_FOUND = "not_found"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Claim:
    state: State
    person_id: UUID
    captured_by: str
    structure: Structure = Structure.OK
    proposed_answer: str | None = None
    proposed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Capture:
    """Write down what was shown or said. `has_live_claim`: the person has a live claim of this scheme already."""

    person_id: UUID
    has_live_claim: bool = False


@dataclass(frozen=True, slots=True)
class CheckStructure:
    checked: Checked


@dataclass(frozen=True, slots=True)
class Record:
    """The authority's answer (Dukcapil, DTSEN). `holder`: another person here who has this number matched."""

    answer: Answer
    holder: UUID | None = None


@dataclass(frozen=True, slots=True)
class Propose:
    """An answer read from paper or screen and typed by hand; another person confirms it."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Confirm:
    """Confirm the proposed answer. `holder` as in Record."""

    holder: UUID | None = None


@dataclass(frozen=True, slots=True)
class Contest:
    """Another person here turned out to carry the same matched number."""


@dataclass(frozen=True, slots=True)
class Replace:
    """Set the claim aside for a new one."""

    reason: str


@dataclass(frozen=True, slots=True)
class WithdrawMatch:
    """The authority corrected itself."""


Command = Capture | CheckStructure | Record | Propose | Confirm | Contest | Replace | WithdrawMatch


def no_live_claim(_: Claim | None, command: Capture, __: Context) -> Reason | None:
    """One live claim a scheme; the old one is replaced, not doubled."""
    return Reason("klaim_sudah_ada") if command.has_live_claim else None


def structure_is_possible(_: Claim, command: CheckStructure, __: Context) -> Reason | None:
    """The number could exist."""
    return Reason("nomor_mustahil") if command.checked.structure is Structure.BAD else None


def structure_is_impossible(_: Claim, command: CheckStructure, __: Context) -> Reason | None:
    """The number cannot exist."""
    return None if command.checked.structure is Structure.BAD else Reason("nomor_mungkin")


def nobody_else_holds_it(_: Claim, command: Record | Confirm, __: Context) -> Reason | None:
    """No other person here has this number matched."""
    return None if command.holder is None else Reason("nik_dipegang_orang_lain")


def somebody_else_holds_it(_: Claim, command: Record | Confirm, __: Context) -> Reason | None:
    """Another person here has this number matched: both are looked at."""
    return Reason("nik_tidak_dipegang_orang_lain") if command.holder is None else None


def a_match(claim: Claim, command: Record | Confirm, _: Context) -> Reason | None:
    """The authority knows this person by this number."""
    return _says(Answer.MATCHED, claim, command)


def a_mismatch(claim: Claim, command: Record | Confirm, _: Context) -> Reason | None:
    """The authority knows the number with another name or birth date."""
    return _says(Answer.MISMATCH, claim, command)


def not_found(claim: Claim, command: Record | Confirm, _: Context) -> Reason | None:
    """The authority does not know the number."""
    return _says(Answer.NOT_FOUND, claim, command)


def a_rejection(claim: Claim, command: Record | Confirm, _: Context) -> Reason | None:
    """The number belongs to somebody else."""
    return _says(Answer.REJECTED, claim, command)


def proposed_by_another(claim: Claim, _: Confirm, ctx: Context) -> Reason | None:
    """Two people read what was typed by hand."""
    if claim.proposed_by is None:
        return Reason("usul_jawaban_belum_ada")
    return Reason("pengusul_memutuskan") if claim.proposed_by == ctx.actor else None


def fits_a_check(_: Claim, command: Propose, __: Context) -> Reason | None:
    """An open claim is matched, mismatched or unknown; only a conflict ends in a rejection."""
    return Reason("jawaban_tidak_sesuai") if command.answer is Answer.REJECTED else None


def fits_a_conflict(_: Claim, command: Propose, __: Context) -> Reason | None:
    """A conflict ends with the rightful holder or with a rejection."""
    return None if command.answer in (Answer.MATCHED, Answer.REJECTED) else Reason("jawaban_tidak_sesuai")


def _says(answer: Answer, claim: Claim, command: Record | Confirm) -> Reason | None:
    said = command.answer if isinstance(command, Record) else claim.proposed_answer
    return None if said == answer else Reason("jawaban_lain")


CAPTURERS = frozenset({"op_desa", "op_kec", "op_kab", "petugas", "trc", "rps_admin", "verifikator", SYSTEM})
CLERKS = frozenset({"op_desa", "op_kab"})
PROPOSERS = frozenset({"op_desa", "op_kab", "verifikator"})
VERIFIER = frozenset({"verifikator"})
SECTION = frozenset({"kabid"})
RULE = frozenset({SYSTEM})
_W, _N, _M, _Q, _X, _C = (
    State.WELL_FORMED,
    State.NOT_FOUND,
    State.MATCHED,
    State.QUARANTINED,
    State.MISMATCH,
    State.CONFLICT,
)

MOVES: tuple[Move[State], ...] = (
    Move(None, Capture, State.CAPTURED, CAPTURERS, (no_live_claim,)),
    Move(State.CAPTURED, CheckStructure, _W, RULE, (structure_is_possible,)),
    Move(State.CAPTURED, CheckStructure, _Q, RULE, (structure_is_impossible,), "identity.quarantined"),
    *(
        row
        for source in (_W, _N)
        for row in (
            Move(source, Record, _M, RULE, (a_match, nobody_else_holds_it), "identity.matched"),
            Move(source, Record, _C, RULE, (a_match, somebody_else_holds_it), "identity.conflict"),
            Move(source, Record, _X, RULE, (a_mismatch,)),
            Move(source, Record, _N, RULE, (not_found,)),
            Move(source, Propose, source, PROPOSERS, (fits_a_check,)),
            Move(source, Confirm, _M, VERIFIER, (proposed_by_another, a_match, nobody_else_holds_it), "identity.matched"),
            Move(source, Confirm, _C, VERIFIER, (proposed_by_another, a_match, somebody_else_holds_it), "identity.conflict"),
            Move(source, Confirm, _X, VERIFIER, (proposed_by_another, a_mismatch)),
            Move(source, Confirm, _N, VERIFIER, (proposed_by_another, not_found)),
        )
    ),
    Move(_M, Contest, _C, RULE | VERIFIER, (), "identity.conflict"),
    Move(_C, Propose, _C, VERIFIER, (fits_a_conflict,)),
    Move(_C, Confirm, _M, SECTION, (proposed_by_another, a_match, nobody_else_holds_it), "identity.matched"),
    Move(_C, Confirm, State.REJECTED, SECTION, (proposed_by_another, a_rejection)),
    Move(_Q, Replace, State.SUPERSEDED, CLERKS, ()),
    Move(_X, Replace, State.SUPERSEDED, CLERKS, ()),
    Move(_N, Replace, State.SUPERSEDED, CLERKS, ()),
    Move(_M, WithdrawMatch, _W, RULE, ()),
)  # fmt: skip


def decide(claim: Claim | None, command: Command, ctx: Context) -> tuple[Claim, str | None] | Refusal:
    """The claim after the command and the event that tells of it, or the refusal."""
    match find(MOVES, None if claim is None else claim.state, command, claim, ctx):
        case Refusal() as refusal:
            return _plain(refusal)
        case Move(target=target, event=event):
            return _after(claim, command, ctx, target), event


def _after(claim: Claim | None, command: Command, ctx: Context, target: State) -> Claim:
    if claim is None:
        assert isinstance(command, Capture)  # noqa: S101 - the table has no other birth
        return Claim(target, command.person_id, ctx.actor)
    claim = replace(claim, state=target)
    match command:
        case CheckStructure(checked=checked):
            return replace(claim, structure=checked.structure)
        case Propose(answer=answer):
            return replace(claim, proposed_answer=answer.value, proposed_by=ctx.actor)
        case Record() | Confirm() | Contest() | WithdrawMatch():
            return replace(claim, proposed_answer=None, proposed_by=None)
        case _:
            return claim


_CHOOSE = frozenset({"jawaban_lain", "nik_dipegang_orang_lain", "nik_tidak_dipegang_orang_lain"})
"""Reasons that only pick between rows of the table; beside another reason they tell nobody anything."""


def _plain(refusal: Refusal) -> Refusal:
    telling = tuple(r for r in refusal.reasons if r.code not in _CHOOSE)
    return Refusal(refusal.kind, telling or refusal.reasons)
