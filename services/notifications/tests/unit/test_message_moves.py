"""The table of moves, cell by cell, and the rules that stand behind it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from kit.machine import SYSTEM, Context, Refusal, allows
from notifications.messages import domain as d
from notifications.messages.states import FINAL, HORIZON, RANK, UNKNOWN_WAIT, Channel, Policy, State, proves_more, wait

NOW = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)
POLICY = Policy(attempts=3, resends_unknown=0, keeps_quiet=True, mandatory=False)
MESSAGE = d.Message(State.PLANNED, Channel.SMS, POLICY, NOW + timedelta(days=2), attempts=1, allowance=3, next_at=NOW)
ROLES = (SYSTEM, "dinsos_operator", "kabid", "warga", "kadis")
COMMANDS = (
    d.Render(),
    d.FailRender("templat_kurang_isi"),
    d.Skip("no_address"),
    d.Suppress("alamat_dicabut"),
    d.Queue(),
    d.Defer(NOW + timedelta(hours=9), "jam_tenang"),
    d.Wake(),
    d.Supersede(),
    d.Cancel("salah_kirim"),
    d.Expire(),
    d.Claim(NOW + timedelta(minutes=2)),
    d.Accept(1),
    d.RefuseForNow(1, "sibuk"),
    d.RefuseForGood(1, "nomor_mati"),
    d.LoseOutcome(1, "waktu_habis"),
    d.SettleUnknown(),
    d.ReportDelivered(1),
    d.ReportFailed(1, "nomor_mati"),
    d.ReportRefusedForNow(1, "sibuk"),
    d.StopWaiting(),
    d.Redrive("diperbaiki", NOW + timedelta(days=1)),
)


def by(role: str, now: datetime = NOW) -> Context:
    return Context("someone", frozenset({role}), now, now.date())


def at(state: State, **changes: object) -> d.Message:
    return replace(MESSAGE, state=state, **changes)


@pytest.mark.parametrize(("state", "command"), list(product(State, COMMANDS)))
def test_every_cell_of_the_table_is_allowed_or_refused_as_the_table_says(state, command):
    for role in ROLES:
        expired = isinstance(command, d.Expire)
        message = at(state, expires_at=NOW - timedelta(seconds=1)) if expired else at(state)
        answer = d.decide(message, command, by(role))
        assert isinstance(answer, Refusal) is not allows(d.MOVES, state, type(command), {role}), role


@pytest.mark.parametrize("role", ROLES)
def test_only_rules_plan_messages(role):
    answer = d.decide(None, d.Plan(Channel.SMS, POLICY, NOW + timedelta(days=1)), by(role))
    assert isinstance(answer, Refusal) is (role != SYSTEM)


def test_no_clock_leaves_a_final_state():
    left_by_the_system = {m.source for m in d.MOVES if SYSTEM in m.roles and m.command is not d.ReportDelivered}
    assert not (FINAL & left_by_the_system) - {State.UNCONFIRMED}
    assert {m.command for m in d.MOVES if m.source is State.UNCONFIRMED} == {d.ReportDelivered, d.ReportFailed}


def test_every_final_state_is_left_only_upwards_or_by_an_officer():
    for move in d.MOVES:
        if move.source in FINAL and move.command is not d.Redrive:
            assert proves_more(move.target, move.source)


def test_ranks_are_those_of_the_design():
    ranks = {State.ACCEPTED: 10, State.UNCONFIRMED: 20, State.FAILED_PERMANENT: 30, State.DELIVERED: 40}
    assert ranks.items() <= RANK.items()


def test_a_late_delivery_report_lifts_a_failed_message():
    moved, _ = d.decide(at(State.FAILED_PERMANENT), d.ReportDelivered(1), by(SYSTEM))
    assert moved.state is State.DELIVERED


def test_a_late_failure_report_does_not_lower_a_delivered_message():
    assert isinstance(d.decide(at(State.DELIVERED), d.ReportFailed(1, "x"), by(SYSTEM)), Refusal)


def test_a_report_for_an_attempt_that_was_never_made_changes_nothing():
    answer = d.decide(at(State.QUEUED, attempts=0), d.ReportDelivered(1), by(SYSTEM))
    assert [r.code for r in answer.reasons] == ["percobaan_tidak_dikenal"]


def test_a_worker_that_lost_its_lease_cannot_speak_for_the_next_attempt():
    answer = d.decide(at(State.SENDING, attempts=2), d.Accept(1), by(SYSTEM))
    assert [r.code for r in answer.reasons] == ["percobaan_lain"]


def test_an_unknown_text_message_is_never_sent_again_without_permission_of_its_class():
    moved, move = d.decide(at(State.UNKNOWN), d.SettleUnknown(), by(SYSTEM))
    assert (moved.state, move.event) == (State.DEAD_LETTERED, "dead_lettered")


def test_a_class_may_allow_one_resend_and_not_two():
    once = replace(POLICY, resends_unknown=1)
    first, _ = d.decide(at(State.UNKNOWN, policy=once), d.SettleUnknown(), by(SYSTEM))
    assert (first.state, first.resends) == (State.QUEUED, 1)
    second, _ = d.decide(at(State.UNKNOWN, policy=once, resends=1), d.SettleUnknown(), by(SYSTEM))
    assert second.state is State.DEAD_LETTERED


def test_an_unknown_mail_is_sent_again_because_its_message_id_stays_the_same():
    moved, _ = d.decide(at(State.UNKNOWN, channel=Channel.EMAIL), d.SettleUnknown(), by(SYSTEM))
    assert moved.state is State.QUEUED


def test_an_unknown_outcome_waits_a_quarter_of_an_hour():
    moved, _ = d.decide(at(State.SENDING), d.LoseOutcome(1, "waktu_habis"), by(SYSTEM))
    assert moved.next_at == NOW + UNKNOWN_WAIT == NOW + timedelta(minutes=15)
    early = d.decide(moved, d.SettleUnknown(), by(SYSTEM, NOW + timedelta(minutes=14)))
    assert "belum_waktunya" in [r.code for r in early.reasons]


def test_the_wait_grows_and_never_undercuts_the_provider():
    assert [wait(n, timedelta(0)) for n in (1, 2, 3)] == [timedelta(minutes=m) for m in (1, 5, 15)]
    assert wait(1, timedelta(minutes=30)) == timedelta(minutes=30)
    assert wait(1, timedelta(days=30)) == timedelta(days=1)
    assert wait(99, timedelta(0)) == timedelta(hours=4)


def test_a_spent_message_is_dead_lettered_and_an_officer_gives_it_a_fresh_round():
    spent = at(State.RETRY_WAIT, attempts=3)
    dead, _ = d.decide(spent, d.Wake(), by(SYSTEM))
    assert dead.state is State.DEAD_LETTERED
    alive, move = d.decide(dead, d.Redrive("diperbaiki"), by("kabid"))
    assert (alive.state, alive.allowance, move.event) == (State.QUEUED, 6, "redriven")


def test_an_expired_message_is_not_claimed_and_not_redriven_without_a_new_last_moment():
    late = {"expires_at": NOW - timedelta(seconds=1)}
    claim = d.decide(at(State.QUEUED, **late), d.Claim(NOW), by(SYSTEM))
    assert [r.code for r in claim.reasons] == ["kedaluwarsa"]
    redrive = d.decide(at(State.DEAD_LETTERED, **late), d.Redrive("diperbaiki"), by("kabid"))
    assert [r.code for r in redrive.reasons] == ["kedaluwarsa"]


def test_a_preference_does_not_silence_what_the_law_says_people_must_hear():
    legal = at(State.RENDERED, policy=replace(POLICY, mandatory=True))
    assert isinstance(d.decide(legal, d.Skip("preference"), by(SYSTEM)), Refusal)
    moved, _ = d.decide(legal, d.Skip("no_address"), by(SYSTEM))
    assert moved.state is State.SKIPPED


def test_an_emergency_is_not_kept_until_the_morning_but_obeys_the_provider():
    urgent = at(State.QUEUED, policy=replace(POLICY, keeps_quiet=False))
    assert isinstance(d.decide(urgent, d.Defer(NOW, "jam_tenang"), by(SYSTEM)), Refusal)
    moved, _ = d.decide(urgent, d.Defer(NOW, "batas_penyedia"), by(SYSTEM))
    assert moved.state is State.DEFERRED


def test_an_accepted_message_without_a_receipt_ends_unconfirmed_and_not_failed():
    accepted, _ = d.decide(at(State.SENDING), d.Accept(1), by(SYSTEM))
    assert accepted.next_at == NOW + HORIZON[Channel.SMS]
    ended, _ = d.decide(accepted, d.StopWaiting(), by(SYSTEM, NOW + timedelta(hours=73)))
    assert ended.state is State.UNCONFIRMED
