"""The conditions under which a payment batch may move: each a sentence with a yes or a no. Only `domain` calls them."""

from kit.machine import Context, Reason

from disbursement.batches.batch import (
    MAX_LINES,
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
    Duty,
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
    Submit,
    Verify,
)

DUTY_OF: dict[type, Duty] = {
    Draft: Duty.MAKE,
    Freeze: Duty.MAKE,
    Submit: Duty.MAKE,
    AddLines: Duty.MAKE,
    Verify: Duty.VERIFY,
    Approve: Duty.APPROVE,
    ApproveLast: Duty.APPROVE,
    RequestPayment: Duty.REQUEST,
    Order: Duty.ORDER,
    Export: Duty.EXPORT,
    Reconcile: Duty.RECONCILE,
}


def same_person(signature: Signature, ctx: Context) -> bool:
    """By account and, where both are known, by registry person (K17)."""
    return signature.actor == ctx.actor or (ctx.person_id is not None and signature.person_id == ctx.person_id)


def no_other_duty_in_this_file(batch: Batch, command: Command, ctx: Context) -> Reason | None:
    """Who made does not verify, who verified does not approve, who approved does not export; void rounds count too."""
    duty = DUTY_OF[type(command)]
    taken = next((s.duty for s in batch.signatures if same_person(s, ctx) and s.duty is not duty), None)
    return Reason.of("pemisahan_tugas", duty=taken.value) if taken else None


def has_not_approved_yet(batch: Batch, _: Approve, ctx: Context) -> Reason | None:
    """One person approves once."""
    return Reason("sudah_menyetujui") if any(same_person(s, ctx) for s in batch.approvals) else None


def list_is_the_one_shown(batch: Batch, command: Approve, _: Context) -> Reason | None:
    """The approver agrees to this list and this total, not to a number of a batch."""
    shown = (command.list_sha256, command.total_idr)
    return None if shown == (batch.list_sha256, batch.total_idr) else Reason("daftar_berubah")


def a_missing_approval_is_theirs(batch: Batch, _: Approve, ctx: Context) -> Reason | None:
    """The amount decides whose approvals are needed."""
    return None if approving_role(batch, ctx) else Reason.of("jabatan_penyetuju", role=",".join(batch.due_roles))


def no_open_outlier_case(batch: Batch, _: Approve, __: Context) -> Reason | None:
    """While a case of unusual figures is open, its lines are not approved."""
    return Reason("kasus_janggal_terbuka") if batch.open_cases else None


def has_lines(batch: Batch, _: object, __: Context) -> Reason | None:
    """An empty list goes nowhere."""
    return Reason("kelompok_kosong") if batch.count == 0 else None


def at_most_the_limit(batch: Batch, command: Draft | AddLines, _: Context) -> Reason | None:
    """Larger cycles make several batches."""
    return None if 0 < command.count + batch.count <= MAX_LINES else Reason.of("terlalu_banyak_baris", n=MAX_LINES)


def report_was_read(_: Batch, command: Submit, __: Context) -> Reason | None:
    """The maker has read why lines were taken out."""
    return None if command.report_read else Reason("laporan_belum_dibaca")


def sample_was_viewed(_: Batch, command: Verify, __: Context) -> Reason | None:
    """The verifier opened every line of the sample."""
    seen = len(command.sample & command.viewed)
    needed = len(command.sample)
    return Reason.of("contoh_belum_dilihat", seen=seen, needed=needed) if seen < needed else None


def nothing_stops_the_batch(_: Batch, command: Check | Export, __: Context) -> Reason | None:
    """Some findings concern no line but the whole list: wrong sums, no ceiling."""
    return Reason.of("gerbang_menolak", checks=",".join(command.stopped_by)) if command.stopped_by else None


def amount_is_the_current_total(batch: Batch, command: RequestPayment, _: Context) -> Reason | None:
    """The SPP asks for what the list holds today."""
    return None if command.amount_idr == batch.total_idr else Reason.of("jumlah_spm_beda", total_idr=batch.total_idr)


def spp_is_recorded(batch: Batch, command: Order, _: Context) -> Reason | None:
    """The SPM follows an SPP and orders the current total."""
    if batch.spp_idr is None:
        return Reason("spp_belum_ada")
    return None if command.amount_idr == batch.total_idr else Reason.of("jumlah_spm_beda", total_idr=batch.total_idr)


def sp2d_equals_spm(batch: Batch, command: Fund, _: Context) -> Reason | None:
    """The treasury pays out what was ordered."""
    return None if command.amount_idr == batch.spm_idr else Reason.of("jumlah_spm_beda", total_idr=batch.spm_idr or 0)


def approvals_cover_the_list(_: Batch, command: Export, __: Context) -> Reason | None:
    """Every approval was given to this list or to this list with more lines."""
    return None if command.approvals_hold else Reason("persetujuan_tidak_cocok")


def a_reason_is_given(_: Batch, command: Return | PullLine | RefuseOrder | Cancel, __: Context) -> Reason | None:
    """Nothing is given back or dropped without saying why."""
    return None if command.reason else Reason("alasan_wajib")


def a_receipt_is_given(_: Batch, command: ConfirmSent, __: Context) -> Reason | None:
    """The bank's receipt or the proof of the upload."""
    return None if command.receipt else Reason("bukti_kirim_wajib")


def levels_agree(batch: Batch, _: Reconcile, __: Context) -> Reason | None:
    """Level 1 (SP2D, bank debits) and level 2 (lines) come to nought."""
    return None if batch.levels_agree else Reason("selisih_rekonsiliasi")


def no_open_recon_item(batch: Batch, _: Reconcile, __: Context) -> Reason | None:
    """Every difference has been explained by one and resolved by another."""
    return Reason.of("selisih_terbuka", n=batch.open_items) if batch.open_items else None


def every_line_is_final(batch: Batch, _: Close, __: Context) -> Reason | None:
    """Nothing is in flight, in repair or blocked."""
    return Reason.of("baris_belum_selesai", n=batch.open_lines) if batch.open_lines else None


def approving_role(batch: Batch, ctx: Context) -> str | None:
    """The missing role that this person fills; a person with two roles fills one place."""
    return next((role for role in batch.due_roles if role in ctx.roles), None)
