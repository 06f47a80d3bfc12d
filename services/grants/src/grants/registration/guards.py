"""The sentences that stand between a registration file and its next state; each answers with a reason or is silent."""

from datetime import timedelta

from kit.machine import Context, Reason

from grants.registration.file import (
    Adopt,
    Command,
    Dissolve,
    Edit,
    Issue,
    Recommend,
    RecordVisit,
    Registration,
    RequestCorrection,
    Revoke,
    Take,
)
from grants.registration.states import Section


def who(ctx: Context) -> frozenset[str]:
    """The account and, where known, the person behind it: separation of duties compares both."""
    return frozenset({ctx.actor} | ({f"person:{ctx.person_id}"} if ctx.person_id else set()))


def their_own_institution(_: Registration | None, command: Command, __: Context) -> Reason | None:
    """Users of an institution act for their own institution only."""
    return None if command.facts.own else Reason("bukan_lks_sendiri")


def no_twin_is_unresolved(_: Registration | None, command: Command, __: Context) -> Reason | None:
    """One institution is listed once, however its name is spelled."""
    n = command.facts.candidates
    return Reason.of("lks_calon_ganda", n=n) if n else None


def first_officer_is_proved(_: Registration | None, command: Command, __: Context) -> Reason | None:
    """The first officer (pengurus) has shown who they are."""
    return None if command.facts.first_officer_proved else Reason("pengurus_belum_terbukti")


def institution_lives(_: Registration | None, command: Command, __: Context) -> Reason | None:
    """Nothing begins for an institution that has ended."""
    return Reason("lks_bubar") if command.facts.dissolved else None


def nothing_else_is_running(_: Registration | None, command: Command, __: Context) -> Reason | None:
    """One application at a time."""
    return Reason("pendaftaran_berjalan") if command.facts.running else None


def form_is_complete(file: Registration, _: Command, __: Context) -> Reason | None:
    """Every section holds something."""
    missing = [section.value for section in Section if not file.form.get(section.value)]
    return Reason.of("formulir_belum_lengkap", list=", ".join(missing)) if missing else None


def papers_are_clean(_: Registration, command: Command, __: Context) -> Reason | None:
    """Attachments were scanned and found clean."""
    return Reason("lampiran_belum_bersih") if command.facts.papers_unclean else None


def account_is_settled(_: Registration, command: Command, __: Context) -> Reason | None:
    """An account in the institution's own name, or the word that there is none."""
    return None if command.facts.account_settled else Reason("rekening_belum_dinyatakan")


def certifier_did_not_prepare(file: Registration, _: Command, ctx: Context) -> Reason | None:
    """Who wrote the form does not certify it."""
    return Reason("penyusun_menyatakan") if who(ctx) & file.hands.get("prepare", frozenset()) else None


def conflict_is_declared(_: Registration, command: Take, __: Context) -> Reason | None:
    """A verifier says before looking whether there is a conflict of interest; who has one leaves the file."""
    if command.conflict is None:
        return Reason("benturan_belum_dinyatakan")
    return Reason("benturan_kepentingan") if command.conflict else None


def verifier_did_not_prepare(file: Registration, _: Command, ctx: Context) -> Reason | None:
    """Who helped to write the form does not check it."""
    return Reason("pemisahan_tugas") if who(ctx) & file.hands.get("prepare", frozenset()) else None


def sections_and_reasons_are_named(_: Registration, command: RequestCorrection, __: Context) -> Reason | None:
    """People can only mend what is named."""
    known = {section.value for section in Section}
    return (
        None if command.sections and command.sections <= known and command.reasons else Reason("bagian_tidak_disebut")
    )


def rounds_are_left(file: Registration, command: Command, _: Context) -> Reason | None:
    """Nobody is sent back for ever."""
    return None if file.rounds < command.facts.profile.rounds else Reason.of("putaran_habis", n=file.rounds)


def only_open_sections_changed(file: Registration, command: Command, _: Context) -> Reason | None:
    """What was not asked for stays as it was certified."""
    edited = set(command.sections) if isinstance(command, Edit) else changed_sections(file)
    locked = sorted(edited - file.unlocked)
    return Reason.of("bagian_terkunci", list=", ".join(locked)) if locked else None


