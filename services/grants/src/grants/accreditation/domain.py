"""Accreditation (akreditasi): what may happen to a cycle, and who may make it happen."""

from collections.abc import Iterator
from dataclasses import replace

from kit.machine import SYSTEM, Context, Move, Reason, Refusal, find

from grants.accreditation.cycle import (
    YEARS,
    AdoptResult,
    AnswerStandards,
    Command,
    ConfirmResult,
    ConfirmRevocation,
    Cycle,
    EnterResult,
    EnterRevocation,
    Expire,
    Forward,
    Recommend,
    RecordVisit,
    Request,
    Return,
    ScheduleVisit,
    Standard,
    StartCycle,
    State,
    Supersede,
    Verdict,
    Verify,
    years_after,
)  # fmt: skip


def who(ctx: Context) -> frozenset[str]:
    """The account and, where known, the person behind it."""
    return frozenset({ctx.actor} | ({f"person:{ctx.person_id}"} if ctx.person_id else set()))


def their_own_institution(_: Cycle | None, command: Command, __: Context) -> Reason | None:
    """Users of an institution act for their own institution only."""
    return None if command.facts.own else Reason("bukan_lks_sendiri")


def institution_is_registered(_: Cycle | None, command: Command, __: Context) -> Reason | None:
    """First the certificate, then the accreditation; the head may allow otherwise, and the cycle remembers it."""
    return None if command.facts.registered else Reason("lks_belum_terdaftar")


def standards_are_known(_: Cycle, command: AnswerStandards, __: Context) -> Reason | None:
    """There are six standards."""
    return None if set(command.answers) <= {s.value for s in Standard} else Reason("standar_tidak_dikenal")


def all_standards_are_answered(cycle: Cycle, _: Command, __: Context) -> Reason | None:
    """All six, each with its evidence."""
    missing = [s.value for s in Standard if not ((a := cycle.answers.get(s.value)) and a.evidence_sha256)]
    return Reason.of("standar_belum_lengkap", list=", ".join(missing)) if missing else None


def requester_did_not_prepare(cycle: Cycle, _: Command, ctx: Context) -> Reason | None:
    """Who answered the form does not certify it."""
    return Reason("penyusun_menyatakan") if who(ctx) & cycle.hands.get("prepare", frozenset()) else None


def standards_and_reasons_are_named(_: Cycle, command: Return, __: Context) -> Reason | None:
    """People can only mend what is named."""
    known = {s.value for s in Standard}
    good = command.standards and command.standards <= known and command.reasons
    return None if good else Reason("standar_tidak_disebut")


def visit_is_recorded(_: Cycle, command: Verify, __: Context) -> Reason | None:
    """The office verifies on the spot."""
    return None if command.record else Reason("berita_acara_kurang")


def letter_is_there(_: Cycle, command: Recommend, __: Context) -> Reason | None:
    """A recommendation is a letter."""
    return None if command.letter else Reason("surat_rekomendasi_kurang")


def recommender_did_not_verify(cycle: Cycle, _: Command, ctx: Context) -> Reason | None:
    """Who verified does not recommend."""
    return Reason("pemeriksa_memutuskan") if who(ctx) & cycle.hands.get("verify", frozenset()) else None


def proof_is_there(_: Cycle, command: Forward, __: Context) -> Reason | None:
    """The sending is proved."""
    return None if command.proof else Reason("bukti_kirim_kurang")


def the_day_has_come(_: Cycle, command: RecordVisit, ctx: Context) -> Reason | None:
    """A visit is recorded after it took place."""
    return None if command.on <= ctx.today else Reason("belum_waktunya")


def the_end_follows_the_grade(_: Cycle | None, command: EnterResult | AdoptResult, ctx: Context) -> Reason | None:
    """A five, B three, C two years; another end needs an explanation. No certificate comes from the future."""
    verdict = command.verdict
    if verdict.issued_on > ctx.today:
        return Reason("belum_waktunya")
    if verdict.grade is None:
        return None
    rule = years_after(verdict.issued_on, YEARS[verdict.grade])
    if verdict.valid_until == rule or (verdict.valid_until and verdict.override):
        return None
    return Reason.of("masa_berlaku_beda", n=YEARS[verdict.grade], grade=verdict.grade.value.upper())


