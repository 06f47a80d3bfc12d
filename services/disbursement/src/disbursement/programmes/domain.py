"""Programmes (program bantuan): how they come into force, how intake ends, and who decides it.

The only place that knows whether a file that arrives at an instant is still in time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from kit.machine import Context, Move, Reason, Refusal, find


class State(StrEnum):
    DRAFT = "draft"
    PLANNED = "planned"
    ACTIVE = "active"  # people may apply
    SUSPENDED = "suspended"  # no new files; files in hand keep their clock
    CLOSING = "closing"  # intake ends at the cut-off; everything filed before is carried to its end
    CLOSED = "closed"
    CANCELLED = "cancelled"


RESERVED_CODES = frozenset({"BPK"})
"""Names of other bodies (BPK is the audit board) that no programme may carry."""


@dataclass(frozen=True, slots=True)
class Grace:
    """Papers of one kind that may still come in after the cut-off, until an instant (exclusive): masa tenggang."""

    doc: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Closing:
    """How a programme ends: a circular (surat edaran), the cut-off of intake (exclusive), and graces by paper."""

    document: str
    intake_cutoff: datetime
    grace: tuple[Grace, ...] = ()
    rounds_left: int = 0
    run_out_on: date | None = None

    def until(self, doc: str) -> datetime | None:
        """The end of grace for papers of a kind, or None when the kind has none."""
        return next((g.until for g in self.grace if g.doc == doc), None)


@dataclass(frozen=True, slots=True)
class Programme:
    state: State
    code: str
    proposed_by: str
    proposed_by_person: UUID | None = None
    closing: Closing | None = None


@dataclass(frozen=True, slots=True)
class Propose:
    code: str
    code_taken: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    legal_basis: bool
    owner_period: bool
    plan_ref: bool
    reviewed_versions: int
    funding_line: bool


@dataclass(frozen=True, slots=True)
class Activate:
    published_now: bool
    line_open: bool


@dataclass(frozen=True, slots=True)
class Suspend:
    document: str


@dataclass(frozen=True, slots=True)
class Resume:
    document: str


@dataclass(frozen=True, slots=True)
class AnnounceClosing:
    closing: Closing


@dataclass(frozen=True, slots=True)
class ReviseClosing:
    closing: Closing


@dataclass(frozen=True, slots=True)
class Close:
    live_claims: int = 0
    live_rights: int = 0
    live_enrolments: int = 0


@dataclass(frozen=True, slots=True)
class Cancel:
    reason: str
    enrolled: int = 0


Command = Propose | Plan | Activate | Suspend | Resume | AnnounceClosing | ReviseClosing | Close | Cancel


def code_free_and_not_reserved(_: Programme, command: Propose, __: Context) -> Reason | None:
    """A programme code is new and is not the name of another body."""
    taken = command.code_taken or command.code in RESERVED_CODES
    return Reason("kode_program_terpakai") if taken else None


def basis_and_plan_are_named(_: Programme, command: Plan, __: Context) -> Reason | None:
    """A plan stands on a legal basis, the office's period and a line of the plan document (RPJMD)."""
    whole = command.legal_basis and command.owner_period and command.plan_ref
    return None if whole else Reason("dasar_hukum_belum_lengkap")


def a_rule_version_was_reviewed(_: Programme, command: Plan, __: Context) -> Reason | None:
    """Somebody else than its author has read at least one rule version."""
    return None if command.reviewed_versions else Reason("aturan_belum_ditinjau")


def a_funding_line_has_pagu(_: Programme, command: Plan, __: Context) -> Reason | None:
    """There is a budget line to pay from."""
    return None if command.funding_line else Reason("pagu_belum_ada")


def another_person_than_the_manager(programme: Programme, _: object, ctx: Context) -> Reason | None:
    """Who proposed a programme does not put it into force."""
    same = ctx.actor == programme.proposed_by or (
        ctx.person_id is not None and ctx.person_id == programme.proposed_by_person
    )
    return Reason("pengusul_memutuskan") if same else None


def a_rule_is_in_force(_: Programme, command: Activate, __: Context) -> Reason | None:
    """A published rule version is effective today or from a later day."""
    return None if command.published_now else Reason("aturan_belum_terbit")


def the_budget_line_is_open(_: Programme, command: Activate, __: Context) -> Reason | None:
    """The budget document (DPA) is there."""
    return None if command.line_open else Reason("pagu_belum_ada")


def a_document_is_named(_: Programme, command: Suspend | Resume, __: Context) -> Reason | None:
    """A change of this weight rests on a paper."""
    return None if command.document else Reason("dokumen_dasar_kurang")


def the_closing_is_whole(_: Programme, command: AnnounceClosing | ReviseClosing, __: Context) -> Reason | None:
    """A circular is named, and no grace ends before the cut-off it follows."""
    closing = command.closing
    if not closing.document:
        return Reason("dokumen_dasar_kurang")
    early = any(g.until < closing.intake_cutoff for g in closing.grace)
    return Reason("masa_tenggang_sebelum_tutup") if early else None


def the_cut_off_lies_ahead(_: Programme, command: AnnounceClosing, ctx: Context) -> Reason | None:
    """Nobody learns of a cut-off after it has passed."""
    return None if command.closing.intake_cutoff > ctx.now else Reason("batas_sudah_lewat")


