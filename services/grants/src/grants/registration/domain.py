"""Registration of institutions (tanda daftar): what may happen to a file or a certificate, and who may make it happen."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from kit.machine import SYSTEM, Context, Move, Refusal, find

from grants.registration.file import (
    Adopt,
    Command,
    Dissolve,
    Edit,
    Enlist,
    Expire,
    Issue,
    Lapse,
    Recommend,
    RecordVisit,
    Refuse,
    Registration,
    RequestCorrection,
    Resubmit,
    Revoke,
    Start,
    StartRenewal,
    Submit,
    Take,
    Withdraw,
)
from grants.registration.guards import (
    account_is_settled,
    certificate_is_whole,
    certifier_did_not_prepare,
    checklist_is_all_valid,
    conflict_is_declared,
    decree_and_appeal_are_named,
    deed_is_there,
    first_officer_is_proved,
    form_is_complete,
    institution_lives,
    it_has_ended,
    minutes_are_there,
    no_agreement_is_open,
    no_twin_is_unresolved,
    nothing_else_is_running,
    nothing_newer_holds,
    only_open_sections_changed,
    papers_are_clean,
    renewal_is_near,
    rounds_are_left,
    sections_and_reasons_are_named,
    sections_are_known,
    signer_did_not_list,
    signer_did_not_verify,
    somebody_was_there,
    the_time_for_correction_is_over,
    their_own_institution,
    verifier_did_not_prepare,
    who,
)
from grants.registration.states import IN_PROCESS, State, working_days_between

S = State
OPERATOR, COMPANION = "dinsos_operator", "lkks_pendamping"
STAFF, HEAD_OF_LKS, VERIFIER, KADIS = "lks_pengurus", "lks_pimpinan", "verifikator", "kadis"
INSTITUTION_ROLES = frozenset({STAFF, HEAD_OF_LKS})


def _roles(*roles: str) -> frozenset[str]:
    return frozenset(roles)


_OWN = their_own_institution
_SUBMIT = (_OWN, form_is_complete, papers_are_clean, account_is_settled, certifier_did_not_prepare)
_START = (_OWN, institution_lives, first_officer_is_proved, nothing_else_is_running)
_SIGN = (certificate_is_whole, signer_did_not_verify)
_ISSUED = "lks.registered"


def _moves() -> Iterator[Move[State]]:
    yield Move(None, Enlist, S.LISTED, _roles(OPERATOR, COMPANION), (no_twin_is_unresolved,), "lks.listed")
    for source in (None, S.LISTED):
        yield Move(source, Start, S.DRAFT, _roles(STAFF, OPERATOR), _START, "lks.registration.started")
    writers = _roles(STAFF, OPERATOR, COMPANION)
    yield Move(S.DRAFT, Edit, S.DRAFT, writers, (_OWN, sections_are_known))
    yield Move(S.NEEDS_CORRECTION, Edit, S.NEEDS_CORRECTION, writers, (_OWN, only_open_sections_changed))
    yield Move(S.DRAFT, Submit, S.SUBMITTED, _roles(HEAD_OF_LKS), _SUBMIT, "lks.registration.submitted")
    take = (conflict_is_declared, verifier_did_not_prepare)
    yield Move(S.SUBMITTED, Take, S.IN_VERIFICATION, _roles(VERIFIER), take, "lks.registration.taken")
    yield Move(
        S.IN_VERIFICATION, RequestCorrection, S.NEEDS_CORRECTION, _roles(VERIFIER),
        (sections_and_reasons_are_named, rounds_are_left), "lks.registration.correction_requested",
    )  # fmt: skip
    yield Move(
        S.NEEDS_CORRECTION, Resubmit, S.SUBMITTED, _roles(HEAD_OF_LKS), (*_SUBMIT, only_open_sections_changed),
        "lks.registration.resubmitted",
    )  # fmt: skip
    yield Move(
        S.NEEDS_CORRECTION,
        Lapse,
        S.LAPSED,
        _roles(SYSTEM),
        (the_time_for_correction_is_over,),
        "lks.registration.lapsed",
    )
    visit = "lks.registration.visited"
    yield Move(
        S.IN_VERIFICATION, RecordVisit, S.IN_VERIFICATION, _roles(VERIFIER, OPERATOR), (minutes_are_there,), visit
    )
    yield Move(
        S.IN_VERIFICATION, Recommend, S.RECOMMENDED, _roles(VERIFIER), (checklist_is_all_valid, somebody_was_there),
        "lks.registration.recommended",
    )  # fmt: skip
    yield Move(S.RECOMMENDED, Issue, S.REGISTERED, _roles(KADIS), _SIGN, _ISSUED)
    yield Move(S.LISTED, Adopt, S.REGISTERED, _roles(KADIS), (certificate_is_whole, signer_did_not_list), _ISSUED)
    for source in (S.IN_VERIFICATION, S.RECOMMENDED):
        yield Move(source, Refuse, S.REFUSED, _roles(KADIS), (signer_did_not_verify,), "lks.registration.refused")
    renew = (_OWN, institution_lives, renewal_is_near, nothing_else_is_running)
    for source in (S.REGISTERED, S.EXPIRED):
        yield Move(source, StartRenewal, source, _roles(STAFF), renew)
    yield Move(
        S.REGISTERED, Expire, S.EXPIRED, _roles(SYSTEM), (it_has_ended, nothing_newer_holds), "lks.registration.expired"
    )
    yield Move(
        S.REGISTERED, Revoke, S.REVOKED, _roles(KADIS), (decree_and_appeal_are_named,), "lks.registration.revoked"
    )
    for source in S:
        if source is not S.DISSOLVED:
            yield Move(
                source, Dissolve, S.DISSOLVED, _roles(KADIS), (deed_is_there, no_agreement_is_open), "lks.dissolved"
            )
    for source in (S.DRAFT, S.SUBMITTED, S.NEEDS_CORRECTION):
        yield Move(source, Withdraw, S.WITHDRAWN, _roles(HEAD_OF_LKS), (_OWN,), "lks.registration.withdrawn")


MOVES = tuple(_moves())


def decide(file: Registration | None, command: Command, ctx: Context) -> tuple[Registration, Move[State]] | Refusal:
    """The file after the command and the row of the table that allowed it, or the refusal with every reason."""
    move = find(MOVES, file.state if file else None, command, file, ctx)
    if isinstance(move, Refusal):
        return move
    return replace(_brought(file or Registration(State.LISTED), command, ctx), state=move.target), move


def _brought(file: Registration, command: Command, ctx: Context) -> Registration:
    """The file with what the command brings and the hands it went through; the caller sets the state."""
    profile = command.facts.profile
    match command:
        case Enlist() | Start():
            return _touched(file, "prepare", ctx)
        case Edit(sections=sections):
            return replace(_touched(file, "prepare", ctx), form={**file.form, **sections})
        case Submit() | Resubmit():
            touched = _touched(file, "certify", ctx)
            return replace(touched, submitted_on=ctx.today, unlocked=frozenset(), due_on=None, reasons=())
        case Take():
            return _touched(file, "verify", ctx)
        case RequestCorrection(sections=sections, reasons=reasons):
            return replace(
                _touched(file, "verify", ctx), snapshot=dict(file.form), unlocked=sections, rounds=file.rounds + 1,
                due_on=ctx.today + timedelta(days=profile.correction_days), reasons=reasons,
            )  # fmt: skip
        case RecordVisit():
            return replace(_touched(file, "verify", ctx), visits=file.visits + 1)
        case Recommend():
            late = file.submitted_on is not None and (
                working_days_between(file.submitted_on, ctx.today, command.facts.holidays) > profile.working_days
            )
            return replace(_touched(file, "verify", ctx), sla_breached=late)
        case Issue(certificate=paper, valid_until=until) | Adopt(certificate=paper, valid_until=until):
            return replace(_touched(file, "decide", ctx), certificate=paper, valid_until=until)
        case Refuse(ground=ground):
            until = ctx.today + timedelta(days=profile.appeal_days)
            return replace(_touched(file, "decide", ctx), reasons=(ground.value,), appeal_until=until)
        case Revoke(appeal_until=until, reasons=reasons):
            return replace(_touched(file, "decide", ctx), reasons=reasons, appeal_until=until)
        case _:
            return file


def _touched(file: Registration, duty: str, ctx: Context) -> Registration:
    return replace(file, hands={**file.hands, duty: file.hands.get(duty, frozenset()) | who(ctx)})


def is_running(state: State) -> bool:
    """Whether an application in this state is under way."""
    return state in IN_PROCESS
