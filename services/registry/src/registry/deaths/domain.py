"""Death records: what may happen to one, who may make it happen, and when the registry refuses.

Pure rules; HTTP, the consumer of returned payments, the 30-day rule and imports all decide here.
"""

from dataclasses import replace
from datetime import timedelta

from kit.machine import SYSTEM, Context, Move, Reason, Refusal, find

from registry.deaths.record import (
    Certify,
    CertifyByBurialBook,
    Command,
    Contradict,
    Corroborate,
    Death,
    ExpireHold,
    LinkPerson,
    ProposeOutcome,
    Report,
    Revoke,
    State,
    Void,
    same_person,
)

HOLD = timedelta(days=30)
"""How long an unconfirmed report may hold aid; a false report must not stop it for ever."""
CLOCK_DRIFT = timedelta(minutes=5)
"""How far a device's clock may run ahead (kernel rule K11)."""
OLDEST_AGE_YEARS = 130


# Guards: a sentence with a yes or a no -------------------------------------------------------------------------------


def died_in_the_past(_: Death | None, command: Report, ctx: Context) -> Reason | None:
    """The day of death is today or before."""
    return None if command.died_on <= ctx.today else Reason("tanggal_wafat")


def captured_by_now(_: Death | None, command: Report | Corroborate, ctx: Context) -> Reason | None:
    """A device cannot have captured the report in the future; five minutes of drift are forgiven."""
    return None if command.captured_at <= ctx.now + CLOCK_DRIFT else Reason("waktu_catat_di_masa_depan")


def died_after_birth(_: Death | None, command: Report | LinkPerson, __: Context) -> Reason | None:
    """Nobody dies before birth or later than the oldest age that is believed."""
    born = command.subject.birth_date
    died = command.died_on if isinstance(command, Report) else None
    if born is None or died is None:
        return None
    return (
        None
        if born <= died <= born.replace(year=born.year + OLDEST_AGE_YEARS, day=min(born.day, 28))
        else Reason("tanggal_wafat")
    )


def linked_death_after_birth(death: Death, command: LinkPerson, _: Context) -> Reason | None:
    """The person to link was born by the day of this death."""
    born = command.subject.birth_date
    return Reason("tanggal_wafat") if born is not None and death.died_on < born else None


def no_live_record(_: Death | None, command: Report | LinkPerson, __: Context) -> Reason | None:
    """One live death record a person, over all years (opencrvs-core#12639 took several)."""
    other = command.subject.live_record
    return None if other is None else Reason.of("sudah_ada_catatan", death_record_id=str(other))


def person_is_active(_: Death | None, command: Report | LinkPerson, __: Context) -> Reason | None:
    """The person is a live row: neither merged away nor void."""
    return None if command.subject.active else Reason("orang_digabung")


def person_is_named(_: Death, command: LinkPerson, __: Context) -> Reason | None:
    """There is somebody to link."""
    return Reason("orang_belum_dikenal") if command.subject.person_id is None else None


def not_linked_yet(death: Death, _: LinkPerson, __: Context) -> Reason | None:
    """A record is linked once; a wrong link is void and reported anew."""
    return None if death.person_id is None else Reason("sudah_dihubungkan")


def another_source(death: Death, command: Corroborate, _: Context) -> Reason | None:
    """The same kind of source twice is one source."""
    known = {t.source for t in death.statements}
    return Reason("sumber_sama") if command.statement.source in known else None


def another_reporter(death: Death, command: Corroborate, _: Context) -> Reason | None:
    """One person speaking twice is one source."""
    same = any(
        same_person(t, command.statement.reporter, command.statement.reporter_person_id) for t in death.statements
    )
    return Reason("pelapor_sama") if same else None


def another_person_than_the_reporters(death: Death, _: Command, ctx: Context) -> Reason | None:
    """Who reports a death never decides it, whatever the role; compared by account and by person."""
    same = any(same_person(t, ctx.actor, ctx.person_id) for t in death.statements)
    return Reason("pelapor_mengesahkan") if same else None


def another_person_than_reported(death: Death, _: Contradict, ctx: Context) -> Reason | None:
    """A sign of life is seen by somebody who did not report the death."""
    same = any(same_person(t, ctx.actor, ctx.person_id) for t in death.statements)
    return Reason("pelapor_menyanggah") if same else None


