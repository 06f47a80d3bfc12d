"""Death-benefit claims (klaim santunan kematian): every legal move, who may make it, and what it changes.

The table is the specification; `claims.guards` holds its sentences, `claims.claim` its words.
"""

from dataclasses import replace

from kit.machine import SYSTEM, Context, Move, Refusal, find

from disbursement.claims.claim import (
    Appeal,
    Approve,
    CheckKec,
    CheckKel,
    Claim,
    Close,
    Command,
    Complete,
    Did,
    Dismiss,
    Entitle,
    File,
    FlagAlive,
    Lapse,
    ProposeRejection,
    Reject,
    Reopen,
    ReportFraud,
    Return,
    Settle,
    Start,
    State,
    Step,
    Uphold,
    Verify,
    VoidClaim,
    Withdraw,
    end_of_day,
)
from disbursement.claims.guards import (
    a_rule_covers_the_death,
    a_signal_was_followed_by_a_visit,
    a_verifier_has_proposed_it,
    before_the_cure_ends,
    before_the_deadline,
    every_paper_is_new,
    intake_is_open,
    late_paper,
    long_enough_without_return,
    missing_papers_may_follow,
    no_nearer_heir_stands_before,
    no_other_record_looks_like_the_deceased,
    no_paper_is_missing,
    no_paper_is_too_old,
    no_sign_of_life_after_the_death,
    nobody_claimed_before,
    nobody_decides_for_the_own_family,
    not_decided_by_the_same_person,
    not_entered_by_the_same_person,
    not_entered_or_checked_by_the_same_person,
    not_prepared_by_the_same_person,
    nothing_is_left_to_find_out,
    papers_and_reason_are_named,
    reasons_are_named,
    the_benefit_is_more_than_nothing,
    the_claimant_is_another_than_the_deceased,
    the_claimant_lives,
    the_criteria_are_met,
    the_cure_has_ended,
    the_death_is_certified,
    the_death_is_known,
    the_death_was_not_revoked,
    the_district_has_checked_where_it_must,
    the_first_appeal,
    the_inspector_has_found_it,
    the_papers_of_the_rank_are_there,
    there_is_a_way_to_pay,
    within_the_days_of_appeal,
)
from disbursement.programmes.domain import Intake, Wait

COUNTER = frozenset({"op_desa", "warga"})
CHECKERS = frozenset({"pemeriksa_kel", "pemeriksa_kec", "verifikator", "kadis"})
KADIS = frozenset({"kadis"})
BY_RULE = frozenset({SYSTEM})
S = State

FILING = (
    a_rule_covers_the_death,
    intake_is_open,
    before_the_deadline,
    the_claimant_lives,
    the_claimant_is_another_than_the_deceased,
    nobody_claimed_before,
    every_paper_is_new,
    no_paper_is_too_old,
)
VERIFYING = (
    not_entered_or_checked_by_the_same_person,
    nobody_decides_for_the_own_family,
    the_death_was_not_revoked,
    the_death_is_certified,
    no_sign_of_life_after_the_death,
    no_other_record_looks_like_the_deceased,
    there_is_a_way_to_pay,
    the_criteria_are_met,
    nothing_is_left_to_find_out,
)
IN_HAND = (S.FILED, S.CHECKED_KEL, S.CHECKED_KEC, S.VERIFIED)
NOT_VOID = tuple(s for s in State if s.value != "void")
LIVE = (S.INCOMPLETE, *IN_HAND, S.APPROVED, S.PAYABLE, S.PAID, S.CLOSED)
"""States in which a claim holds the deceased: at most one claim of a deceased is in one of them (M7)."""