def only_later_dates(programme: Programme, command: ReviseClosing, _: Context) -> Reason | None:
    """A promise to applicants may be lengthened, never shortened."""
    old, new = programme.closing, command.closing
    if old is None:
        return None
    shorter = new.intake_cutoff < old.intake_cutoff or any(
        (until := new.until(g.doc)) is None or until < g.until for g in old.grace
    )
    return Reason("hanya_boleh_diperpanjang") if shorter else None


def nothing_is_left(_: Programme, command: Close, __: Context) -> Reason | None:
    """No claim, right or enrolment of the programme still waits for its end."""
    left = command.live_claims + command.live_rights + command.live_enrolments
    return Reason.of("masih_ada_berkas", count=left) if left else None


def nobody_is_enrolled(_: Programme, command: Cancel, __: Context) -> Reason | None:
    """A programme that somebody relies on is closed, not cancelled."""
    return Reason.of("masih_ada_berkas", count=command.enrolled) if command.enrolled else None


MANAGER = frozenset({"program_manager"})
KADIS = frozenset({"kadis"})
S = State
MOVES = (
    Move(None, Propose, S.DRAFT, MANAGER, (code_free_and_not_reserved,), "programme.drafted"),
    Move(
        S.DRAFT,
        Plan,
        S.PLANNED,
        KADIS,
        (basis_and_plan_are_named, a_rule_version_was_reviewed, a_funding_line_has_pagu),
        "programme.planned",
    ),
    Move(
        S.PLANNED,
        Activate,
        S.ACTIVE,
        KADIS,
        (another_person_than_the_manager, a_rule_is_in_force, the_budget_line_is_open),
        "programme.activated",
    ),
    Move(S.ACTIVE, Suspend, S.SUSPENDED, KADIS, (a_document_is_named,), "programme.suspended"),
    Move(S.SUSPENDED, Resume, S.ACTIVE, KADIS, (a_document_is_named,), "programme.resumed"),
    *(
        Move(
            source,
            AnnounceClosing,
            S.CLOSING,
            KADIS,
            (the_closing_is_whole, the_cut_off_lies_ahead),
            "programme.closing_announced",
        )
        for source in (S.ACTIVE, S.SUSPENDED)
    ),
    Move(
        S.CLOSING,
        ReviseClosing,
        S.CLOSING,
        KADIS,
        (the_closing_is_whole, only_later_dates),
        "programme.closing_revised",
    ),
    Move(S.CLOSING, Close, S.CLOSED, KADIS, (nothing_is_left,), "programme.closed"),
    *(
        Move(source, Cancel, S.CANCELLED, KADIS, (nobody_is_enrolled,), "programme.cancelled")
        for source in (S.DRAFT, S.PLANNED)
    ),
)


def decide(programme: Programme, command: Command, ctx: Context) -> tuple[Programme, str] | Refusal:
    """The programme after the command and the event that tells of it, or the refusal with every reason."""
    source = None if isinstance(command, Propose) else programme.state
    match find(MOVES, source, command, programme, ctx):
        case Refusal() as refusal:
            return refusal
        case Move(target=target, event=event):
            closing = command.closing if isinstance(command, AnnounceClosing | ReviseClosing) else programme.closing
            return replace(programme, state=target, closing=closing), event or ""


@dataclass(frozen=True, slots=True)
class Wait:
    """One missing paper that may follow: until when (exclusive), and whether by the grace of a closing."""

    doc: str
    until: datetime
    by_grace: bool = False


@dataclass(frozen=True, slots=True)
class Intake:
    """A file that arrived in time; `waits` lists what may still be brought, `refused` what should have been there."""

    waits: tuple[Wait, ...] = ()
    refused: tuple[str, ...] = field(default=())

    @property
    def cure_due(self) -> datetime | None:
        """The first instant at which something missing is too late, or None when nothing is missing."""
        return min((w.until for w in self.waits), default=None)


def intake(
    state: State, closing: Closing | None, filed_at: datetime, missing: Mapping[str, int | None]
) -> Intake | Refusal:
    """Whether a file received at `filed_at` is in time, and how long each missing paper may follow.

    `missing` maps a kind of paper to the days it may follow in ordinary times, or None. In closing the cut-off is
    half-open: a file at the cut-off itself is late. Source: circular 460/3499/Linjamsoscana/2025 (Depok).
    """
    match state:
        case State.ACTIVE:
            waits = tuple(
                Wait(doc, filed_at + timedelta(days=days)) for doc, days in missing.items() if days is not None
            )
            return Intake(waits, tuple(doc for doc, days in missing.items() if days is None))
        case State.CLOSING if closing is not None:
            if filed_at >= closing.intake_cutoff:
                return _closed(closing.intake_cutoff)
            return Intake(tuple(_wait(closing, doc) for doc in missing))
        case State.SUSPENDED:
            return Refusal.because("program_ditangguhkan")
        case State.CLOSED if closing is not None:
            return _closed(closing.intake_cutoff)
        case _:
            return Refusal.because("program_belum_dibuka")


def _wait(closing: Closing, doc: str) -> Wait:
    until = closing.until(doc)
    return Wait(doc, closing.intake_cutoff) if until is None else Wait(doc, until, by_grace=True)


def _closed(cutoff: datetime) -> Refusal:
    return Refusal("guard", (Reason.of("program_ditutup", at=cutoff.isoformat()),))
