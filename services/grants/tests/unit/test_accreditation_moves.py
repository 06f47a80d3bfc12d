"""Accreditation: every cell of the table, and the rules behind it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from grants.accreditation import cycle as c
from grants.accreditation import domain as d
from grants.accreditation.cycle import Grade, Standard, State, years_after
from kit.machine import SYSTEM, Context, Refusal, allows

TODAY = date(2026, 7, 1)
PAPER = c.Paper("sertifikat", "BALKS-1", TODAY, "BALKS")
FACTS = c.Facts(registered=True, newer_accredited=True)
ANSWERS = {s.value: c.Answer(3, "ab" * 32) for s in Standard}
VERDICT = c.Verdict(Grade.B, PAPER, TODAY, years_after(TODAY, 3))
CYCLE = c.Cycle(
    State.SELF_ASSESSMENT, answers=ANSWERS, entered=VERDICT, grade=Grade.B, issued_on=TODAY, revocation=PAPER,
    valid_until=TODAY - timedelta(days=1),
)  # fmt: skip
ROLES = (SYSTEM, "lks_pengurus", "lks_pimpinan", "lkks_pendamping", "dinsos_operator", "verifikator", "kadis", "kabid")
COMMANDS = (
    c.StartCycle(FACTS),
    c.AnswerStandards(FACTS, ANSWERS),
    c.Request(FACTS),
    c.Return(FACTS, frozenset({"sdm"}), ("standar_belum_lengkap",)),
    c.Verify(FACTS, PAPER),
    c.Recommend(FACTS, PAPER),
    c.Forward(FACTS, PAPER),
    c.ScheduleVisit(FACTS, TODAY),
    c.RecordVisit(FACTS, TODAY),
    c.EnterResult(FACTS, VERDICT),
    c.ConfirmResult(FACTS),
    c.AdoptResult(FACTS, VERDICT),
    c.EnterRevocation(FACTS, PAPER, ("bertentangan_dengan_hukum",)),
    c.ConfirmRevocation(FACTS),
    c.Expire(FACTS),
    c.Supersede(FACTS),
)


def by(role: str, actor: str = "someone") -> Context:
    return Context(actor, frozenset({role}), datetime(2026, 7, 1, tzinfo=UTC), TODAY)


def reasons(answer: object) -> list[str]:
    assert isinstance(answer, Refusal)
    return [reason.code for reason in answer.reasons]


@pytest.mark.parametrize(("state", "command"), list(product((None, *State), COMMANDS)))
def test_every_cell_of_the_table_is_allowed_or_refused_as_the_table_says(state, command):
    for role in ROLES:
        cycle = None if state is None else replace(CYCLE, state=state)
        answer = d.decide(cycle, command, by(role))
        assert isinstance(answer, Refusal) is not allows(d.MOVES, state, type(command), {role}), role


def test_every_command_has_a_row():
    assert {move.command for move in d.MOVES} == set(c.COMMANDS) == {type(command) for command in COMMANDS}


@pytest.mark.parametrize(("grade", "years"), [(Grade.A, 5), (Grade.B, 3), (Grade.C, 2)])
def test_a_grade_holds_as_long_as_the_rule_says_or_the_difference_is_explained(grade, years):
    at_balks = replace(CYCLE, state=State.AT_BALKS)
    right = c.Verdict(grade, PAPER, TODAY, years_after(TODAY, years))
    assert not isinstance(d.decide(at_balks, c.EnterResult(FACTS, right), by("dinsos_operator")), Refusal)
    wrong = replace(right, valid_until=years_after(TODAY, years + 1))
    assert reasons(d.decide(at_balks, c.EnterResult(FACTS, wrong), by("dinsos_operator"))) == ["masa_berlaku_beda"]
    explained = replace(wrong, override="keputusan_balks")
    assert not isinstance(d.decide(at_balks, c.EnterResult(FACTS, explained), by("dinsos_operator")), Refusal)


def test_a_result_counts_when_a_second_person_confirms_it():
    entered, move = d.decide(
        replace(CYCLE, state=State.VISITED), c.EnterResult(FACTS, VERDICT), by("dinsos_operator", "x")
    )
    assert (entered.state, move.event) == (State.VISITED, None)
    assert reasons(d.decide(entered, c.ConfirmResult(FACTS), by("kadis", "x"))) == ["hasil_perlu_pengesahan"]
    decided, move = d.decide(entered, c.ConfirmResult(FACTS), by("kadis", "y"))
    assert (decided.state, decided.grade, move.event) == (State.ACCREDITED, Grade.B, "lks.accredited")


def test_a_refusal_of_balks_ends_the_cycle_without_a_grade():
    no = c.Verdict(None, PAPER, TODAY, None)
    entered, _ = d.decide(replace(CYCLE, state=State.AT_BALKS), c.EnterResult(FACTS, no), by("dinsos_operator", "x"))
    decided, move = d.decide(entered, c.ConfirmResult(FACTS), by("kadis", "y"))
    assert (decided.state, decided.grade, move.event) == (State.NOT_ACCREDITED, None, "lks.accreditation.denied")


def test_without_registration_only_the_head_starts_a_cycle_and_the_cycle_remembers_it():
    facts = c.Facts()
    assert reasons(d.decide(None, c.StartCycle(facts), by("lks_pengurus"))) == ["lks_belum_terdaftar"]
    started, _ = d.decide(None, c.StartCycle(facts), by("kadis"))
    assert started.reasons == ("lks_belum_terdaftar",)


def test_an_institution_hands_in_all_six_standards_with_evidence():
    cycle = replace(CYCLE, answers={**ANSWERS, "sdm": c.Answer(3, None)})
    answer = d.decide(cycle, c.Request(FACTS), by("lks_pimpinan"))
    assert answer.reasons[0].params == (("list", "sdm"),)


def test_a_revocation_is_confirmed_by_another_person_than_entered_it():
    entered, _ = d.decide(
        replace(CYCLE, state=State.ACCREDITED, revocation=None, hands={"enter": frozenset({"y"})}),
        c.EnterRevocation(FACTS, PAPER, ("bertentangan_dengan_hukum",)), by("dinsos_operator", "x"),
    )  # fmt: skip
    assert reasons(d.decide(entered, c.ConfirmRevocation(FACTS), by("kadis", "x"))) == ["hasil_perlu_pengesahan"]
    assert d.decide(entered, c.ConfirmRevocation(FACTS), by("kadis", "y"))[0].state is State.REVOKED


def test_a_leap_day_ends_on_the_last_of_february():
    assert years_after(date(2024, 2, 29), 3) == date(2027, 2, 28)
