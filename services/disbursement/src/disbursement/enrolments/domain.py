"""Enrolments (kepesertaan): from the nomination over the decree (SK) to the end, and what life events do to them.

A soft criterion flags, it never ends: a person decides. A death that is only reported holds; a certified one ends.
"""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from uuid import UUID

from kit.machine import SYSTEM, Context, Move, Reason, Refusal, find


class State(StrEnum):
    CANDIDATE = "candidate"
    ELIGIBLE = "eligible"
    REFUSED = "refused"
    WAITLISTED = "waitlisted"  # fits the rule, no place is free
    DECREED = "decreed"  # named in a decree, money is reserved
    ACTIVE = "active"
    SUSPENDED = "suspended"  # rights are held, nothing is lost
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Enrolment:
    state: State
    subject_id: UUID
    holder_id: UUID
    payee_id: UUID | None = None
    nominated_by: str | None = None
    flagged: bool = False
    reasons: tuple[str, ...] = ()
    starts_on: date | None = None
    ends_on: date | None = None
    payee_asked_by: str | None = None
    payee_asked: UUID | None = None


@dataclass(frozen=True, slots=True)
class Nominate:
    programme_open: bool
    already_live: bool = False


@dataclass(frozen=True, slots=True)
class Evaluate:
    """Hold the candidate against the rule; `unknown` waits for a person."""

    failed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Review:
    """A person settles what the rule could not know."""

    fits: bool
    reason: str
    failed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TakePlace:
    free_places: int | None


@dataclass(frozen=True, slots=True)
class Decree:
    """Name the person in a decree (SK penetapan) whose annex has this fingerprint."""

    free_places: int | None
    annex_matches: bool
    excluded_by: str | None = None


@dataclass(frozen=True, slots=True)
class Activate:
    starts_on: date
    payee_id: UUID | None


@dataclass(frozen=True, slots=True)
class Flag:
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suspend:
    reason: str


@dataclass(frozen=True, slots=True)
class Resume:
    reason: str


@dataclass(frozen=True, slots=True)
class End:
    reason: str
    on: date
    hard: bool = False
    objection_open: bool = False


@dataclass(frozen=True, slots=True)
class Revive:
    """The certified death was taken back: the person lives and the place is theirs again."""

    reason: str


@dataclass(frozen=True, slots=True)
class AskPayee:
    payee_id: UUID


@dataclass(frozen=True, slots=True)
class ReplacePayee:
    link_active: bool


@dataclass(frozen=True, slots=True)
class Withdraw:
    pass


Command = (
    Nominate
    | Evaluate
    | Review
    | TakePlace
    | Decree
    | Activate
    | Flag
    | Suspend
    | Resume
    | End
    | Revive
    | AskPayee
    | ReplacePayee
    | Withdraw
)
COMMANDS: tuple[type, ...] = Command.__args__

DEATH = "hidup"
"""The reason of an end by a certified death; only such an end can be undone by the registry."""


def the_programme_takes_people(_: Enrolment, command: Nominate, __: Context) -> Reason | None:
    """Candidates are named for a programme in force."""
    return None if command.programme_open else Reason("program_belum_dibuka")


def not_enrolled_twice(_: Enrolment, command: Nominate, __: Context) -> Reason | None:
    """One live enrolment of a subject in a programme."""
    return Reason("sudah_terdaftar") if command.already_live else None


def everything_is_met(_: Enrolment, command: Evaluate, __: Context) -> Reason | None:
    """No criterion failed and none is open."""
    open_ = (*command.failed, *command.unknown)
    return Reason.of("kriteria_tidak_terpenuhi", list=",".join(open_)) if open_ else None


def something_failed(_: Enrolment, command: Evaluate, __: Context) -> Reason | None:
    """At least one criterion speaks against the candidate."""
    return None if command.failed else Reason("tidak_ada_alasan_menolak")


def only_unknowns_are_left(_: Enrolment, command: Evaluate, __: Context) -> Reason | None:
    """Nothing failed, and a person has something to find out."""
    return None if command.unknown and not command.failed else Reason("tidak_ada_yang_ditinjau")


def the_review_finds_a_fit(_: Enrolment, command: Review, __: Context) -> Reason | None:
    """The reviewer says that the person fits, and no criterion has failed meanwhile."""
    if command.failed:
        return Reason.of("kriteria_tidak_terpenuhi", list=",".join(command.failed))
    return None if command.fits else Reason("peninjau_menolak")


def the_review_finds_no_fit(_: Enrolment, command: Review, __: Context) -> Reason | None:
    """The reviewer says that the person does not fit."""
    return Reason("peninjau_menerima") if command.fits else None