def akta_after_the_death(death: Death, command: Certify | CertifyByBurialBook, ctx: Context) -> Reason | None:
    """An akta is issued on or after the day of death, and not in the future."""
    return None if death.died_on <= command.issued_on <= ctx.today else Reason("tanggal_akta")


def akta_not_used(_: Death, command: Certify, __: Context) -> Reason | None:
    """One akta certifies one death, over all years."""
    return None if command.used_by is None else Reason.of("akta_dipakai_ulang", death_record_id=str(command.used_by))


def akta_number_is_there(_: Death, command: Certify, __: Context) -> Reason | None:
    """The number holds something after normalising."""
    return None if any(c.isdigit() for c in command.akta_no) else Reason("nomor_akta_kosong")


def seen_after_the_death(death: Death, command: Contradict, ctx: Context) -> Reason | None:
    """A sign of life counts when it is later than the reported death, and has happened."""
    return None if death.died_on <= command.seen_on <= ctx.today else Reason("tanggal_tanda_hidup")


def photo_is_there(_: Death, command: Contradict, __: Context) -> Reason | None:
    """A sign of life needs a photo of the visit."""
    return None if command.photo_document_id is not None else Reason.of("dokumen_wajib", doc="foto")


def hold_still_runs(death: Death, _: ExpireHold, __: Context) -> Reason | None:
    """The hold ends once."""
    return None if death.hold_expired_at is None else Reason("penahanan_sudah_berakhir")


def thirty_days_have_passed(death: Death, _: ExpireHold, ctx: Context) -> Reason | None:
    """The rule acts 30 days after the report reached the office."""
    return None if ctx.now - death.reported_at >= HOLD else Reason("masa_tahan_belum_lewat")


def visit_found_nothing(_: Death, command: ExpireHold, __: Context) -> Reason | None:
    """The head of section ends a hold early only after the check visit."""
    return None if command.visit_found_nothing else Reason("kunjungan_belum_ada")


def another_person_proposed(death: Death, _: Command, ctx: Context) -> Reason | None:
    """A dispute ends by two people: a verifikator proposes, the kabid decides."""
    if death.proposed_by is None:
        return Reason("usul_putusan_belum_ada")
    return Reason("pengusul_memutuskan") if death.proposed_by == ctx.actor else None


def certifying_was_proposed(death: Death, _: Command, __: Context) -> Reason | None:
    """The decision is the one that was proposed."""
    return None if death.proposed_outcome in (None, "certify") else Reason("putusan_lain_diusulkan")


def revoking_was_proposed(death: Death, _: Command, __: Context) -> Reason | None:
    """The decision is the one that was proposed."""
    return None if death.proposed_outcome in (None, "revoke") else Reason("putusan_lain_diusulkan")


def outcome_is_known(_: Death, command: ProposeOutcome, __: Context) -> Reason | None:
    """A dispute ends in a certificate or in a revocation."""
    return None if command.outcome in ("certify", "revoke") else Reason("putusan_tidak_dikenal")


def evidence_is_there(_: Death, command: Revoke, __: Context) -> Reason | None:
    """A revocation rests on a document."""
    return None if command.document_id is not None else Reason.of("dokumen_wajib", doc="pendukung")


def letter_of_court_or_dukcapil(_: Death, command: Revoke, __: Context) -> Reason | None:
    """Only a court or Dukcapil takes an akta back."""
    return None if command.basis in ("court", "dukcapil") else Reason("surat_pembatalan_kurang")


def dpo_is_informed(_: Death, command: Revoke, __: Context) -> Reason | None:
    """The data-protection officer hears of every certificate taken back."""
    return None if command.dpo_informed else Reason("dpo_belum_diberi_tahu")


# The table -----------------------------------------------------------------------------------------------------------

FIELD = frozenset({"op_desa", "op_kec", "op_kab", "petugas", "trc", "rps_admin", "pos_officer", "verifikator", "kabid"})
"""Whoever works in the field or at a counter may report."""
MACHINE = "machine"
"""A partner's system with the scope to report, such as a hospital's; it holds no role and only reports."""
REPORTERS = FIELD | {SYSTEM, MACHINE}
WITNESSES = frozenset({"op_desa", SYSTEM})
VERIFIER = frozenset({"verifikator"})
REGISTRAR = frozenset({"verifikator", SYSTEM})
OFFICER = frozenset({"petugas"})
SECTION = frozenset({"kabid"})
HEAD = frozenset({"kadis"})
RULE = frozenset({SYSTEM})

