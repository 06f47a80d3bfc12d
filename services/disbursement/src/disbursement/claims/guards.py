"""The guards of a claim: sentences with a yes or a no. `claims.domain` puts them into the table of moves. Pure."""

from datetime import timedelta

from kit.machine import Context, Reason, Refusal

from disbursement.claims.claim import (
    Appeal,
    Approve,
    CheckKel,
    Claim,
    Close,
    Complete,
    Did,
    Dismiss,
    File,
    ProposeRejection,
    Reject,
    Return,
    Start,
    Uphold,
    Verify,
)


def did(claim: Claim, ctx: Context, *what: Did) -> bool:
    """Whether this person (by account or by registry record) ever did one of these in the file."""
    return any(
        s.did in what and (s.actor == ctx.actor or (ctx.person_id is not None and s.person_id == ctx.person_id))
        for s in claim.steps
    )


def the_death_is_known(_: Claim, command: Start, __: Context) -> Reason | None:
    """The registry has a record of the death."""
    return None if command.death_known else Reason("kematian_tidak_ditemukan")


def a_rule_covers_the_death(_: Claim, command: File, __: Context) -> Reason | None:
    """Some rule version was in force on the day that counts."""
    return None if command.rule_in_force else Reason("di_luar_masa_aturan")


def intake_is_open(_: Claim, command: File, __: Context) -> Reason | None:
    """The programme takes files at this instant."""
    return command.intake.reasons[0] if isinstance(command.intake, Refusal) else None


def before_the_deadline(_: Claim, command: File, __: Context) -> Reason | None:
    """The place's deadline after a death has not passed."""
    late = command.deadline is not None and command.received_at >= command.deadline
    return Reason.of("batas_waktu_klaim", at=command.deadline.isoformat()) if late and command.deadline else None


def the_claimant_lives(_: Claim, command: File, __: Context) -> Reason | None:
    """A benefit for heirs is paid to a living person."""
    return None if command.claimant_life == "alive" else Reason("pemohon_tidak_hidup")


def the_claimant_is_another_than_the_deceased(_: Claim, command: File, __: Context) -> Reason | None:
    """Nobody claims for their own death."""
    return Reason("pemohon_almarhum") if command.claimant_is_deceased else None


def nobody_claimed_before(_: Claim, command: File, __: Context) -> Reason | None:
    """One claim for one deceased, over all years and programmes of the kind."""
    return None if command.deceased_taken is None else Reason(command.deceased_taken)


def every_paper_is_new(_: Claim, command: File | Complete, __: Context) -> Reason | None:
    """A paper that may serve once has not served another claim."""
    return Reason("dokumen_dipakai_ulang") if command.paper_taken else None


def no_paper_is_missing(_: Claim, command: File | Complete, __: Context) -> Reason | None:
    """All papers of the rule are in the file."""
    docs = ",".join(m.doc for m in command.missing if m.too_old_months is None)
    return Reason.of("dokumen_kurang", list=docs) if docs else None


def no_paper_is_too_old(_: Claim, command: File | Complete, __: Context) -> Reason | None:
    """A certificate with an age limit is young enough."""
    old = next((m for m in command.missing if m.too_old_months is not None), None)
    return Reason.of("akta_kedaluwarsa", doc=old.doc, months=old.too_old_months or 0) if old else None


def missing_papers_may_follow(_: Claim, command: File, __: Context) -> Reason | None:
    """Everything that is missing may be brought later, by the rule or by the grace of a closing."""
    if isinstance(command.intake, Refusal) or command.intake.refused or not command.missing:
        return Reason.of("dokumen_kurang", list=",".join(m.doc for m in command.missing))
    return None


def before_the_cure_ends(claim: Claim, _: Complete, ctx: Context) -> Reason | None:
    """The missing papers come before their time is over."""
    return late_paper(claim, ctx)


def the_cure_has_ended(claim: Claim, _: object, ctx: Context) -> Reason | None:
    """Time to bring the missing papers is over."""
    return None if late_paper(claim, ctx) else Reason("masih_dalam_masa_perbaikan")


def late_paper(claim: Claim, ctx: Context) -> Reason | None:
    """The first paper whose time is over: by grace of a closing, or as an ordinary missing paper."""
    late = min((w for w in claim.waits if w.until <= ctx.now), key=lambda w: w.until, default=None)
    if late is None:
        return None
    if late.by_grace:
        return Reason.of("batas_masa_tenggang", doc=late.doc, at=late.until.isoformat())
    return Reason.of("dokumen_kurang", list=late.doc)


def not_entered_by_the_same_person(claim: Claim, _: object, ctx: Context) -> Reason | None:
    """Who typed a file does not check it."""
    return Reason("pemasuk_memeriksa") if did(claim, ctx, Did.ENTERED) else None


def not_entered_or_checked_by_the_same_person(claim: Claim, _: object, ctx: Context) -> Reason | None:
    """Each look at a file is another person's."""
    return Reason("pemeriksa_sama") if did(claim, ctx, Did.ENTERED, Did.CHECKED) else None


def not_prepared_by_the_same_person(claim: Claim, _: object, ctx: Context) -> Reason | None:
    """Who entered, checked or verified a claim does not decide it."""
    prepared = did(claim, ctx, Did.ENTERED, Did.CHECKED, Did.VERIFIED, Did.PROPOSED)
    return Reason("penyiap_memutuskan") if prepared else None


def not_decided_by_the_same_person(claim: Claim, _: object, ctx: Context) -> Reason | None:
    """An appeal is heard by somebody who has not decided the claim before."""
    return Reason("pemutus_sama") if did(claim, ctx, Did.DECIDED) else None


