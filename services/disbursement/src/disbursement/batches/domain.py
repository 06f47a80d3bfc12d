"""Payment batch (daftar pembayaran): the legal moves of a list of payments from draft to closed, and who may make them.

The list is frozen, checked, verified and approved by different people; each approval is bound to the SHA-256 of the
list and its total. Lines may only be taken out afterwards: an approval covers a larger list, never another one.
"""

from dataclasses import dataclass, replace

from kit.machine import SYSTEM, Context, Move, Refusal, find

from disbursement.batches.batch import (
    BENDAHARA,
    BPKAD,
    EXPORTER,
    KABID,
    KADIS,
    PPK,
    PROGRAM_MANAGER,
    RECON_OFFICER,
    SEKRETARIS,
    VERIFIKATOR,
    AddLines,
    Approve,
    ApproveLast,
    Batch,
    Cancel,
    Check,
    Close,
    Command,
    ConfirmSent,
    Draft,
    Export,
    Freeze,
    Fund,
    Order,
    PullLine,
    Reconcile,
    RefuseOrder,
    RequestPayment,
    Return,
    Signature,
    StartSettling,
    State,
    Submit,
    Verify,
)
from disbursement.batches.guards import (
    DUTY_OF,
    a_missing_approval_is_theirs,
    a_reason_is_given,
    a_receipt_is_given,
    amount_is_the_current_total,
    approvals_cover_the_list,
    approving_role,
    at_most_the_limit,
    every_line_is_final,
    has_lines,
    has_not_approved_yet,
    levels_agree,
    list_is_the_one_shown,
    no_open_outlier_case,
    no_open_recon_item,
    no_other_duty_in_this_file,
    nothing_stops_the_batch,
    report_was_read,
    sample_was_viewed,
    sp2d_equals_spm,
    spp_is_recorded,
)


def _by(*roles: str) -> frozenset[str]:
    return frozenset(roles)


MAKER = _by(PROGRAM_MANAGER)
APPROVERS = _by(KABID, KADIS, SEKRETARIS)
PULLERS = _by(SYSTEM, KABID)
APPROVAL = (
    no_other_duty_in_this_file,
    has_not_approved_yet,
    list_is_the_one_shown,
    a_missing_approval_is_theirs,
    no_open_outlier_case,
)
S = State

