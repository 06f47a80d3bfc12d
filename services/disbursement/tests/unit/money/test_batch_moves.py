"""Every cell of the batch table (state x command x role), and the rules that keep people apart."""

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product
from uuid import UUID

import pytest
from disbursement.batches.batch import (
    DEFAULT_RULES,
    MAX_LINES,
    AddLines,
    Approve,
    ApproveLast,
    Batch,
    Cancel,
    Check,
    Close,
    ConfirmSent,
    Draft,
    Duty,
    Export,
    Freeze,
    Fund,
    Order,
    PullLine,
    Reconcile,
    RefuseOrder,
    RequestPayment,
    Return,
    Signature,
    StartSettling,
    State,
    Submit,
    Verify,
)
from disbursement.batches.content import ListedLine, list_sha256, sample
from disbursement.batches.domain import MOVES, decide
from hypothesis import given
from hypothesis import strategies as st
from kit.machine import SYSTEM, Context, Refusal, allows

SHA = "ab" * 32
TOTAL = 195_000_000
ROLES = sorted({role for move in MOVES for role in move.roles} | {"op_desa", "inspektorat", "warga"})
COMMANDS = (
    Draft(10), Freeze(), Check(), Submit(report_read=True), Verify(frozenset(), frozenset()), Approve(SHA, TOTAL),
    Return("alasan_lain"), AddLines(1), PullLine("meninggal"), RequestPayment(TOTAL), Order(TOTAL), Fund(TOTAL),
    RefuseOrder("alasan_lain"), Export(approvals_hold=True), ConfirmSent("BK1"), StartSettling(), Reconcile(), Close(),
    Cancel("alasan_lain"),
)  # fmt: skip
READY = Batch(State.DRAFT, count=1300, total_idr=TOTAL, list_sha256=SHA, spp_idr=TOTAL, spm_idr=TOTAL)


def by(role: str, actor: str = "p1", person: int | None = None) -> Context:
    person_id = None if person is None else UUID(int=person)
    return Context(actor, frozenset({role}), datetime(2026, 7, 1, tzinfo=UTC), date(2026, 7, 1), person_id)


def signed(duty: Duty, actor: str, role: str, person: int | None = None, *, void: bool = False) -> Signature:
    return Signature(duty, actor, None if person is None else UUID(int=person), role, SHA, TOTAL, void)


@pytest.mark.parametrize(
    ("state", "command"), list(product([None, *State], COMMANDS)), ids=lambda v: getattr(v, "name", None)
)
def test_every_cell(state, command):
    for role in ROLES:
        batch = replace(READY, state=state, count=0 if state is None else 1300)
        if isinstance(command, Approve):
            batch = replace(batch, rules=tuple(replace(r, roles=(role, "someone_else")) for r in DEFAULT_RULES))
        allowed = allows(MOVES, state, type(command), {role})
        assert isinstance(decide(batch, command, by(role)), Refusal) is not allowed, role


def test_each_command_stands_in_the_table():
    assert {move.command for move in MOVES} == {type(c) for c in COMMANDS} | {ApproveLast}


@pytest.mark.parametrize(
    ("total", "roles"),
    [
        (1, ("kabid",)),
        (100_000_000, ("kabid",)),
        (100_000_001, ("kabid", "kadis")),
        (1_000_000_000, ("kabid", "kadis")),
        (1_000_000_001, ("kadis", "sekretaris")),
        (42_275_700_000, ("kadis", "sekretaris")),
    ],
)
def test_the_amount_decides_who_must_agree(total, roles):
    assert replace(READY, total_idr=total).due_roles == roles


def test_two_approvals_are_needed_and_the_second_one_completes():
    batch = replace(READY, state=State.VERIFIED)
    first = decide(batch, Approve(SHA, TOTAL), by("kabid", "a"))
    assert not isinstance(first, Refusal)
    assert (first.batch.state, first.event, first.batch.due_roles) == (State.VERIFIED, None, ("kadis",))
    second = decide(first.batch, Approve(SHA, TOTAL), by("kadis", "b"))
    assert not isinstance(second, Refusal)
    assert (second.batch.state, second.event) == (State.APPROVED, "batch.approved")


def test_one_person_with_two_roles_fills_one_place():
    both = replace(by("kabid", "a"), roles=frozenset({"kabid", "kadis"}))
    first = decide(replace(READY, state=State.VERIFIED), Approve(SHA, TOTAL), both)
    assert not isinstance(first, Refusal)
    assert codes(decide(first.batch, Approve(SHA, TOTAL), both)) == {"sudah_menyetujui"}


def test_the_same_human_under_another_account_is_found():
    first = decide(replace(READY, state=State.VERIFIED), Approve(SHA, TOTAL), by("kabid", "a", person=7))
    assert not isinstance(first, Refusal)
    assert "sudah_menyetujui" in codes(decide(first.batch, Approve(SHA, TOTAL), by("kadis", "b", person=7)))