def sections_are_known(_: Registration, command: Edit, __: Context) -> Reason | None:
    """The form has the sections it has."""
    return None if set(command.sections) <= {s.value for s in Section} else Reason("bagian_tidak_disebut")


def the_time_for_correction_is_over(file: Registration, _: Command, ctx: Context) -> Reason | None:
    """The last day belongs to the institution."""
    return None if file.due_on is not None and file.due_on < ctx.today else Reason("belum_waktunya")


def minutes_are_there(_: Registration, command: RecordVisit, ctx: Context) -> Reason | None:
    """A visit is proved by its minutes (berita acara), and lies not in the future."""
    return None if command.minutes and command.visited_on <= ctx.today else Reason("berita_acara_kurang")


def checklist_is_all_valid(_: Registration, command: Recommend, __: Context) -> Reason | None:
    """Who recommends has answered every point with yes."""
    good = command.checklist and all(command.checklist.values())
    return None if good else Reason("daftar_periksa_belum_lengkap")


def somebody_was_there(file: Registration, _: Command, __: Context) -> Reason | None:
    """No certificate without a visit."""
    return None if file.visits else Reason("kunjungan_belum_ada")


def certificate_is_whole(_: Registration, command: Issue | Adopt, ctx: Context) -> Reason | None:
    """Number and date, not in the future, and an end after the beginning where this office knows ends."""
    paper, until = command.certificate, command.valid_until
    if paper is None or not paper.number or paper.dated > ctx.today:
        return Reason("tanda_daftar_kurang")
    if until is None and command.facts.profile.validity_years is not None:
        return Reason("tanda_daftar_kurang")
    return Reason("tanda_daftar_kurang") if until is not None and until <= paper.dated else None


def signer_did_not_verify(file: Registration, _: Command, ctx: Context) -> Reason | None:
    """Who verified does not decide."""
    return Reason("pemeriksa_memutuskan") if who(ctx) & file.hands.get("verify", frozenset()) else None


def signer_did_not_list(file: Registration, _: Command, ctx: Context) -> Reason | None:
    """Who entered an old certificate's institution does not adopt it alone."""
    return Reason("pemisahan_tugas") if who(ctx) & file.hands.get("prepare", frozenset()) else None


def renewal_is_near(file: Registration, command: Command, ctx: Context) -> Reason | None:
    """A renewal starts in the last ninety days, or afterwards."""
    days = command.facts.profile.renewal_days
    near = file.valid_until is not None and file.valid_until - timedelta(days=days) <= ctx.today
    return None if near else Reason.of("terlalu_dini", n=days)


def it_has_ended(file: Registration, _: Command, ctx: Context) -> Reason | None:
    """The last day of validity has passed."""
    return None if file.valid_until is not None and file.valid_until < ctx.today else Reason("belum_berakhir")


def nothing_newer_holds(_: Registration, command: Command, __: Context) -> Reason | None:
    """A certificate that was renewed does not expire for the institution."""
    return Reason("ada_yang_lebih_baru") if command.facts.newer_certificate else None


def decree_and_appeal_are_named(_: Registration, command: Revoke, ctx: Context) -> Reason | None:
    """A revocation names its decree, its reasons, and until when one may object."""
    whole = command.decree and command.reasons and command.appeal_until and command.appeal_until > ctx.today
    return None if whole else Reason("sk_dan_banding_kurang")


def deed_is_there(_: Registration, command: Dissolve, __: Context) -> Reason | None:
    """An institution ends by deed."""
    return None if command.deed else Reason("akta_pembubaran_kurang")


def no_agreement_is_open(_: Registration, command: Command, __: Context) -> Reason | None:
    """Public money must be accounted for first (agreement, LPJ)."""
    return Reason("masih_ada_perjanjian") if command.facts.open_agreements else None


def changed_sections(file: Registration) -> set[str]:
    """The sections that differ from what stood there when corrections were asked for."""
    before = file.snapshot or {}
    return {name for name in {*before, *file.form} if before.get(name) != file.form.get(name)}