def an_accreditation_is_adopted(_: Cycle | None, command: AdoptResult, __: Context) -> Reason | None:
    """Only a certificate can be adopted, not a refusal."""
    return None if command.verdict.grade is not None else Reason("hasil_belum_dicatat")


def something_was_entered(cycle: Cycle, _: Command, __: Context) -> Reason | None:
    """There is a result to confirm."""
    return None if cycle.entered else Reason("hasil_belum_dicatat")


def the_result_is_positive(cycle: Cycle, _: Command, __: Context) -> Reason | None:
    """A grade was given."""
    return None if cycle.entered and cycle.entered.grade is not None else Reason("hasil_belum_dicatat")


def another_person_confirms(cycle: Cycle, _: Command, ctx: Context) -> Reason | None:
    """Who entered a result does not confirm it."""
    return Reason("hasil_perlu_pengesahan") if who(ctx) & cycle.hands.get("enter", frozenset()) else None


def a_revocation_was_entered(cycle: Cycle, _: Command, __: Context) -> Reason | None:
    """There is a letter of BALKS to confirm."""
    return None if cycle.revocation else Reason("hasil_belum_dicatat")


def reasons_are_named(_: Cycle, command: EnterRevocation, __: Context) -> Reason | None:
    """A revocation says why."""
    return None if command.reasons else Reason("sk_dan_banding_kurang")


def it_has_ended(cycle: Cycle, _: Command, ctx: Context) -> Reason | None:
    """The last day of validity has passed."""
    return None if cycle.valid_until is not None and cycle.valid_until < ctx.today else Reason("belum_berakhir")


def a_newer_one_holds(_: Cycle, command: Command, __: Context) -> Reason | None:
    """Only a newer accreditation takes its place."""
    return None if command.facts.newer_accredited else Reason("belum_ada_yang_lebih_baru")


S = State


def _roles(*roles: str) -> frozenset[str]:
    return frozenset(roles)


STAFF, HEAD_OF_LKS, OPERATOR = _roles("lks_pengurus"), _roles("lks_pimpinan"), _roles("dinsos_operator")
VERIFIER, KADIS, RULE = _roles("verifikator"), _roles("kadis"), _roles(SYSTEM)
_OWN = their_own_institution
_CONFIRM = (something_was_entered, another_person_confirms)


def _moves() -> Iterator[Move[State]]:
    name = "lks.accreditation."
    yield Move(None, StartCycle, S.SELF_ASSESSMENT, STAFF, (_OWN, institution_is_registered), name + "started")
    yield Move(None, StartCycle, S.SELF_ASSESSMENT, KADIS, (), name + "started")
    yield Move(
        None,
        AdoptResult,
        S.ACCREDITED,
        KADIS,
        (an_accreditation_is_adopted, the_end_follows_the_grade),
        "lks.accredited",
    )
    yield Move(S.SELF_ASSESSMENT, AnswerStandards, S.SELF_ASSESSMENT, STAFF, (_OWN, standards_are_known))
    request = (_OWN, all_standards_are_answered, requester_did_not_prepare)
    yield Move(S.SELF_ASSESSMENT, Request, S.REQUESTED, HEAD_OF_LKS, request, name + "requested")
    yield Move(S.REQUESTED, Return, S.SELF_ASSESSMENT, VERIFIER, (standards_and_reasons_are_named,), name + "returned")
    yield Move(S.REQUESTED, Verify, S.DINAS_VERIFIED, VERIFIER, (visit_is_recorded,), name + "verified")
    recommend = (letter_is_there, recommender_did_not_verify)
    yield Move(S.DINAS_VERIFIED, Recommend, S.RECOMMENDED, KADIS, recommend, name + "recommended")
    yield Move(S.RECOMMENDED, Forward, S.AT_BALKS, OPERATOR, (proof_is_there,), name + "forwarded")
    for source in (S.AT_BALKS, S.VISIT_SCHEDULED):
        yield Move(source, ScheduleVisit, S.VISIT_SCHEDULED, OPERATOR, (), name + "visit_scheduled")
        yield Move(source, RecordVisit, S.VISITED, OPERATOR, (the_day_has_come,), name + "visited")
    for source in (S.AT_BALKS, S.VISITED):
        yield Move(source, EnterResult, source, OPERATOR, (the_end_follows_the_grade,))
        yield Move(source, ConfirmResult, S.ACCREDITED, KADIS, (*_CONFIRM, the_result_is_positive), "lks.accredited")
        yield Move(source, ConfirmResult, S.NOT_ACCREDITED, KADIS, _CONFIRM, name + "denied")
    yield Move(S.ACCREDITED, EnterRevocation, S.ACCREDITED, OPERATOR, (reasons_are_named,))
    revoke = (a_revocation_was_entered, another_person_confirms)
    yield Move(S.ACCREDITED, ConfirmRevocation, S.REVOKED, KADIS, revoke, name + "revoked")
    yield Move(S.ACCREDITED, Expire, S.EXPIRED, RULE, (it_has_ended,), name + "expired")
    yield Move(S.ACCREDITED, Supersede, S.SUPERSEDED, RULE, (a_newer_one_holds,), name + "superseded")