@pytest.mark.parametrize(
    ("duty", "state", "command", "role"),
    [
        (Duty.MAKE, State.SUBMITTED, Verify(frozenset(), frozenset()), "verifikator"),
        (Duty.MAKE, State.VERIFIED, Approve(SHA, TOTAL), "kabid"),
        (Duty.VERIFY, State.VERIFIED, Approve(SHA, TOTAL), "kabid"),
        (Duty.APPROVE, State.FUNDED, Export(approvals_hold=True), "exporter"),
        (Duty.MAKE, State.FUNDED, Export(approvals_hold=True), "exporter"),
        (Duty.EXPORT, State.SETTLING, Reconcile(), "recon_officer"),
        (Duty.REQUEST, State.APPROVED, Order(TOTAL), "ppk"),
    ],
)
@pytest.mark.parametrize("void", [False, True])
def test_one_person_has_one_duty_over_the_whole_history(duty, state, command, role, void):
    batch = replace(READY, state=state, signatures=(signed(duty, "x", "any", 9, void=void),))
    assert codes(decide(batch, command, by(role, "x"))) == {"pemisahan_tugas"}
    assert codes(decide(batch, command, by(role, "y", person=9))) == {"pemisahan_tugas"}
    assert not isinstance(decide(batch, command, by(role, "y", person=10)), Refusal)


def test_an_approval_is_bound_to_the_list_and_the_total():
    batch = replace(READY, state=State.VERIFIED)
    for shown in ((SHA, TOTAL - 1), ("cd" * 32, TOTAL)):
        assert codes(decide(batch, Approve(*shown), by("kabid"))) == {"daftar_berubah"}


def test_pulling_a_line_keeps_the_approvals_and_the_bar():
    batch = replace(
        READY,
        state=State.APPROVED,
        submitted_total_idr=TOTAL,
        signatures=(signed(Duty.APPROVE, "a", "kabid"), signed(Duty.APPROVE, "b", "kadis")),
    )
    decision = decide(batch, PullLine("meninggal"), by(SYSTEM))
    assert not isinstance(decision, Refusal)
    assert (decision.batch.state, len(decision.batch.approvals)) == (State.APPROVED, 2)
    assert replace(batch, total_idr=90_000_000, signatures=()).due_roles == ("kabid", "kadis")


def test_adding_a_line_voids_every_approval():
    batch = replace(
        READY, state=State.APPROVED, signatures=(signed(Duty.APPROVE, "a", "kabid"), signed(Duty.APPROVE, "b", "kadis"))
    )
    decision = decide(batch, AddLines(1), by("program_manager", "maker"))
    assert not isinstance(decision, Refusal)
    assert (decision.batch.state, decision.batch.approvals) == (State.DRAFT, ())
    assert all(s.void for s in decision.batch.signatures if s.duty is Duty.APPROVE)


def test_all_reasons_are_told_at_once():
    batch = replace(READY, state=State.VERIFIED, open_cases=1, signatures=(signed(Duty.VERIFY, "a", "verifikator"),))
    refusal = decide(batch, Approve("cd" * 32, 5), by("sekretaris", "a"))
    assert codes(refusal) == {"pemisahan_tugas", "daftar_berubah", "jabatan_penyetuju", "kasus_janggal_terbuka"}


def test_the_treasury_pays_what_was_ordered_and_orders_what_is_listed():
    assert codes(decide(replace(READY, state=State.APPROVED), RequestPayment(TOTAL + 1), by("bendahara"))) == {
        "jumlah_spm_beda"
    }
    assert codes(decide(replace(READY, state=State.APPROVED, spp_idr=None), Order(TOTAL), by("ppk"))) == {
        "spp_belum_ada"
    }
    assert codes(decide(replace(READY, state=State.ORDERED), Fund(TOTAL - 1), by("bpkad"))) == {"jumlah_spm_beda"}


def test_the_verifier_opens_the_whole_sample():
    ids = [UUID(int=n) for n in range(1, 1301)]
    drawn = sample(SHA, ids)
    assert len(drawn) == 65
    assert drawn == sample(SHA, list(reversed(ids)))
    batch = replace(READY, state=State.SUBMITTED)
    assert codes(decide(batch, Verify(drawn, drawn - {next(iter(drawn))}), by("verifikator"))) == {
        "contoh_belum_dilihat"
    }
    assert len(sample(SHA, ids[:30])) == 20
    assert len(sample(SHA, ids[:3])) == 3


def test_a_batch_holds_at_most_twenty_thousand_lines():
    empty = Batch(None)
    assert codes(decide(empty, Draft(MAX_LINES + 1), by("program_manager"))) == {"terlalu_banyak_baris"}
    assert codes(decide(replace(READY, state=State.DRAFT), AddLines(MAX_LINES), by("program_manager"))) == {
        "terlalu_banyak_baris"
    }


@given(st.lists(st.integers(0, 2**128 - 1), unique=True, min_size=2), st.randoms())
def test_the_hash_of_a_list_knows_no_order_and_misses_no_change(numbers, random):
    lines = [ListedLine(UUID(int=n), "person", UUID(int=n ^ 1), 150_000, b"\x01\x02") for n in numbers]
    shuffled = lines.copy()
    random.shuffle(shuffled)
    assert list_sha256(lines) == list_sha256(shuffled)
    for change in ({"amount_idr": 150_001}, {"payee_token": b"\x01\x03"}, {"payee_ref": UUID(int=5 ^ numbers[0])}):
        if change.get("payee_ref") != lines[0].payee_ref:
            assert list_sha256([replace(lines[0], **change), *lines[1:]]) != list_sha256(lines)
    assert list_sha256(lines[1:]) != list_sha256(lines)


def codes(result: object) -> set[str]:
    assert isinstance(result, Refusal), result
    return {reason.code for reason in result.reasons}