MOVES: tuple[Move[State], ...] = (
    Move(None, Start, S.DRAFT, COUNTER, (the_death_is_known,)),
    Move(S.DRAFT, File, S.FILED, COUNTER, (*FILING, no_paper_is_missing), "claim.filed"),
    Move(S.DRAFT, File, S.INCOMPLETE, COUNTER, (*FILING, missing_papers_may_follow), "claim.incomplete"),
    Move(
        S.INCOMPLETE,
        Complete,
        S.FILED,
        COUNTER,
        (before_the_cure_ends, no_paper_is_missing, no_paper_is_too_old, every_paper_is_new),
        "claim.filed",
    ),
    Move(S.INCOMPLETE, Lapse, S.LAPSED, BY_RULE, (the_cure_has_ended,), "claim.lapsed"),
    Move(
        S.FILED,
        CheckKel,
        S.CHECKED_KEL,
        frozenset({"pemeriksa_kel"}),
        (
            not_entered_by_the_same_person,
            no_nearer_heir_stands_before,
            the_papers_of_the_rank_are_there,
            a_signal_was_followed_by_a_visit,
        ),
        "claim.checked",
    ),
    Move(
        S.CHECKED_KEL,
        CheckKec,
        S.CHECKED_KEC,
        frozenset({"pemeriksa_kec"}),
        (not_entered_or_checked_by_the_same_person,),
        "claim.checked",
    ),
    Move(
        S.CHECKED_KEL,
        Verify,
        S.VERIFIED,
        frozenset({"verifikator"}),
        (the_district_has_checked_where_it_must, *VERIFYING),
        "claim.verified",
    ),
    Move(S.CHECKED_KEC, Verify, S.VERIFIED, frozenset({"verifikator"}), VERIFYING, "claim.verified"),
    Move(
        S.VERIFIED,
        Approve,
        S.APPROVED,
        KADIS,
        (
            not_prepared_by_the_same_person,
            nobody_decides_for_the_own_family,
            the_death_was_not_revoked,
            the_death_is_certified,
            the_criteria_are_met,
            the_benefit_is_more_than_nothing,
        ),
        "claim.approved",
    ),
    Move(S.APPROVED, Entitle, S.PAYABLE, BY_RULE, (the_death_was_not_revoked,), "claim.payable"),
    Move(S.PAYABLE, Settle, S.PAID, BY_RULE, (), "claim.paid"),
    Move(S.PAID, Reopen, S.PAYABLE, BY_RULE, (), "claim.payable"),
    Move(S.PAID, Close, S.CLOSED, BY_RULE, (long_enough_without_return,), "claim.closed"),
    *(Move(s, Return, S.INCOMPLETE, CHECKERS, (papers_and_reason_are_named,), "claim.incomplete") for s in IN_HAND),
    *(Move(s, ProposeRejection, s, frozenset({"verifikator"}), (reasons_are_named,)) for s in IN_HAND),
    *(
        Move(
            s,
            Reject,
            S.REJECTED,
            KADIS,
            (
                not_prepared_by_the_same_person,
                nobody_decides_for_the_own_family,
                reasons_are_named,
                a_verifier_has_proposed_it,
            ),
            "claim.rejected",
        )
        for s in IN_HAND
    ),
    Move(S.REJECTED, Appeal, S.APPEALED, COUNTER, (within_the_days_of_appeal, the_first_appeal), "claim.appealed"),
    *(
        Move(
            S.APPEALED,
            command,
            target,
            KADIS | {"sekretaris"},
            (not_decided_by_the_same_person, not_prepared_by_the_same_person, reasons_are_named),
            "claim.appeal_decided",
        )
        for command, target in ((Uphold, S.FILED), (Dismiss, S.REJECTED))
    ),
    *(
        Move(s, Withdraw, S.WITHDRAWN, COUNTER, (), "claim.withdrawn")
        for s in (S.DRAFT, S.INCOMPLETE, *IN_HAND, S.APPROVED)
    ),
    *(Move(s, FlagAlive, s, BY_RULE, (), "claim.flagged") for s in LIVE),
    *(Move(s, ReportFraud, s, frozenset({"inspektorat"})) for s in NOT_VOID),
    *(Move(s, VoidClaim, S.VOID, KADIS, (the_inspector_has_found_it,), "claim.voided") for s in NOT_VOID),
)

DOING: dict[type, Did] = {
    Start: Did.ENTERED,
    File: Did.ENTERED,
    Complete: Did.ENTERED,
    CheckKel: Did.CHECKED,
    CheckKec: Did.CHECKED,
    Verify: Did.VERIFIED,
    ProposeRejection: Did.PROPOSED,
    Approve: Did.DECIDED,
    Reject: Did.DECIDED,
    Uphold: Did.DECIDED,
    Dismiss: Did.DECIDED,
    ReportFraud: Did.FOUND,
}


def decide(claim: Claim, command: Command, ctx: Context) -> tuple[Claim, str | None] | Refusal:
    """The claim after the command and the event that tells of it, or the refusal with every reason."""
    source = None if isinstance(command, Start) else claim.state
    match find(MOVES, source, command, claim, ctx):
        case Refusal() as refusal:
            return refusal
        case Move(target=target, event=event):
            changed = _effects(replace(claim, state=target), command, ctx)
            doing = DOING.get(type(command))
            if doing is not None:
                changed = replace(changed, steps=(*changed.steps, Step(doing, ctx.actor, ctx.person_id)))
            return changed, event


def _effects(claim: Claim, command: Command, ctx: Context) -> Claim:
    """What a move changes beside the state."""
    match command:
        case File(received_at=received, intake=Intake(waits=waits)):
            missing = {m.doc for m in command.missing}
            reasons = ("dokumen_kurang",) if missing else ()
            return replace(claim, filed_at=received, waits=tuple(w for w in waits if w.doc in missing), reasons=reasons)
        case Complete():
            return replace(claim, waits=(), reasons=())
        case Lapse():
            late = late_paper(claim, ctx)
            return replace(claim, reasons=(late.code,) if late else claim.reasons)
        case Return(docs=docs, reason=reason):
            until = end_of_day(ctx.today, claim.terms.cure_days)
            return replace(claim, waits=tuple(Wait(d, until) for d in docs), reasons=(reason,))
        case Approve(amount_idr=amount):
            return replace(claim, amount_idr=amount, reasons=())
        case Reject(reasons=reasons):
            return replace(claim, reasons=reasons, appeal_until=end_of_day(ctx.today, claim.terms.appeal_days))
        case Appeal():
            return replace(claim, appeals=claim.appeals + 1)
        case Uphold(reasons=reasons) | Dismiss(reasons=reasons):
            return replace(claim, reasons=reasons)
        case Settle():
            return replace(claim, paid_at=ctx.now)
        case Reopen():
            return replace(claim, paid_at=None)
        case FlagAlive():
            return replace(claim, flagged=True, reasons=("kematian_dicabut",))
        case VoidClaim(reason=reason):
            return replace(claim, reasons=(reason,))
        case _:
            return claim