def a_reason_is_named(_: Enrolment, command: Review | Suspend | Resume | End | Revive, __: Context) -> Reason | None:
    """What is done to a person has a reason."""
    return None if command.reason else Reason("alasan_wajib")


def reasons_are_named(_: Enrolment, command: Flag, __: Context) -> Reason | None:
    """A flag says what should be looked at."""
    return None if command.reasons else Reason("alasan_wajib")


def another_person_than_the_nominator(enrolment: Enrolment, _: object, ctx: Context) -> Reason | None:
    """Who named a candidate neither reviews nor decrees the place."""
    return Reason("pengusul_memutuskan") if ctx.actor == enrolment.nominated_by else None


def nobody_decides_for_themselves(enrolment: Enrolment, _: object, ctx: Context) -> Reason | None:
    """An officer does not decide about the own place or money."""
    own = ctx.person_id is not None and ctx.person_id in (enrolment.subject_id, enrolment.holder_id, enrolment.payee_id)
    return Reason("konflik_petugas") if own else None


def a_place_is_free(_: Enrolment, command: TakePlace | Decree, __: Context) -> Reason | None:
    """The quota has a place left; None means no quota."""
    return Reason("kuota_penuh") if command.free_places is not None and command.free_places <= 0 else None


def no_place_is_free(enrolment: Enrolment, command: TakePlace, ctx: Context) -> Reason | None:
    """The quota is used up."""
    return None if a_place_is_free(enrolment, command, ctx) else Reason("kuota_tersedia")


def the_annex_is_the_list(_: Enrolment, command: Decree, __: Context) -> Reason | None:
    """The decree's annex is the list that was shown."""
    return None if command.annex_matches else Reason("lampiran_sk_berbeda")


def no_other_programme_of_the_group(_: Enrolment, command: Decree, __: Context) -> Reason | None:
    """Programmes of one group do not pay the same person twice."""
    other = command.excluded_by
    return Reason.of("bantuan_daerah_lain", programme=other) if other else None


def somebody_can_receive(_: Enrolment, command: Activate, __: Context) -> Reason | None:
    """There is a payee."""
    return None if command.payee_id is not None else Reason("rekening_belum_ada")


def objection_is_over_or_the_ground_is_hard(_: Enrolment, command: End, __: Context) -> Reason | None:
    """A soft ground ends nothing while the person may still object."""
    return Reason("keberatan_masih_terbuka") if command.objection_open and not command.hard else None


def only_a_hard_ground_ends_by_rule(_: Enrolment, command: End, ctx: Context) -> Reason | None:
    """Without a person only a certified death, a confirmed move or the decree's end stops aid."""
    return Reason("perlu_keputusan_petugas") if SYSTEM in ctx.roles and not command.hard else None


def it_ended_by_death(enrolment: Enrolment, _: Revive, __: Context) -> Reason | None:
    """Only an end by death is undone when the death is taken back."""
    return None if DEATH in enrolment.reasons else Reason("tidak_berakhir_karena_wafat")


def a_second_person_agrees(enrolment: Enrolment, _: ReplacePayee, ctx: Context) -> Reason | None:
    """A change of payee is asked by one person and agreed by another."""
    if enrolment.payee_asked is None:
        return Reason("usul_penerima_belum_ada")
    return Reason("pengusul_memutuskan") if ctx.actor == enrolment.payee_asked_by else None


def the_link_is_active(_: Enrolment, command: ReplacePayee, __: Context) -> Reason | None:
    """The registry knows the payee as carer, guardian or head."""
    return None if command.link_active else Reason("hubungan_penerima_belum_aktif")