_NEW = (died_in_the_past, captured_by_now, died_after_birth, no_live_record, person_is_active)
_SECOND = (captured_by_now, another_source, another_reporter)
_AKTA = (another_person_than_the_reporters, akta_number_is_there, akta_after_the_death, akta_not_used)
_SEEN = (another_person_than_reported, seen_after_the_death, photo_is_there)
_LINK = (person_is_named, not_linked_yet, no_live_record, person_is_active, linked_death_after_birth)
_BY_TWO = (another_person_than_the_reporters, another_person_proposed)
_R, _C, _D, _X = State.REPORTED, State.CORROBORATED, State.DISPUTED, State.CERTIFIED

MOVES: tuple[Move[State], ...] = (
    Move(None, Report, _R, REPORTERS, _NEW, "death.reported"),
    Move(_R, Corroborate, _C, WITNESSES, _SECOND, "death.corroborated"),
    Move(_R, Certify, _X, REGISTRAR, _AKTA, "death.certified"),
    Move(_C, Certify, _X, REGISTRAR, _AKTA, "death.certified"),
    Move(_D, Certify, _X, SECTION, (*_AKTA, another_person_proposed, certifying_was_proposed), "death.certified"),
    Move(_R, Contradict, _D, OFFICER, _SEEN, "death.disputed"),
    Move(_C, Contradict, _D, OFFICER, _SEEN, "death.disputed"),
    Move(_R, ExpireHold, _R, SECTION, (hold_still_runs, visit_found_nothing), "death.hold_expired"),
    Move(_R, ExpireHold, _R, RULE, (hold_still_runs, thirty_days_have_passed), "death.hold_expired"),
    Move(_D, ProposeOutcome, _D, VERIFIER, (another_person_than_the_reporters, outcome_is_known)),
    Move(_D, Revoke, State.REVOKED, SECTION, (*_BY_TWO, revoking_was_proposed, evidence_is_there), "death.revoked"),
    Move(_X, Revoke, State.REVOKED, HEAD, (another_person_than_the_reporters, evidence_is_there, letter_of_court_or_dukcapil, dpo_is_informed), "death.revoked"),
    Move(_R, LinkPerson, _R, VERIFIER, _LINK, "death.linked"),
    Move(_C, LinkPerson, _C, VERIFIER, _LINK, "death.linked"),
    Move(_D, LinkPerson, _D, VERIFIER, _LINK, "death.linked"),
    Move(_X, LinkPerson, _X, VERIFIER, _LINK, "death.linked"),
    Move(_R, Void, State.VOID, VERIFIER, (another_person_than_the_reporters,), "death.voided"),
)  # fmt: skip

BURIAL_BOOK_MOVES: tuple[Move[State], ...] = tuple(
    Move(
        source,
        CertifyByBurialBook,
        _X,
        VERIFIER,
        (another_person_than_the_reporters, akta_after_the_death),
        "death.certified",
    )
    for source in (_R, _C)
)
"""Added where the profile of the office takes the burial book and a letter of the kelurahan for an akta."""


def decide(
    death: Death | None, command: Command, ctx: Context, moves: tuple[Move[State], ...] = MOVES
) -> tuple[Death, str | None] | Refusal:
    """The death after the command and the event that tells of it, or the refusal with every reason."""
    match find(moves, None if death is None else death.state, command, death, ctx):
        case Refusal() as refusal:
            return refusal
        case Move(target=target, event=event):
            return _after(death, command, ctx, target), event


def _after(death: Death | None, command: Command, ctx: Context, target: State) -> Death:
    if death is None:
        assert isinstance(command, Report)  # noqa: S101 - the table has no other birth
        return Death(target, command.died_on, ctx.now, (command.statement,), command.subject.person_id)
    death = replace(death, state=target)
    match command:
        case Corroborate(statement=statement):
            return replace(death, statements=(*death.statements, statement), hold_expired_at=None)
        case Certify(akta_no=akta_no, issuer_code=issuer):
            return replace(death, akta_no=akta_no, issuer_code=issuer, hold_expired_at=None)
        case ExpireHold():
            return replace(death, hold_expired_at=ctx.now)
        case ProposeOutcome(outcome=outcome):
            return replace(death, proposed_outcome=outcome, proposed_by=ctx.actor)
        case LinkPerson(subject=subject):
            return replace(death, person_id=subject.person_id)
        case _:
            return death