MOVES: tuple[Move[State], ...] = (
    Move(None, Draft, S.DRAFT, MAKER, (at_most_the_limit,), "batch.drafted"),
    Move(S.DRAFT, Freeze, S.FROZEN, MAKER, (no_other_duty_in_this_file, has_lines), "batch.frozen"),
    Move(S.FROZEN, Check, S.CHECKED, MAKER | {SYSTEM}, (nothing_stops_the_batch,), "batch.checked"),
    Move(S.CHECKED, Submit, S.SUBMITTED, MAKER, (no_other_duty_in_this_file, has_lines, report_was_read), "batch.submitted"),
    Move(S.SUBMITTED, Verify, S.VERIFIED, _by(VERIFIKATOR), (no_other_duty_in_this_file, sample_was_viewed), "batch.verified"),
    Move(S.VERIFIED, ApproveLast, S.APPROVED, APPROVERS, APPROVAL, "batch.approved"),
    Move(S.VERIFIED, Approve, S.VERIFIED, APPROVERS, APPROVAL),
    Move(S.SUBMITTED, Return, S.DRAFT, _by(VERIFIKATOR), (a_reason_is_given,), "batch.returned"),
    Move(S.VERIFIED, Return, S.DRAFT, APPROVERS, (a_reason_is_given,), "batch.returned"),
    Move(S.APPROVED, Return, S.DRAFT, _by(BENDAHARA, PPK), (a_reason_is_given,), "batch.returned"),
    *(
        Move(s, AddLines, S.DRAFT, MAKER, (no_other_duty_in_this_file, at_most_the_limit), "batch.returned")
        for s in (S.FROZEN, S.CHECKED, S.SUBMITTED, S.VERIFIED, S.APPROVED)
    ),
    Move(S.DRAFT, AddLines, S.DRAFT, MAKER, (no_other_duty_in_this_file, at_most_the_limit)),
    *(
        Move(s, PullLine, s, PULLERS, (a_reason_is_given,), "batch.line_removed")
        for s in (S.FROZEN, S.CHECKED, S.SUBMITTED, S.VERIFIED, S.APPROVED, S.ORDERED, S.FUNDED, S.EXPORTED)
    ),
    Move(S.APPROVED, RequestPayment, S.APPROVED, _by(BENDAHARA), (no_other_duty_in_this_file, has_lines, amount_is_the_current_total)),
    Move(S.APPROVED, Order, S.ORDERED, _by(PPK), (no_other_duty_in_this_file, has_lines, spp_is_recorded), "batch.ordered"),
    Move(S.ORDERED, Fund, S.FUNDED, _by(BPKAD), (sp2d_equals_spm,), "batch.funded"),
    Move(S.ORDERED, RefuseOrder, S.APPROVED, _by(BPKAD, PPK), (a_reason_is_given,), "batch.returned"),
    Move(
        S.FUNDED, Export, S.EXPORTED, _by(EXPORTER),
        (no_other_duty_in_this_file, has_lines, nothing_stops_the_batch, approvals_cover_the_list), "batch.exported",
    ),
    Move(S.EXPORTED, ConfirmSent, S.SENT, _by(EXPORTER, SYSTEM), (a_receipt_is_given,), "batch.sent"),
    *(
        Move(s, StartSettling, S.SETTLING, _by(SYSTEM), (), "batch.settling")
        for s in (S.SENT, S.RECONCILED, S.CLOSED)
    ),
    Move(S.SETTLING, Reconcile, S.RECONCILED, _by(RECON_OFFICER), (no_other_duty_in_this_file, levels_agree, no_open_recon_item), "batch.reconciled"),
    Move(S.RECONCILED, Close, S.CLOSED, _by(KABID), (every_line_is_final,), "batch.closed"),
    *(
        Move(s, Cancel, S.CANCELLED, _by(KABID), (a_reason_is_given,), "batch.cancelled")
        for s in (S.DRAFT, S.FROZEN, S.CHECKED, S.SUBMITTED, S.VERIFIED, S.APPROVED)
    ),
)  # fmt: skip
"""A file written again after a line was pulled, and a re-issue, are moves of files and lines, not of the batch."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The batch after the command, and the event that tells of it (None: nothing to tell)."""

    batch: Batch
    event: str | None


def decide(batch: Batch, command: Command, ctx: Context) -> Decision | Refusal:
    """The batch after the command, or the refusal with every reason."""
    if isinstance(command, Approve) and _is_last(batch, ctx):
        command = ApproveLast(command.list_sha256, command.total_idr)
    match find(MOVES, batch.state, command, batch, ctx):
        case Refusal() as refusal:
            return refusal
        case Move(target=target, event=event):
            return Decision(_after(replace(batch, state=target), command, ctx), event)


def _after(batch: Batch, command: Command, ctx: Context) -> Batch:
    """What a command leaves in the batch beside its state."""
    match command:
        case Return() | AddLines():
            return replace(
                batch,
                signatures=tuple(replace(s, void=True) for s in batch.signatures),
                spp_idr=None,
                submitted_total_idr=0,
            )
        case Submit():
            return _signed(replace(batch, submitted_total_idr=batch.total_idr), command, ctx)
        case RequestPayment(amount_idr=amount):
            return _signed(replace(batch, spp_idr=amount), command, ctx)
        case Order(amount_idr=amount):
            return _signed(replace(batch, spm_idr=amount), command, ctx)
        case RefuseOrder():
            return replace(batch, spm_idr=None, spp_idr=None)
        case _:
            return _signed(batch, command, ctx)


def _signed(batch: Batch, command: Command, ctx: Context) -> Batch:
    """The batch with the signature of a command that counts as a duty."""
    duty = DUTY_OF.get(type(command))
    if duty is None:
        return batch
    role = approving_role(batch, ctx) if isinstance(command, Approve) else min(ctx.roles)
    signature = Signature(
        duty, ctx.actor, ctx.person_id, role or "", batch.list_sha256, batch.total_idr, list_no=batch.list_no
    )
    return replace(batch, signatures=(*batch.signatures, signature))


def _is_last(batch: Batch, ctx: Context) -> bool:
    role = approving_role(batch, ctx)
    return role is not None and batch.due_roles == (role,)
