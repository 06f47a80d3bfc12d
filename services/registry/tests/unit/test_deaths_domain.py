"""Every cell of the table of deaths, and its rules one by one."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.machine import SYSTEM, Context, Refusal, allows
from registry.deaths.domain import BURIAL_BOOK_MOVES, MOVES, decide
from registry.deaths.record import (
    Certify,
    CertifyByBurialBook,
    Contradict,
    Corroborate,
    Death,
    ExpireHold,
    Life,
    LinkPerson,
    ProposeOutcome,
    Report,
    Revoke,
    Source,
    State,
    Statement,
    Subject,
    Void,
    normalise_akta,
)

NOW = datetime(2026, 7, 20, 3, tzinfo=UTC)
TODAY = date(2026, 7, 20)
PERSON, OTHER, PAPER = UUID(int=1), UUID(int=2), UUID(int=3)
ROLES = (
    "op_desa", "op_kec", "op_kab", "petugas", "trc", "rps_admin", "pos_officer", "verifikator", "kabid", "kadis", "camat",
    "bendahara", "dpo", "inspektorat", "warga", "machine", SYSTEM,
)  # fmt: skip

REPORT = Report(Subject(PERSON, date(1950, 3, 17)), date(2026, 7, 14), NOW, Statement(Source.RT, "someone"))
CORROBORATE = Corroborate(Statement(Source.BURIAL_BOOK, "another"), NOW)
CERTIFY = Certify("3276-KM-0007", "32.76", date(2026, 7, 18))
BURIAL = CertifyByBurialBook(PAPER, date(2026, 7, 18))
CONTRADICT = Contradict(date(2026, 7, 19), PAPER)
EXPIRE = ExpireHold(visit_found_nothing=True)
PROPOSE = ProposeOutcome("revoke")
REVOKE = Revoke("court", PAPER, dpo_informed=True)
LINK = LinkPerson(Subject(OTHER, date(1950, 3, 17)))
VOID = Void("salah_orang")
COMMANDS = (CORROBORATE, CERTIFY, CONTRADICT, EXPIRE, PROPOSE, REVOKE, LINK, VOID)

DEATH = Death(State.REPORTED, date(2026, 7, 14), NOW - timedelta(days=40), (Statement(Source.RT, "reporter"),))


def by(role: str, actor: str = "actor", person_id: UUID | None = None) -> Context:
    return Context(actor, frozenset({role}), NOW, TODAY, person_id)


def in_state(state: State, command: object) -> Death:
    """A death for which every guard of the command is silent."""
    outcome = "certify" if isinstance(command, Certify) else "revoke"
    return replace(DEATH, state=state, proposed_outcome=outcome, proposed_by="proposer")


def codes(decision: object) -> set[str]:
    assert isinstance(decision, Refusal), decision
    return {reason.code for reason in decision.reasons}


@pytest.mark.parametrize(("state", "command"), list(product(State, COMMANDS)))
def test_every_cell(state, command):
    for role in ROLES:
        decision = decide(in_state(state, command), command, by(role))
        assert isinstance(decision, Refusal) is not allows(MOVES, state, type(command), {role}), role
        if isinstance(decision, Refusal):
            assert decision.kind in {"role", "state"}, role


@pytest.mark.parametrize("role", ROLES)
def test_every_cell_of_birth(role):
    assert isinstance(decide(None, REPORT, by(role)), Refusal) is not allows(MOVES, None, Report, {role})


@pytest.mark.parametrize(("state", "command"), list(product(State, COMMANDS)))
def test_the_life_after_each_move_is_the_one_of_its_state(state, command):
    for role in ROLES:
        match decide(in_state(state, command), command, by(role)):
            case (Death() as death, _):
                expected = {
                    State.CERTIFIED: Life.DEAD, State.REVOKED: Life.ALIVE, State.VOID: Life.ALIVE,
                }.get(death.state, Life.ALIVE if isinstance(command, ExpireHold) else Life.DEATH_REPORTED)  # fmt: skip
                assert death.life is expected


@pytest.mark.parametrize("command", [CERTIFY, REVOKE, PROPOSE, VOID])
def test_who_reported_never_decides_whatever_the_role(command):
    source = {Certify: State.REPORTED, Revoke: State.CERTIFIED, ProposeOutcome: State.DISPUTED, Void: State.REPORTED}
    role = {Certify: "verifikator", Revoke: "kadis", ProposeOutcome: "verifikator", Void: "verifikator"}[type(command)]
    death = in_state(source[type(command)], command)
    assert codes(decide(death, command, by(role, "reporter"))) == {"pelapor_mengesahkan"}


def test_a_reporter_with_a_second_account_is_the_same_person():
    death = replace(DEATH, statements=(Statement(Source.RT, "reporter", PERSON),))
    assert codes(decide(death, CERTIFY, by("verifikator", "second-account", PERSON))) == {"pelapor_mengesahkan"}


def test_who_corroborated_does_not_certify_either():
    death, _ = decide(DEATH, CORROBORATE, by("op_desa", "another"))
    assert codes(decide(death, CERTIFY, by("verifikator", "another"))) == {"pelapor_mengesahkan"}


@pytest.mark.parametrize(
    ("issued_on", "fine"),
    [(date(2026, 7, 13), False), (date(2026, 7, 14), True), (TODAY, True), (date(2026, 7, 21), False)],
)
def test_an_akta_is_issued_from_the_day_of_death_to_today(issued_on, fine):
    decision = decide(DEATH, replace(CERTIFY, issued_on=issued_on), by("verifikator"))
    assert (codes(decision) == {"tanggal_akta"}) if not fine else not isinstance(decision, Refusal)


def test_every_reason_is_told_at_once():
    bad = Certify("---", "32.76", date(2026, 7, 1), used_by=OTHER)
    assert codes(decide(DEATH, bad, by("verifikator", "reporter"))) == {
        "pelapor_mengesahkan", "nomor_akta_kosong", "tanggal_akta", "akta_dipakai_ulang",
    }  # fmt: skip


def test_a_death_is_not_reported_from_the_future_nor_before_birth():
    assert codes(decide(None, replace(REPORT, died_on=date(2026, 7, 21)), by("op_desa"))) == {"tanggal_wafat"}
    assert codes(decide(None, replace(REPORT, died_on=date(1950, 3, 16)), by("op_desa"))) == {"tanggal_wafat"}
    late = replace(REPORT, captured_at=NOW + timedelta(minutes=6))
    assert codes(decide(None, late, by("op_desa"))) == {"waktu_catat_di_masa_depan"}
    assert not isinstance(decide(None, replace(REPORT, captured_at=NOW + timedelta(minutes=5)), by("op_desa")), Refusal)


def test_a_second_record_of_one_person_is_refused_with_the_first():
    double = replace(REPORT, subject=Subject(PERSON, live_record=OTHER))
    refusal = decide(None, double, by("op_desa"))
    assert codes(refusal) == {"sudah_ada_catatan"}
    assert dict(refusal.reasons[0].params) == {"death_record_id": str(OTHER)}


def test_a_second_source_is_another_source_by_another_reporter():
    same_source = Corroborate(Statement(Source.RT, "another"), NOW)
    same_reporter = Corroborate(Statement(Source.HOSPITAL, "reporter"), NOW)
    assert codes(decide(DEATH, same_source, by("op_desa"))) == {"sumber_sama"}
    assert codes(decide(DEATH, same_reporter, by("op_desa"))) == {"pelapor_sama"}


def test_a_hold_ends_after_thirty_days_and_returns_with_a_second_source():
    young = replace(DEATH, reported_at=NOW - timedelta(days=30) + timedelta(seconds=1))
    assert codes(decide(young, ExpireHold(), by(SYSTEM))) == {"masa_tahan_belum_lewat"}
    assert codes(decide(young, ExpireHold(), by("kabid"))) == {"kunjungan_belum_ada"}
    death, event = decide(replace(DEATH, reported_at=NOW - timedelta(days=30)), ExpireHold(), by(SYSTEM))
    assert (death.state, death.life, event) == (State.REPORTED, Life.ALIVE, "death.hold_expired")
    assert codes(decide(death, ExpireHold(), by(SYSTEM))) == {"penahanan_sudah_berakhir"}
    again, _ = decide(death, CORROBORATE, by("op_desa"))
    assert again.life is Life.DEATH_REPORTED


def test_a_dispute_ends_by_two_people_and_as_proposed():
    disputed, event = decide(DEATH, CONTRADICT, by("petugas"))
    assert (disputed.state, event) == (State.DISPUTED, "death.disputed")
    assert codes(decide(disputed, REVOKE, by("kabid"))) == {"usul_putusan_belum_ada"}
    proposed, silent = decide(disputed, PROPOSE, by("verifikator", "v"))
    assert silent is None
    assert codes(decide(proposed, REVOKE, by("kabid", "v"))) == {"pengusul_memutuskan"}
    assert codes(decide(proposed, CERTIFY, by("kabid"))) == {"putusan_lain_diusulkan"}
    revoked, _ = decide(proposed, REVOKE, by("kabid"))
    assert revoked.life is Life.ALIVE


def test_a_sign_of_life_needs_a_photo_and_a_day_after_the_death():
    bad = Contradict(date(2026, 7, 13), None)
    assert codes(decide(DEATH, bad, by("petugas"))) == {"tanggal_tanda_hidup", "dokumen_wajib"}
    assert codes(decide(DEATH, CONTRADICT, by("petugas", "reporter"))) == {"pelapor_menyanggah"}


def test_a_certificate_is_taken_back_only_by_letter_and_with_the_dpo_informed():
    certified, _ = decide(DEATH, CERTIFY, by("verifikator"))
    bare = Revoke("life_sign", None)
    assert codes(decide(certified, bare, by("kadis"))) == {
        "dokumen_wajib",
        "surat_pembatalan_kurang",
        "dpo_belum_diberi_tahu",
    }
    revoked, event = decide(certified, REVOKE, by("kadis"))
    assert (revoked.state, revoked.life, event) == (State.REVOKED, Life.ALIVE, "death.revoked")


def test_a_person_is_linked_once_and_only_without_a_record():
    linked, event = decide(DEATH, LINK, by("verifikator"))
    assert (linked.person_id, linked.state, event) == (OTHER, State.REPORTED, "death.linked")
    assert codes(decide(linked, LINK, by("verifikator"))) == {"sudah_dihubungkan"}
    taken = LinkPerson(Subject(OTHER, live_record=PERSON))
    assert codes(decide(DEATH, taken, by("verifikator"))) == {"sudah_ada_catatan"}
    unborn = LinkPerson(Subject(OTHER, date(2026, 7, 15)))
    assert codes(decide(DEATH, unborn, by("verifikator"))) == {"tanggal_wafat"}


def test_the_burial_book_certifies_only_where_the_profile_says_so():
    assert codes(decide(DEATH, BURIAL, by("verifikator"))) == {"langkah_tidak_berlaku"}
    certified, event = decide(DEATH, BURIAL, by("verifikator"), (*MOVES, *BURIAL_BOOK_MOVES))
    assert (certified.state, event) == (State.CERTIFIED, "death.certified")


@given(st.text(alphabet="abcAB0123456789./- \t", max_size=40))
def test_an_akta_number_is_normalised_once_and_for_all(text):
    once = normalise_akta(text)
    assert normalise_akta(once) == once
    assert normalise_akta(text.lower()) == normalise_akta(" " + text.upper() + ".") == once
    assert not set(once) & set(" .\t")


def test_slashes_and_dashes_tell_akta_apart():
    assert normalise_akta("3276-km 14.07.2026/ 0007") == "3276-KM14072026/0007"
    assert normalise_akta("12/3") != normalise_akta("1/23")


@given(st.lists(st.sampled_from(COMMANDS), max_size=12), st.sampled_from(ROLES))
def test_whatever_happens_a_closed_record_stays_closed(commands, role):
    death = DEATH
    for command in commands:
        match decide(death, command, by(role)):
            case (Death() as after, _):
                assert death.state not in {State.REVOKED, State.VOID}
                death = after
