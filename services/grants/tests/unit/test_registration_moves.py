"""Registration: every cell of the table, and the rules behind it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest
from grants.registration import domain as d
from grants.registration import file as f
from grants.registration.states import Ground, Profile, Section, State, working_days_between
from kit.machine import SYSTEM, Context, Refusal, allows

TODAY = date(2026, 7, 1)
PAPER = f.Paper("tanda_daftar", "460/1/DS/2026", TODAY, "Dinas Sosial")
FACTS = f.Facts(first_officer_proved=True, account_settled=True)
FORM = {section.value: {"isi": "lengkap"} for section in Section}
FILE = f.Registration(
    State.DRAFT, form=FORM, snapshot=FORM, unlocked=frozenset({"pengurus"}), due_on=TODAY - timedelta(days=1), visits=1,
    valid_until=TODAY - timedelta(days=1), submitted_on=TODAY, certificate=PAPER,
)  # fmt: skip
ROLES = (
    SYSTEM, "lks_pengurus", "lks_pimpinan", "lkks_pendamping", "dinsos_operator", "verifikator", "kabid", "kadis",
    "inspektorat", "public",
)  # fmt: skip
COMMANDS = (
    f.Enlist(FACTS),
    f.Start(FACTS),
    f.Edit(FACTS, {"pengurus": {"isi": "baru"}}),
    f.Submit(FACTS),
    f.Take(FACTS, conflict=False),
    f.RequestCorrection(FACTS, frozenset({"pengurus"}), ("formulir_belum_lengkap",)),
    f.Resubmit(FACTS),
    f.Lapse(FACTS),
    f.RecordVisit(FACTS, PAPER, TODAY),
    f.Recommend(FACTS, {"papan_nama": True}),
    f.Issue(FACTS, PAPER, TODAY + timedelta(days=1095)),
    f.Adopt(FACTS, PAPER, TODAY + timedelta(days=1095)),
    f.Refuse(FACTS, Ground.INCOMPLETE),
    f.StartRenewal(FACTS),
    f.Expire(FACTS),
    f.Revoke(FACTS, PAPER, TODAY + timedelta(days=30), ("bertentangan_dengan_hukum",)),
    f.Dissolve(FACTS, PAPER),
    f.Withdraw(FACTS),
)


def by(role: str, actor: str = "someone", person: UUID | None = None) -> Context:
    return Context(actor, frozenset({role}), datetime(2026, 7, 1, tzinfo=UTC), TODAY, person)


def reasons(answer: object) -> list[str]:
    assert isinstance(answer, Refusal)
    return [reason.code for reason in answer.reasons]


@pytest.mark.parametrize(("state", "command"), list(product((None, *State), COMMANDS)))
def test_every_cell_of_the_table_is_allowed_or_refused_as_the_table_says(state, command):
    for role in ROLES:
        file = None if state is None else replace(FILE, state=state)
        answer = d.decide(file, command, by(role))
        assert isinstance(answer, Refusal) is not allows(d.MOVES, state, type(command), {role}), role


def test_every_command_has_a_row():
    assert {move.command for move in d.MOVES} == set(f.COMMANDS) == {type(command) for command in COMMANDS}


def test_a_head_hears_everything_that_is_missing_at_once():
    facts = f.Facts(papers_unclean=1, own=True)
    file = replace(FILE, form={"profil": {"a": 1}}, hands={"prepare": frozenset({"someone"})})
    said = reasons(d.decide(file, f.Submit(facts), by("lks_pimpinan")))
    assert said == [
        "formulir_belum_lengkap",
        "lampiran_belum_bersih",
        "rekening_belum_dinyatakan",
        "penyusun_menyatakan",
    ]


def test_the_same_person_behind_two_accounts_is_one_person():
    person = UUID("0198c0de-0000-7000-8000-0000000000b1")
    started, _ = d.decide(replace(FILE, state=State.LISTED), f.Start(FACTS), by("lks_pengurus", "account-1", person))
    ready = replace(started, form=FORM)
    said = reasons(d.decide(ready, f.Submit(FACTS), by("lks_pimpinan", "account-2", person)))
    assert said == ["penyusun_menyatakan"]


def test_who_verified_does_not_sign_and_does_not_refuse():
    file = replace(FILE, state=State.RECOMMENDED, hands={"verify": frozenset({"someone"})})
    issue = f.Issue(FACTS, PAPER, TODAY + timedelta(days=1095))
    assert reasons(d.decide(file, issue, by("kadis"))) == ["pemeriksa_memutuskan"]
    assert reasons(d.decide(file, f.Refuse(FACTS, Ground.INCOMPLETE), by("kadis"))) == ["pemeriksa_memutuskan"]


def test_hands_are_remembered_over_corrections():
    context = by("verifikator", "verifier")
    taken, _ = d.decide(replace(FILE, state=State.SUBMITTED), f.Take(FACTS, conflict=False), context)
    correct = f.RequestCorrection(FACTS, frozenset({"pengurus"}), ("formulir_belum_lengkap",))
    back, _ = d.decide(taken, correct, context)
    again, _ = d.decide(back, f.Resubmit(FACTS), by("lks_pimpinan", "head"))
    assert again.hands["verify"] == {"verifier"}


def test_a_correction_opens_only_the_named_sections():
    file = replace(FILE, state=State.NEEDS_CORRECTION)
    assert reasons(d.decide(file, f.Edit(FACTS, {"keuangan": {"x": 1}}), by("lks_pengurus"))) == ["bagian_terkunci"]
    sneaked = replace(file, form={**FORM, "keuangan": {"x": 1}})
    assert reasons(d.decide(sneaked, f.Resubmit(FACTS), by("lks_pimpinan"))) == ["bagian_terkunci"]
    mended = replace(file, form={**FORM, "pengurus": {"x": 1}})
    assert not isinstance(d.decide(mended, f.Resubmit(FACTS), by("lks_pimpinan")), Refusal)


def test_after_three_rounds_the_file_must_be_decided():
    file = replace(FILE, state=State.IN_VERIFICATION, rounds=3)
    command = f.RequestCorrection(FACTS, frozenset({"profil"}), ("x",))
    assert reasons(d.decide(file, command, by("verifikator"))) == ["putaran_habis"]


def test_the_last_day_for_a_correction_belongs_to_the_institution():
    file = replace(FILE, state=State.NEEDS_CORRECTION, due_on=TODAY)
    assert reasons(d.decide(file, f.Lapse(FACTS), by(SYSTEM))) == ["belum_waktunya"]


def test_a_verifier_with_a_conflict_leaves_the_file():
    file = replace(FILE, state=State.SUBMITTED)
    assert reasons(d.decide(file, f.Take(FACTS, conflict=True), by("verifikator"))) == ["benturan_kepentingan"]
    assert reasons(d.decide(file, f.Take(FACTS, conflict=None), by("verifikator"))) == ["benturan_belum_dinyatakan"]


def test_a_slow_verification_is_marked_and_not_refused():
    file = replace(FILE, state=State.IN_VERIFICATION, submitted_on=TODAY - timedelta(days=40))
    moved, _ = d.decide(file, f.Recommend(FACTS, {"papan_nama": True}), by("verifikator"))
    assert moved.sla_breached


def test_working_days_leave_out_weekends_and_holidays():
    friday = date(2026, 7, 3)
    assert working_days_between(friday, date(2026, 7, 6), frozenset()) == 1
    assert working_days_between(friday, date(2026, 7, 6), frozenset({date(2026, 7, 6)})) == 0


def test_a_certificate_needs_an_end_only_where_the_office_knows_ends():
    file = replace(FILE, state=State.RECOMMENDED)
    assert reasons(d.decide(file, f.Issue(FACTS, PAPER, None), by("kadis"))) == ["tanda_daftar_kurang"]
    endless = replace(FACTS, profile=Profile(validity_years=None))
    moved, _ = d.decide(file, f.Issue(endless, PAPER, None), by("kadis"))
    assert (moved.state, moved.valid_until) == (State.REGISTERED, None)


def test_a_renewal_starts_in_the_last_ninety_days():
    file = replace(FILE, state=State.REGISTERED, valid_until=TODAY + timedelta(days=91))
    assert reasons(d.decide(file, f.StartRenewal(FACTS), by("lks_pengurus"))) == ["terlalu_dini"]
    near = replace(file, valid_until=TODAY + timedelta(days=90))
    assert not isinstance(d.decide(near, f.StartRenewal(FACTS), by("lks_pengurus")), Refusal)


def test_a_certificate_that_was_renewed_does_not_expire():
    file = replace(FILE, state=State.REGISTERED)
    newer = replace(FACTS, newer_certificate=True)
    assert reasons(d.decide(file, f.Expire(newer), by(SYSTEM))) == ["ada_yang_lebih_baru"]


def test_another_institution_is_left_alone():
    other = replace(FACTS, own=False)
    assert "bukan_lks_sendiri" in reasons(d.decide(FILE, f.Submit(other), by("lks_pimpinan")))