def nobody_decides_for_the_own_family(claim: Claim, command: Verify | Approve | Reject, ctx: Context) -> Reason | None:
    """The officer is neither the claimant nor of the claimant's family."""
    own = ctx.person_id is not None and ctx.person_id == claim.claimant
    return Reason("konflik_petugas") if own or command.conflict else None


def no_nearer_heir_stands_before(_: Claim, command: CheckKel, __: Context) -> Reason | None:
    """Every living heir before the claimant has left it to them."""
    return next((r for r in command.heir if r.code != "dokumen_kurang"), None)


def the_papers_of_the_rank_are_there(_: Claim, command: CheckKel, __: Context) -> Reason | None:
    """A claimant of last resort brings the witness of the neighbourhood."""
    return next((r for r in command.heir if r.code == "dokumen_kurang"), None)


def a_signal_was_followed_by_a_visit(_: Claim, command: CheckKel, __: Context) -> Reason | None:
    """Where the file stands out, somebody has been at the house."""
    if command.signals and not command.visited:
        return Reason.of("perlu_kunjungan", list=",".join(command.signals))
    return None


def the_district_has_checked_where_it_must(claim: Claim, _: Verify, __: Context) -> Reason | None:
    """The district office's look may be skipped only where the profile says so."""
    return None if claim.terms.skip_kec else Reason("belum_diperiksa_kecamatan")


def the_death_is_certified(claim: Claim, command: Verify | Approve, __: Context) -> Reason | None:
    """The certificate (akta kematian) is certified in the registry, or the burial rule of the place stands for it."""
    if command.death_state == "certified":
        return None
    buried = isinstance(command, Verify) and claim.terms.burial_rule and command.buried
    corroborated = claim.terms.burial_rule and command.death_state == "corroborated"
    return None if buried or corroborated else Reason("akta_belum_sah")


def no_sign_of_life_after_the_death(_: Claim, command: Verify, __: Context) -> Reason | None:
    """Nothing shows the deceased alive after the stated day."""
    return Reason("tanda_hidup") if command.life_signs else None


def no_other_record_looks_like_the_deceased(_: Claim, command: Verify, __: Context) -> Reason | None:
    """No open question whether two records are one person."""
    return Reason("kandidat_ganda") if command.twins else None


def there_is_a_way_to_pay(claim: Claim, command: Verify, __: Context) -> Reason | None:
    """The claimant has an account that works, or the place pays in cash."""
    if claim.terms.cash_place or command.payee_state == "active":
        return None
    codes = {
        "rejected": "rekening_gagal",
        "closed": "rekening_ditutup",
        "blocked": "rekening_diblokir",
        "dormant": "rekening_diblokir",
    }
    return Reason(codes.get(command.payee_state or "", "rekening_belum_ada"))


def the_criteria_are_met(_: Claim, command: Verify | Approve, __: Context) -> Reason | None:
    """Nothing in the rule speaks against the claim."""
    return Reason.of("kriteria_tidak_terpenuhi", list=",".join(command.failed)) if command.failed else None


def nothing_is_left_to_find_out(_: Claim, command: Verify, __: Context) -> Reason | None:
    """No criterion that a person must look at is still unknown."""
    return Reason.of("fakta_belum_diketahui", list=",".join(command.unknown)) if command.unknown else None


def the_benefit_is_more_than_nothing(_: Claim, command: Approve, __: Context) -> Reason | None:
    """The rule gives an amount for this case."""
    return None if command.amount_idr > 0 else Reason(command.worth_basis)


def the_death_was_not_revoked(claim: Claim, _: object, __: Context) -> Reason | None:
    """The registry has not taken the death back."""
    return Reason("kematian_dicabut") if claim.flagged else None


def long_enough_without_return(claim: Claim, _: Close, ctx: Context) -> Reason | None:
    """A payment that was not sent back within the days of the profile rests."""
    rested = claim.paid_at is not None and claim.paid_at + timedelta(days=claim.terms.close_days) <= ctx.now
    return None if rested else Reason("masih_dalam_masa_retur")


def papers_and_reason_are_named(_: Claim, command: Return, __: Context) -> Reason | None:
    """A file goes back with what is missing and why."""
    return None if command.docs and command.reason else Reason("alasan_wajib")


def reasons_are_named(_: Claim, command: ProposeRejection | Reject | Uphold | Dismiss, __: Context) -> Reason | None:
    """A decision against or for a person has reasons."""
    return None if command.reasons else Reason("alasan_wajib")


def a_verifier_has_proposed_it(claim: Claim, _: Reject, __: Context) -> Reason | None:
    """The verifier proposes a rejection; the head of office decides it."""
    return None if any(s.did == Did.PROPOSED for s in claim.steps) else Reason("usul_tolak_belum_ada")


def within_the_days_of_appeal(claim: Claim, _: Appeal, ctx: Context) -> Reason | None:
    """The appeal comes before its last day ends."""
    open_ = claim.appeal_until is not None and ctx.now < claim.appeal_until
    return None if open_ else Reason("batas_keberatan")


def the_first_appeal(claim: Claim, _: Appeal, __: Context) -> Reason | None:
    """One appeal to one rejection."""
    return Reason("keberatan_sudah_dipakai") if claim.appeals else None


def the_inspector_has_found_it(claim: Claim, _: object, ctx: Context) -> Reason | None:
    """Fraud is found by the inspectorate and declared by somebody else."""
    if not any(s.did == Did.FOUND for s in claim.steps):
        return Reason("temuan_belum_ada")
    return Reason("penemu_memutuskan") if did(claim, ctx, Did.FOUND) else None
