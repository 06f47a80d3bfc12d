"""Every cell of the line table, the repair by two people, and reports of a bank in any order."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations, product
from uuid import UUID

import pytest
from disbursement.ledger.rules import Account, Dims, postings
from disbursement.payments import attempts
from disbursement.payments.attempts import Attempt, Outcome, Report, Status, apply_report
from disbursement.payments.domain import (
    MOVES,
    AgreeReissue,
    AskReissue,
    Block,
    ConfirmFix,
    FixPayee,
    GiveUp,
    Line,
    NotCollected,
    Pass,
    Recall,
    Reissue,
    Reject,
    Remove,
    ReturnMoney,
    Send,
    Settle,
    State,
    decide,
    sources,
    working_days_after,
)
from hypothesis import given
from hypothesis import strategies as st
from kit.machine import SYSTEM, Context, Refusal, allows

NOW = datetime(2026, 8, 12, 3, tzinfo=UTC)
TODAY = date(2026, 8, 12)
PAPERS = (UUID(int=1),)
COMMANDS = (
    Pass(), Remove("meninggal"), Send(), Settle(), Reject(), ReturnMoney(), Block(), NotCollected(), FixPayee(PAPERS),
    ConfirmFix("active", "close"), AskReissue(), AgreeReissue(), Reissue(), GiveUp("tidak_ditemukan", year_end=True), Recall(),
)  # fmt: skip
ROLES = sorted({role for move in MOVES for role in move.roles} | {"program_manager", "warga"})
MENDED = Line(
    State.REPAIR, repair_since=date(2026, 8, 5), fixed_by="desa", confirmed_by="v", confirmed_at=NOW - timedelta(days=1),
    reissue_asked_by="r", reissue_agreed_by="k",
)  # fmt: skip


def by(role: str, actor: str = "p1", now: datetime = NOW, person: int | None = None) -> Context:
    return Context(actor, frozenset({role}), now, now.date(), None if person is None else UUID(int=person))


@pytest.mark.parametrize(("state", "command"), list(product(State, COMMANDS)))
def test_every_cell(state, command):
    for role in ROLES:
        allowed = allows(MOVES, state, type(command), {role})
        assert isinstance(decide(replace(MENDED, state=state), command, by(role)), Refusal) is not allowed, role


def test_each_command_stands_in_the_table():
    assert {move.command for move in MOVES} == {type(c) for c in COMMANDS}


def test_set_based_steps_start_where_the_table_says():
    assert sources(Send) == (State.READY,)
    assert set(sources(Remove)) == {State.FROZEN, State.READY}


def test_an_account_is_mended_by_two_people_and_rests_a_day():
    line = after(
        replace(MENDED, fixed_by=None, confirmed_at=None, reissue_asked_by=None, reissue_agreed_by=None),
        FixPayee(PAPERS),
        by("op_desa", "desa", person=5),
    )
    assert codes(decide(line, AskReissue(), by("recon_officer", "r"))) == {"perbaikan_belum_disetujui"}
    assert codes(decide(line, ConfirmFix("active", "exact"), by("verifikator", "desa"))) == {"pemisahan_tugas"}
    assert codes(decide(line, ConfirmFix("active", "exact"), by("verifikator", "other", person=5))) == {
        "pemisahan_tugas"
    }
    assert codes(decide(line, ConfirmFix("dormant", "exact"), by("verifikator", "v"))) == {"rekening_belum_aktif"}
    line = after(line, ConfirmFix("active", "exact"), by("verifikator", "v"))
    soon = NOW + timedelta(hours=23, minutes=59)
    assert codes(decide(line, AskReissue(), by("recon_officer", "r", soon))) == {"masa_tunggu_rekening"}
    later = NOW + timedelta(days=1)
    line = after(line, AskReissue(), by("recon_officer", "r", later))
    assert codes(decide(line, AgreeReissue(), by("kabid", "r", later))) == {"pemisahan_tugas"}
    assert codes(decide(line, Reissue(), by("exporter", "e", later))) == {"terbit_ulang_belum_disetujui"}
    line = after(line, AgreeReissue(), by("kabid", "k", later))
    assert codes(decide(line, Reissue(), by("exporter", "k", later))) == {"pemisahan_tugas"}
    assert after(line, Reissue(), by("exporter", "e", later)).state is State.IN_FLIGHT


def test_another_return_begins_the_repair_again():
    line = after(replace(MENDED, state=State.IN_FLIGHT), ReturnMoney(), by(SYSTEM))
    assert (line.state, line.confirmed_at, line.fixed_by, line.repair_since) == (State.REPAIR, None, None, TODAY)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"has_open_attempt": True}, "percobaan_masih_terbuka"),
        ({"funds_present": False}, "dana_sudah_kembali"),
        ({"gate_reasons": ("meninggal",)}, "gerbang_menolak"),
    ],
)
def test_nothing_goes_out_twice_without_money_or_against_the_gate(change, code):
    assert codes(decide(replace(MENDED, **change), Reissue(), by("exporter", "e"))) == {code}


def test_money_is_given_up_after_sixty_days_or_at_the_end_of_the_year():
    assert codes(decide(MENDED, GiveUp("x"), by("kadis"))) == {"belum_waktunya_setor"}
    assert after(MENDED, GiveUp("x"), by("kadis", now=NOW + timedelta(days=53))).state is State.REDEPOSITED
    assert after(MENDED, GiveUp("x", year_end=True), by("kadis")).state is State.REDEPOSITED


def test_seven_working_days_after_the_fifth_of_august_is_friday_the_fourteenth():
    assert working_days_after(date(2026, 8, 5), 7) == date(2026, 8, 14)
    assert working_days_after(date(2026, 8, 5), 8, frozenset({date(2026, 8, 17)})) == date(2026, 8, 18)


# --- reports --------------------------------------------------------------------------------------------------------

AMOUNT = 2_000_000
SENT = Attempt(attempts.State.SENT, AMOUNT)
DIMS = Dims(UUID(int=1), UUID(int=2))
REPORTS = st.builds(
    Report,
    st.sampled_from(Status),
    st.just(AMOUNT),
    st.dates(date(2026, 8, 3), date(2026, 9, 30)),
    st.sampled_from(["B1", None]),
)


def run(reports: list[Report], attempt: Attempt = SENT) -> tuple[Attempt, dict[Account, int], set[str]]:
    balance: dict[Account, int] = {Account.IN_TRANSIT: AMOUNT, Account.OWED: -AMOUNT}
    alarms: set[str] = set()
    for report in reports:
        applied = apply_report(attempt, report)
        attempt = applied.attempt
        alarms |= set(applied.alarms)
        for rule in applied.postings:
            for leg in postings(rule, AMOUNT, DIMS):
                balance[leg.account] = balance.get(leg.account, 0) + leg.amount_idr
                assert leg.account is not Account.IN_TRANSIT or balance[leg.account] >= 0
    return attempt, {a: b for a, b in balance.items() if b}, alarms


@given(st.lists(REPORTS, max_size=6), st.randoms())
def test_any_order_and_any_repetition_end_in_the_same_state_and_ledger(reports, random):
    shuffled = reports + random.choices(reports, k=len(reports)) if reports else []
    random.shuffle(shuffled)
    first, second = run(reports), run(shuffled)
    assert first[0] == second[0]
    assert first[1] == second[1]
    assert first[2] == second[2]


@given(st.lists(REPORTS, max_size=6))
def test_the_ledger_says_where_the_money_is(reports):
    attempt, balance, _ = run(reports)
    if attempt.state is attempts.State.SETTLED:
        assert balance == {}
    elif attempt.state in (attempts.State.REJECTED, attempts.State.RETURNED):
        assert balance == {Account.DISTRIBUTION: AMOUNT, Account.OWED: -AMOUNT}
    else:
        assert balance == {Account.IN_TRANSIT: AMOUNT, Account.OWED: -AMOUNT}


def test_a_report_again_changes_nothing():
    report = Report(Status.SETTLED, AMOUNT, TODAY, "B1")
    once = apply_report(SENT, report)
    again = apply_report(once.attempt, report)
    assert (once.outcome, again.outcome, again.postings, again.alarms) == (Outcome.MATCHED, Outcome.DUPLICATE, (), ())
    assert again.attempt == once.attempt


def test_another_amount_is_never_applied():
    applied = apply_report(SENT, Report(Status.SETTLED, AMOUNT - 1, TODAY))
    assert (applied.outcome, applied.attempt, applied.postings) == (Outcome.AMOUNT_DIFFERS, SENT, ())


def test_contradictions_reach_people_in_every_order():
    rejected, settled = Report(Status.REJECTED, AMOUNT, TODAY), Report(Status.SETTLED, AMOUNT, TODAY, "B1")
    for order in permutations([rejected, settled]):
        attempt, _, alarms = run(list(order))
        assert (attempt.state, alarms) == (attempts.State.SETTLED, {"rejected_and_booked"})
    late = [Report(Status.RETURNED, AMOUNT, TODAY), Report(Status.SETTLED, AMOUNT, TODAY + timedelta(days=1), "B1")]
    for order in permutations(late):
        assert run(list(order))[2] == {"settled_after_return"}


def test_a_second_booking_of_one_reference_is_paid_twice():
    attempt, _, _ = run([Report(Status.SETTLED, AMOUNT, TODAY, "B1")])
    assert apply_report(attempt, Report(Status.SETTLED, AMOUNT, TODAY, "B2")).alarms == ("paid_twice",)


def test_an_old_attempt_that_is_paid_after_all_moves_no_line():
    old = replace(SENT, state=attempts.State.REJECTED, rejected_on=TODAY, newest=False)
    applied = apply_report(old, Report(Status.SETTLED, AMOUNT, TODAY, "B1"))
    assert (applied.alarms, applied.postings, applied.line_moves) == (("paid_twice",), (), None)


def test_what_was_never_sent_cannot_be_answered():
    for state in (attempts.State.PREPARED, attempts.State.VOIDED):
        applied = apply_report(replace(SENT, state=state), Report(Status.SETTLED, AMOUNT, TODAY))
        assert (applied.outcome, applied.alarms) == (Outcome.UNKNOWN, ("not_sent",))


def test_a_return_after_a_recall_letter_is_its_success():
    applied = apply_report(replace(SENT, recall_asked=True), Report(Status.RETURNED, AMOUNT, TODAY))
    assert applied.attempt.state is attempts.State.RECALLED


def test_acsc_settles_nothing():
    assert attempts.MEANING["ACSC"] is Status.ACCEPTED


def after(line: Line, command: object, ctx: Context) -> Line:
    decision = decide(line, command, ctx)
    assert not isinstance(decision, Refusal), decision
    return decision.line


def codes(result: object) -> set[str]:
    assert isinstance(result, Refusal), result
    return {reason.code for reason in result.reasons}