BY_RULE = frozenset({SYSTEM})
KADIS = frozenset({"kadis"})
KABID_OR_RULE = frozenset({"kabid", SYSTEM})
VERIFIER = frozenset({"verifikator"})
S = State
MOVES: tuple[Move[State], ...] = (
    Move(None, Nominate, S.CANDIDATE, BY_RULE | {"op_desa"}, (the_programme_takes_people, not_enrolled_twice)),
    Move(S.CANDIDATE, Evaluate, S.ELIGIBLE, BY_RULE, (everything_is_met,), "enrolment.eligible"),
    Move(S.CANDIDATE, Evaluate, S.REFUSED, BY_RULE, (something_failed,), "enrolment.refused"),
    Move(S.CANDIDATE, Evaluate, S.CANDIDATE, BY_RULE, (only_unknowns_are_left,)),
    Move(
        S.CANDIDATE,
        Review,
        S.ELIGIBLE,
        VERIFIER,
        (
            the_review_finds_a_fit,
            a_reason_is_named,
            another_person_than_the_nominator,
            nobody_decides_for_themselves,
        ),
        "enrolment.eligible",
    ),
    Move(
        S.CANDIDATE,
        Review,
        S.REFUSED,
        VERIFIER,
        (
            the_review_finds_no_fit,
            a_reason_is_named,
            another_person_than_the_nominator,
            nobody_decides_for_themselves,
        ),
        "enrolment.refused",
    ),
    Move(S.ELIGIBLE, TakePlace, S.WAITLISTED, BY_RULE, (no_place_is_free,), "enrolment.waitlisted"),
    Move(S.ELIGIBLE, TakePlace, S.ELIGIBLE, BY_RULE, (a_place_is_free,)),
    *(
        Move(
            source,
            Decree,
            S.DECREED,
            KADIS,
            (
                a_place_is_free,
                the_annex_is_the_list,
                no_other_programme_of_the_group,
                another_person_than_the_nominator,
                nobody_decides_for_themselves,
            ),
            "enrolment.decreed",
        )
        for source in (S.ELIGIBLE, S.WAITLISTED)
    ),
    Move(S.DECREED, Activate, S.ACTIVE, BY_RULE, (somebody_can_receive,), "enrolment.activated"),
    Move(S.ACTIVE, Flag, S.ACTIVE, BY_RULE, (reasons_are_named,), "enrolment.flagged"),
    Move(S.ACTIVE, Suspend, S.SUSPENDED, KABID_OR_RULE, (a_reason_is_named,), "enrolment.suspended"),
    Move(S.SUSPENDED, Resume, S.ACTIVE, KABID_OR_RULE, (a_reason_is_named,), "enrolment.resumed"),
    *(
        Move(
            source,
            End,
            S.ENDED,
            KADIS | BY_RULE,
            (
                a_reason_is_named,
                objection_is_over_or_the_ground_is_hard,
                only_a_hard_ground_ends_by_rule,
                nobody_decides_for_themselves,
            ),
            "enrolment.ended",
        )
        for source in (S.ACTIVE, S.SUSPENDED)
    ),
    Move(S.ENDED, Revive, S.ACTIVE, BY_RULE, (a_reason_is_named, it_ended_by_death), "enrolment.resumed"),
    *(Move(s, AskPayee, s, frozenset({"op_desa"})) for s in (S.ACTIVE, S.SUSPENDED)),
    *(
        Move(
            s,
            ReplacePayee,
            s,
            frozenset({"op_desa", "verifikator"}),
            (a_second_person_agrees, the_link_is_active),
            "enrolment.payee_changed",
        )
        for s in (S.ACTIVE, S.SUSPENDED)
    ),
    *(
        Move(s, Withdraw, S.ENDED, frozenset({"op_desa", "warga"}), (), "enrolment.ended")
        for s in (S.CANDIDATE, S.ELIGIBLE, S.WAITLISTED)
    ),
)


def decide(enrolment: Enrolment, command: Command, ctx: Context) -> tuple[Enrolment, str | None] | Refusal:
    """The enrolment after the command and the event that tells of it, or the refusal with every reason."""
    source = None if isinstance(command, Nominate) else enrolment.state
    match find(MOVES, source, command, enrolment, ctx):
        case Refusal() as refusal:
            return refusal
        case Move(target=target, event=event):
            return _effects(replace(enrolment, state=target), command, ctx), event


def _effects(enrolment: Enrolment, command: Command, ctx: Context) -> Enrolment:
    match command:
        case Evaluate(failed=failed, unknown=unknown):
            return replace(enrolment, reasons=failed or unknown)
        case Review(fits=fits, reason=reason):
            return replace(enrolment, reasons=() if fits else (reason,))
        case TakePlace():
            return replace(enrolment, reasons=("kuota_penuh",) if enrolment.state == S.WAITLISTED else ())
        case Activate(starts_on=starts_on, payee_id=payee):
            return replace(enrolment, starts_on=starts_on, payee_id=payee, reasons=())
        case Flag(reasons=reasons):
            return replace(enrolment, flagged=True, reasons=reasons)
        case Suspend(reason=reason):
            return replace(enrolment, reasons=(reason,))
        case Resume():
            return replace(enrolment, reasons=())
        case Revive():
            return replace(enrolment, reasons=(), ends_on=None)
        case End(reason=reason, on=on):
            return replace(enrolment, reasons=(reason,), ends_on=on)
        case AskPayee(payee_id=payee):
            return replace(enrolment, payee_asked=payee, payee_asked_by=ctx.actor)
        case ReplacePayee():
            return replace(enrolment, payee_id=enrolment.payee_asked, payee_asked=None, payee_asked_by=None)
        case Withdraw():
            return replace(enrolment, reasons=("ditarik_pemohon",), ends_on=ctx.today)
        case _:
            return enrolment