MOVES = tuple(_moves())


def decide(cycle: Cycle | None, command: Command, ctx: Context) -> tuple[Cycle, Move[State]] | Refusal:
    """The cycle after the command and the row of the table that allowed it, or the refusal with every reason."""
    move = find(MOVES, cycle.state if cycle else None, command, cycle, ctx)
    if isinstance(move, Refusal):
        return move
    return replace(_brought(cycle or Cycle(S.SELF_ASSESSMENT), command, ctx), state=move.target), move


def _brought(cycle: Cycle, command: Command, ctx: Context) -> Cycle:
    """The cycle with what the command brings and the hands it went through; the caller sets the state."""
    match command:
        case StartCycle(facts=facts):
            warned = () if facts.registered else ("lks_belum_terdaftar",)
            return replace(_touched(cycle, "prepare", ctx), reasons=warned)
        case AnswerStandards(answers=answers):
            return replace(_touched(cycle, "prepare", ctx), answers={**cycle.answers, **answers})
        case Request():
            return replace(_touched(cycle, "certify", ctx), reasons=())
        case Return(reasons=reasons):
            return replace(_touched(cycle, "verify", ctx), reasons=reasons)
        case Verify():
            return _touched(cycle, "verify", ctx)
        case Recommend() | Forward():
            return _touched(cycle, "forward", ctx)
        case ScheduleVisit(on=on):
            return replace(cycle, visit_on=on)
        case RecordVisit(on=on):
            return replace(cycle, visit_on=on, visits=cycle.visits + 1)
        case EnterResult(verdict=verdict):
            return replace(_touched(cycle, "enter", ctx), entered=verdict)
        case ConfirmResult() if cycle.entered is not None:
            return _decided(_touched(cycle, "decide", ctx), cycle.entered)
        case AdoptResult(verdict=verdict):
            return _decided(replace(_touched(cycle, "decide", ctx), entered=verdict), verdict)
        case EnterRevocation(letter=letter, reasons=reasons):
            fresh = {**cycle.hands, "enter": frozenset[str]()}
            return replace(_touched(replace(cycle, hands=fresh), "enter", ctx), revocation=letter, reasons=reasons)
        case ConfirmRevocation():
            return _touched(cycle, "decide", ctx)
        case _:
            return cycle


def _decided(cycle: Cycle, verdict: Verdict) -> Cycle:
    until = verdict.valid_until if verdict.grade else None
    issued = verdict.issued_on if verdict.grade else None
    return replace(cycle, grade=verdict.grade, issued_on=issued, valid_until=until)


def _touched(cycle: Cycle, duty: str, ctx: Context) -> Cycle:
    return replace(cycle, hands={**cycle.hands, duty: cycle.hands.get(duty, frozenset()) | who(ctx)})
