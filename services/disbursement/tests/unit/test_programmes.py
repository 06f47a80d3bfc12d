"""Programmes: every cell of their tables, the cut-off to the millisecond, grace by paper (S01)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from disbursement.programmes import domain as d
from disbursement.programmes import versions as v
from kit.machine import Context, Refusal, allows

WIB = ZoneInfo("Asia/Jakarta")
NOW = datetime(2025, 6, 26, 9, 0, tzinfo=WIB)
ROLES = ("program_manager", "kadis", "kabid", "verifikator", "op_desa", "system")
CUTOFF = datetime(2025, 6, 30, 15, 0, tzinfo=WIB)
GRACE = datetime(2025, 7, 3, 0, 0, tzinfo=WIB)
CLOSING = d.Closing("460/3499/Linjamsoscana/2025", CUTOFF, (d.Grace("akta_kematian", GRACE),), 2)
PROGRAMME = d.Programme(d.State.DRAFT, "SANKEM_DPK", "manager-1")
COMMANDS = (
    d.Propose("SANKEM_DPK"),
    d.Plan(legal_basis=True, owner_period=True, plan_ref=True, reviewed_versions=1, funding_line=True),
    d.Activate(published_now=True, line_open=True),
    d.Suspend("SK 1"),
    d.Resume("SK 2"),
    d.AnnounceClosing(CLOSING),
    d.ReviseClosing(CLOSING),
    d.Close(),
    d.Cancel("tidak_jadi"),
)
MILLISECOND = timedelta(milliseconds=1)


def by(role, actor="somebody", now=NOW):
    return Context(actor, frozenset({role}), now.astimezone(UTC), now.date())


@pytest.mark.parametrize(("state", "command"), list(product(d.State, COMMANDS)))
def test_every_cell(state, command):
    for role in ROLES:
        closing = CLOSING if state in (d.State.CLOSING, d.State.CLOSED) else None
        source = None if isinstance(command, d.Propose) else state
        decision = d.decide(replace(PROGRAMME, state=state, closing=closing), command, by(role))
        assert isinstance(decision, Refusal) is not allows(d.MOVES, source, type(command), [role]), role


@pytest.mark.parametrize(
    ("state", "command"),
    list(
        product(v.VersionState, (v.Review(), v.Publish(legal_basis=True), v.Supersede(), v.WithdrawVersion("keliru")))
    ),
)
def test_every_cell_of_a_rule_version(state, command):
    for role in ROLES:
        version = v.RuleVersion(state, "manager-1", "manager-2", NOW.date() + timedelta(days=1))
        decision = v.decide_version(version, command, by(role))
        assert isinstance(decision, Refusal) is not allows(v.VERSION_MOVES, state, type(command), [role]), role


def test_the_author_neither_reviews_nor_publishes():
    version = v.RuleVersion(v.VersionState.DRAFT, "manager-1", None, NOW.date())
    assert v.decide_version(version, v.Review(), by("program_manager", "manager-1")) == Refusal.because(
        "penulis_meninjau"
    )
    reviewed = replace(version, state=v.VersionState.REVIEWED)
    assert v.decide_version(reviewed, v.Publish(legal_basis=True), by("kadis", "manager-1")) == Refusal.because(
        "penulis_menerbitkan"
    )


def test_a_rule_for_the_past_needs_a_document_and_money():
    past = v.RuleVersion(v.VersionState.REVIEWED, "a", "b", date(2025, 1, 1))
    refusal = v.decide_version(past, v.Publish(legal_basis=False, cost_idr=100, available_idr=40), by("kadis"))
    assert isinstance(refusal, Refusal)
    assert [r.code for r in refusal.reasons] == [
        "dasar_hukum_belum_lengkap", "pagu_tidak_cukup", "berlaku_surut_tanpa_dokumen",
    ]  # fmt: skip


def test_a_plan_hears_everything_that_it_lacks():
    bare = d.Plan(legal_basis=False, owner_period=False, plan_ref=False, reviewed_versions=0, funding_line=False)
    refusal = d.decide(PROGRAMME, bare, by("kadis"))
    assert isinstance(refusal, Refusal)
    assert [r.code for r in refusal.reasons] == [
        "dasar_hukum_belum_lengkap", "aturan_belum_ditinjau", "pagu_belum_ada",
    ]  # fmt: skip


def test_who_proposed_does_not_put_into_force():
    planned = replace(PROGRAMME, state=d.State.PLANNED)
    command = d.Activate(published_now=True, line_open=True)
    assert d.decide(planned, command, by("kadis", "manager-1")) == Refusal.because("pengusul_memutuskan")


def test_the_name_of_the_audit_board_is_no_programme_code():
    assert isinstance(d.decide(PROGRAMME, d.Propose("BPK"), by("program_manager")), Refusal)


def test_a_closing_only_becomes_later():
    closing = replace(PROGRAMME, state=d.State.CLOSING, closing=CLOSING)
    earlier = d.ReviseClosing(replace(CLOSING, intake_cutoff=CUTOFF - MILLISECOND))
    without_grace = d.ReviseClosing(replace(CLOSING, grace=()))
    later = d.ReviseClosing(replace(CLOSING, intake_cutoff=CUTOFF + timedelta(days=1)))
    assert d.decide(closing, earlier, by("kadis")) == Refusal.because("hanya_boleh_diperpanjang")
    assert d.decide(closing, without_grace, by("kadis")) == Refusal.because("hanya_boleh_diperpanjang")
    assert not isinstance(d.decide(closing, later, by("kadis")), Refusal)


def test_a_programme_with_something_left_open_is_not_closed():
    closing = replace(PROGRAMME, state=d.State.CLOSING, closing=CLOSING)
    assert isinstance(d.decide(closing, d.Close(live_claims=1), by("kadis")), Refusal)


def intake(at, *missing):
    return d.intake(d.State.CLOSING, CLOSING, at, dict.fromkeys(missing, None))


@pytest.mark.parametrize("zone", ["UTC", "Asia/Jakarta", "Asia/Jayapura"])
def test_the_cut_off_is_half_open_in_every_zone(zone):
    last = (CUTOFF - MILLISECOND).astimezone(ZoneInfo(zone))
    assert intake(last) == d.Intake()
    late = intake(CUTOFF.astimezone(ZoneInfo(zone)))
    assert isinstance(late, Refusal)
    assert late.reasons[0].code == "program_ditutup"


def test_depok_closing_day():
    half_past_two = datetime(2025, 6, 30, 14, 30, tzinfo=WIB)
    assert intake(half_past_two, "akta_kematian") == d.Intake((d.Wait("akta_kematian", GRACE, by_grace=True),))
    assert intake(half_past_two, "kk") == d.Intake((d.Wait("kk", CUTOFF),))
    both = intake(half_past_two, "akta_kematian", "kk")
    assert isinstance(both, d.Intake)
    assert both.cure_due == CUTOFF
    assert isinstance(intake(datetime(2025, 7, 1, 9, 0, tzinfo=WIB)), Refusal)


def test_in_ordinary_times_a_paper_follows_as_the_rule_says():
    found = d.intake(d.State.ACTIVE, None, NOW, {"kk": 14, "akta_kematian": None})
    assert found == d.Intake((d.Wait("kk", NOW + timedelta(days=14)),), ("akta_kematian",))


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (d.State.DRAFT, "program_belum_dibuka"),
        (d.State.PLANNED, "program_belum_dibuka"),
        (d.State.SUSPENDED, "program_ditangguhkan"),
        (d.State.CLOSED, "program_ditutup"),
        (d.State.CANCELLED, "program_belum_dibuka"),
    ],
)
def test_other_states_take_no_files(state, code):
    closing = CLOSING if state == d.State.CLOSED else None
    found = d.intake(state, closing, NOW, {})
    assert isinstance(found, Refusal)
    assert found.reasons[0].code == code
