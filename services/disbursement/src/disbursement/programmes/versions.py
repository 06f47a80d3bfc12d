"""Rule versions (versi aturan): who writes, who reads, who publishes, and what can never change again."""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from kit.machine import SYSTEM, Context, Move, Reason, Refusal, find

MANAGER = frozenset({"program_manager"})
KADIS = frozenset({"kadis"})


class VersionState(StrEnum):
    """States of a rule version (versi aturan)."""

    DRAFT = "draft"
    REVIEWED = "reviewed"
    PUBLISHED = "published"  # nobody can change it any more
    SUPERSEDED = "superseded"  # a newer range cut it; what it decided stands
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class RuleVersion:
    state: VersionState
    written_by: str
    reviewed_by: str | None
    effective_from: date
    retro_document: str | None = None


@dataclass(frozen=True, slots=True)
class Review:
    pass


@dataclass(frozen=True, slots=True)
class Publish:
    """`cost_idr` is the what-if for the rest of the year; None when the programme pays by claim."""

    legal_basis: bool
    cost_idr: int | None = None
    available_idr: int | None = None


@dataclass(frozen=True, slots=True)
class Supersede:
    pass


@dataclass(frozen=True, slots=True)
class WithdrawVersion:
    reason: str


def another_reader_than_the_author(version: RuleVersion, _: Review, ctx: Context) -> Reason | None:
    """Who wrote a rule does not review it."""
    return Reason("penulis_meninjau") if ctx.actor == version.written_by else None


def another_publisher_than_the_author(version: RuleVersion, _: Publish, ctx: Context) -> Reason | None:
    """Who wrote a rule does not publish it."""
    return Reason("penulis_menerbitkan") if ctx.actor == version.written_by else None


def the_legal_basis_is_known(_: RuleVersion, command: Publish, __: Context) -> Reason | None:
    """A rule in force names the regulation that it carries out."""
    return None if command.legal_basis else Reason("dasar_hukum_belum_lengkap")


def the_year_can_pay_it(_: RuleVersion, command: Publish, __: Context) -> Reason | None:
    """What the rule costs for the rest of the year is there."""
    if command.cost_idr is None or command.available_idr is None or command.cost_idr <= command.available_idr:
        return None
    return Reason.of("pagu_tidak_cukup", short_idr=command.cost_idr - command.available_idr)


def the_past_needs_a_document(version: RuleVersion, _: Publish, ctx: Context) -> Reason | None:
    """A rule for days gone by rests on a paper that says so."""
    late = version.effective_from < ctx.today and not version.retro_document
    return Reason("berlaku_surut_tanpa_dokumen") if late else None


def not_yet_in_effect(version: RuleVersion, _: WithdrawVersion, ctx: Context) -> Reason | None:
    """A rule that people were judged by cannot be taken back, only followed by another."""
    return None if version.effective_from > ctx.today else Reason("aturan_sudah_berlaku")


V = VersionState
VERSION_MOVES = (
    Move(V.DRAFT, Review, V.REVIEWED, MANAGER | {"kabid"}, (another_reader_than_the_author,)),
    Move(
        V.REVIEWED,
        Publish,
        V.PUBLISHED,
        KADIS,
        (another_publisher_than_the_author, the_legal_basis_is_known, the_year_can_pay_it, the_past_needs_a_document),
        "rule.published",
    ),
    Move(V.PUBLISHED, Supersede, V.SUPERSEDED, frozenset({SYSTEM, "kadis"}), (), "rule.superseded"),
    *(
        Move(source, WithdrawVersion, V.WITHDRAWN, KADIS, (not_yet_in_effect,), "rule.withdrawn")
        for source in (V.REVIEWED, V.PUBLISHED)
    ),
)


def decide_version(
    version: RuleVersion, command: Review | Publish | Supersede | WithdrawVersion, ctx: Context
) -> tuple[RuleVersion, str | None] | Refusal:
    """The rule version after the command and its event, or the refusal with every reason."""
    match find(VERSION_MOVES, version.state, command, version, ctx):
        case Refusal() as refusal:
            return refusal
        case Move(target=target, event=event):
            reviewer = ctx.actor if isinstance(command, Review) else version.reviewed_by
            return replace(version, state=target, reviewed_by=reviewer), event
