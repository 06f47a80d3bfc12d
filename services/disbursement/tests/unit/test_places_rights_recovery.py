"""Enrolments, rights, cycles and recoveries: every cell of their tables, periods, and what a death ends."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest
from disbursement.enrolments import domain as e
from disbursement.recovery import domain as r
from disbursement.rights import domain as g
from hypothesis import given
from hypothesis import strategies as st
from kit.machine import Context, Refusal, allows, find

NOW = datetime(2026, 7, 20, 3, 0, tzinfo=UTC)
TODAY = date(2026, 7, 20)
WHO, OTHER = UUID(int=1), UUID(int=2)
ROLES = ("op_desa", "warga", "verifikator", "kabid", "kadis", "program_manager", "inspektorat", "system")
PLACE = e.Enrolment(
    e.State.CANDIDATE, WHO, WHO, WHO, "nominator", reasons=("hidup",), payee_asked=OTHER, payee_asked_by="asker"
)
GOOD = {
    e.Nominate: e.Nominate(programme_open=True),
    e.Evaluate: e.Evaluate(),
    e.Review: e.Review(fits=True, reason="bukti_kunjungan"),
    e.TakePlace: e.TakePlace(1),
    e.Decree: e.Decree(1, annex_matches=True),
    e.Activate: e.Activate(TODAY, WHO),
    e.Flag: e.Flag(("desil_maks",)),
    e.Suspend: e.Suspend("diperiksa"),
    e.Resume: e.Resume("selesai"),
    e.End: e.End("pindah", TODAY, hard=True),
    e.Revive: e.Revive("hidup_kembali"),
    e.AskPayee: e.AskPayee(OTHER),
    e.ReplacePayee: e.ReplacePayee(link_active=True),
    e.Withdraw: e.Withdraw(),
}


def by(role, actor="somebody", now=NOW, person=None):
    return Context(actor, frozenset({role}), now, now.date(), person)


def codes(decision):
    assert isinstance(decision, Refusal), decision
    return [reason.code for reason in decision.reasons]


@pytest.mark.parametrize(("state", "command"), list(product(e.State, e.COMMANDS)))
def test_every_cell_of_an_enrolment(state, command):
    for role in ROLES:
        source = None if command is e.Nominate else state
        decision = e.decide(replace(PLACE, state=state), GOOD[command], by(role))
        assert isinstance(decision, Refusal) is not allows(e.MOVES, source, command, [role]), role


def test_a_rule_refuses_with_all_reasons_and_waits_where_it_does_not_know():
    refused, event = e.decide(PLACE, e.Evaluate(("umur_min", "domisili"), ("desil_belum_ada",)), by("system"))
    assert (refused.state, refused.reasons, event) == (
        e.State.REFUSED, ("umur_min", "domisili"), "enrolment.refused",
    )  # fmt: skip
    waiting, event = e.decide(PLACE, e.Evaluate((), ("desil_belum_ada",)), by("system"))
    assert (waiting.state, waiting.reasons, event) == (e.State.CANDIDATE, ("desil_belum_ada",), None)


def test_a_reviewer_cannot_wave_through_what_has_failed():
    review = e.Review(fits=True, reason="kunjungan", failed=("domisili",))
    assert codes(e.decide(PLACE, review, by("verifikator"))) == ["kriteria_tidak_terpenuhi"]
    assert codes(e.decide(PLACE, GOOD[e.Review], by("verifikator", "nominator"))) == ["pengusul_memutuskan"]


def test_the_thirteen_hundred_and_first_waits():
    waiting, event = e.decide(replace(PLACE, state=e.State.ELIGIBLE), e.TakePlace(0), by("system"))
    assert (waiting.state, waiting.reasons, event) == (e.State.WAITLISTED, ("kuota_penuh",), "enrolment.waitlisted")


def test_a_decree_hears_everything_against_it():
    eligible = replace(PLACE, state=e.State.ELIGIBLE)
    command = e.Decree(0, annex_matches=False, excluded_by="LANSIA")
    assert codes(e.decide(eligible, command, by("kadis", "nominator", person=WHO))) == [
        "kuota_penuh", "lampiran_sk_berbeda", "bantuan_daerah_lain", "pengusul_memutuskan", "konflik_petugas",
    ]  # fmt: skip


def test_no_rule_ends_aid_for_a_soft_ground():
    active = replace(PLACE, state=e.State.ACTIVE)
    assert codes(e.decide(active, e.End("desil_maks", TODAY), by("system"))) == ["perlu_keputusan_petugas"]
    heard = e.End("desil_maks", TODAY, objection_open=True)
    assert codes(e.decide(active, heard, by("kadis"))) == ["keberatan_masih_terbuka"]


def test_only_an_end_by_death_is_undone():
    ended = replace(PLACE, state=e.State.ENDED, reasons=("pindah",), ends_on=TODAY)
    assert codes(e.decide(ended, GOOD[e.Revive], by("system"))) == ["tidak_berakhir_karena_wafat"]
    back, event = e.decide(replace(ended, reasons=("hidup",)), GOOD[e.Revive], by("system"))
    assert (back.state, back.ends_on, back.reasons, event) == (e.State.ACTIVE, None, (), "enrolment.resumed")


def test_a_payee_changes_by_two_people():
    active = replace(PLACE, state=e.State.ACTIVE)
    assert codes(e.decide(active, GOOD[e.ReplacePayee], by("verifikator", "asker"))) == ["pengusul_memutuskan"]
    assert e.decide(active, GOOD[e.ReplacePayee], by("verifikator"))[0].payee_id == OTHER


@pytest.mark.parametrize(("state", "command"), list(product(g.State, g.COMMANDS)))
def test_every_cell_of_a_right(state, command):
    for role in ROLES:
        instance = command("alasan") if command in (g.Hold, g.Cancel) else command()
        decision = find(g.MOVES, state, instance, g.Right(TODAY), by(role))
        assert isinstance(decision, Refusal) is not allows(g.MOVES, state, command, [role]), role


CYCLE = g.Cycle(g.CycleState.DRAFT, "manager", 1300, 195_000_000)
CYCLE_COMMANDS = (
    g.Generate(funded=True, rule_in_force=True, count=1300, sum_idr=195_000_000),
    g.ApproveCycle(1300, 195_000_000),
    g.StartPaying(),
    g.CloseCycle(),
    g.Discard("keliru"),
)


@pytest.mark.parametrize(("state", "command"), list(product(g.CycleState, CYCLE_COMMANDS)))
def test_every_cell_of_a_cycle(state, command):
    for role in ROLES:
        decision = g.decide_cycle(replace(CYCLE, state=state), command, by(role))
        assert isinstance(decision, Refusal) is not allows(g.CYCLE_MOVES, state, type(command), [role]), role


def test_a_cycle_is_approved_by_another_with_its_control_totals():
    generated = replace(CYCLE, state=g.CycleState.GENERATED)
    wrong = g.ApproveCycle(1299, 194_850_000)
    assert codes(g.decide_cycle(generated, wrong, by("kadis", "manager"))) == [
        "pembuat_memutuskan", "jumlah_kendali_berbeda",
    ]  # fmt: skip


def test_a_right_released_before_its_day_waits_for_it():
    held = g.Right(TODAY + timedelta(days=1))
    assert find(g.MOVES, g.State.HELD, g.Release(), held, by("system")).target == g.State.PLANNED
    assert find(g.MOVES, g.State.HELD, g.Release(), g.Right(TODAY), by("system")).target == g.State.DUE


def test_the_month_of_death_is_decided_by_the_rule():
    months = [f"2026-{m:02d}" for m in range(5, 13)]
    died_on = date(2026, 5, 14)
    assert g.cancelled_by_death(months, died_on, "period_start") == tuple(months[1:])
    assert g.cancelled_by_death(months, died_on, "period_end") == tuple(months)


def test_only_months_that_the_budget_names_are_funded():
    assert [m for m in range(1, 13) if g.funded(g.period(f"2017-{m:02d}"), (5, 12))] == list(range(5, 13))
    assert not g.funded(g.period("2017-Q2"), (5, 12))


@pytest.mark.parametrize("code", ["2026", "2026-13", "2026-0", "2026-Q5", "once", "26-01", "2026-1x"])
def test_what_is_no_period_is_not_read(code):
    with pytest.raises(ValueError):  # noqa: PT011 - any reason
        g.period(code)


@given(st.integers(2000, 2100), st.integers(1, 12))
def test_months_follow_each_other_without_gap(year, month):
    here = g.period(f"{year}-{month:02d}")
    after = g.period(f"{year + month // 12}-{month % 12 + 1:02d}")
    assert here.ends_before == after.starts_on
    assert here.qualifying_day("period_start") == here.starts_on
    assert here.qualifying_day("period_end") == here.ends_before - timedelta(days=1)


FOUND = r.Recovery(r.State.FOUND, 150_000, "finder", NOW + timedelta(days=1))
RECOVERING = (
    r.Find("bayar_setelah_wafat", 150_000, 150_000), r.Notify(), r.Contest(), r.Decide(stands=True, reason="bukti"),
    r.Drop("hidup_kembali"),
)  # fmt: skip


@pytest.mark.parametrize(("state", "command"), list(product(r.State, RECOVERING)))
def test_every_cell_of_a_recovery(state, command):
    for role in ROLES:
        source = None if isinstance(command, r.Find) else state
        decision = r.decide(replace(FOUND, state=state), command, by(role))
        assert isinstance(decision, Refusal) is not allows(r.MOVES, source, type(command), [role]), role


def test_nobody_is_asked_for_more_than_they_were_paid():
    assert codes(r.decide(FOUND, r.Find("x", 150_001, 150_000), by("system"))) == ["melebihi_yang_dibayar"]
    assert codes(r.decide(FOUND, r.Find("x", 0, 150_000), by("system"))) == ["melebihi_yang_dibayar"]


def test_a_recovery_is_told_by_another_and_may_be_contested_for_fourteen_days():
    assert codes(r.decide(FOUND, r.Notify(), by("kabid", "finder"))) == ["penemu_memutuskan"]
    told, event = r.decide(FOUND, r.Notify(), by("kabid"))
    assert event == "recovery.notified"
    assert told.objection_until == datetime(2026, 8, 3, 17, tzinfo=UTC)
    over = by("warga", now=told.objection_until)
    assert codes(r.decide(told, r.Contest(), over)) == ["batas_keberatan"]
