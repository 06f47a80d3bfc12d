"""Every cell of the tables of claims, accounts, families and persons, and the rules beside them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest
from kit.machine import SYSTEM, Context, Refusal, allows
from registry.families import domain as families
from registry.families.domain import ChangeHead, Family, Form, Join, Leave, LeaveReason, Member
from registry.identities import domain as claims
from registry.identities.domain import (
    Answer,
    Capture,
    CheckStructure,
    Claim,
    Confirm,
    Contest,
    Propose,
    Record,
    Replace,
    WithdrawMatch,
)
from registry.identities.nik import Checked, Structure
from registry.payees import domain as payees
from registry.payees.domain import Account, ConfirmReplacement, NameMatch, ProposeReplacement, RecordCheck, TakeOver
from registry.persons import domain as persons
from registry.persons.domain import Basis, Correct, Erase, OrderErasure, Person, ProposeCorrection, Register
from registry.residences.domain import Kind, Settle
from registry.residences.domain import decide as settle

NOW = datetime(2026, 7, 20, 3, tzinfo=UTC)
A, B, C, PAPER = (UUID(int=n) for n in range(1, 5))
ROLES = (
    "op_desa",
    "op_kec",
    "op_kab",
    "petugas",
    "trc",
    "rps_admin",
    "verifikator",
    "kabid",
    "kadis",
    "dpo",
    "warga",
    SYSTEM,
)


ORDER, LONG_DEAD = OrderErasure(Basis.RETENTION, None), Erase("dead", date(2016, 7, 20))


def by(role: str, actor: str = "actor") -> Context:
    return Context(actor, frozenset({role}), NOW, date(2026, 7, 20))


def codes(decision: object) -> set[str]:
    assert isinstance(decision, Refusal), decision
    return {reason.code for reason in decision.reasons}


# Claims --------------------------------------------------------------------------------------------------------------

CLAIM = Claim(claims.State.WELL_FORMED, A, "clerk")
CLAIM_COMMANDS = (
    CheckStructure(Checked(Structure.OK)), CheckStructure(Checked(Structure.BAD)), *(Record(a) for a in Answer if a is not Answer.REJECTED),
    Record(Answer.MATCHED, B), Propose(Answer.MATCHED), Confirm(), Contest(), Replace("salah_ketik"), WithdrawMatch(),
)  # fmt: skip


@pytest.mark.parametrize(("state", "command"), list(product(claims.State, CLAIM_COMMANDS)))
def test_every_cell_of_claims(state, command):
    for role in ROLES:
        claim = replace(CLAIM, state=state, proposed_answer="matched", proposed_by="proposer")
        decision = claims.decide(claim, command, by(role))
        assert isinstance(decision, Refusal) is not allows(claims.MOVES, state, type(command), {role}), role


@pytest.mark.parametrize("role", ROLES)
def test_every_cell_of_captured_claims(role):
    decision = claims.decide(None, Capture(A), by(role))
    assert isinstance(decision, Refusal) is not allows(claims.MOVES, None, Capture, {role})
    assert isinstance(claims.decide(None, Capture(A, has_live_claim=True), by(role)), Refusal)


@pytest.mark.parametrize(
    ("answer", "holder", "state", "event"),
    [
        (Answer.MATCHED, None, "matched", "identity.matched"),
        (Answer.MATCHED, B, "conflict", "identity.conflict"),
        (Answer.MISMATCH, None, "mismatch", None),
        (Answer.NOT_FOUND, None, "not_found", None),
    ],
)
def test_the_answer_decides_where_a_claim_goes_by_machine_and_by_two_hands(answer, holder, state, event):
    by_machine, told = claims.decide(CLAIM, Record(answer, holder), by(SYSTEM))
    assert (by_machine.state, told) == (state, event)
    proposed, _ = claims.decide(CLAIM, Propose(answer), by("op_desa", "clerk"))
    assert codes(claims.decide(proposed, Confirm(holder), by("verifikator", "clerk"))) == {"pengusul_memutuskan"}
    confirmed, told = claims.decide(proposed, Confirm(holder), by("verifikator"))
    assert (confirmed.state, told, confirmed.proposed_by) == (state, event, None)


def test_a_conflict_ends_with_the_rightful_holder_by_verifikator_and_kabid():
    conflict = replace(CLAIM, state=claims.State.CONFLICT)
    assert codes(claims.decide(conflict, Propose(Answer.MISMATCH), by("verifikator"))) == {"jawaban_tidak_sesuai"}
    for answer, state in ((Answer.MATCHED, "matched"), (Answer.REJECTED, "rejected")):
        proposed, _ = claims.decide(conflict, Propose(answer), by("verifikator", "v"))
        assert codes(claims.decide(proposed, Confirm(), by("verifikator"))) == {"peran_tidak_berwenang"}
        assert claims.decide(proposed, Confirm(), by("kabid"))[0].state == state


def test_a_check_without_a_proposal_is_refused_in_one_word():
    assert codes(claims.decide(CLAIM, Confirm(), by("verifikator"))) == {"usul_jawaban_belum_ada"}


# Accounts ------------------------------------------------------------------------------------------------------------

ACCOUNT = Account(payees.State.CAPTURED, "clerk", is_default=True, replacement_id=B, replacement_by="proposer")
ACCOUNT_COMMANDS = (
    RecordCheck(payees.State.ACTIVE, NameMatch.EXACT), RecordCheck(payees.State.CLOSED, NameMatch.UNKNOWN),
    ProposeReplacement(B, payees.State.ACTIVE, PAPER), ConfirmReplacement(payees.State.ACTIVE), TakeOver(),
)  # fmt: skip


@pytest.mark.parametrize(("state", "command"), list(product(payees.State, ACCOUNT_COMMANDS)))
def test_every_cell_of_accounts(state, command):
    for role in ROLES:
        decision = payees.decide(replace(ACCOUNT, state=state), command, by(role))
        assert isinstance(decision, Refusal) is not allows(payees.MOVES, state, type(command), {role}), role


@pytest.mark.parametrize("role", ROLES)
def test_every_cell_of_captured_accounts(role):
    decision = payees.decide(None, payees.Capture(has_default=False), by(role))
    assert isinstance(decision, Refusal) is not allows(payees.MOVES, None, payees.Capture, {role})


def test_the_first_account_is_the_default_and_the_next_is_not():
    assert payees.decide(None, payees.Capture(has_default=False), by("op_desa"))[0].is_default
    assert not payees.decide(None, payees.Capture(has_default=True), by("op_desa"))[0].is_default
    assert codes(payees.decide(None, payees.Capture(has_default=True, known=True), by("op_desa"))) == {
        "rekening_sudah_ada"
    }


def test_who_captured_an_account_does_not_say_that_it_is_right():
    check = RecordCheck(payees.State.ACTIVE, NameMatch.EXACT)
    assert codes(payees.decide(ACCOUNT, check, by("verifikator", "clerk"))) == {"pencatat_memeriksa"}


def test_no_account_becomes_active_under_anothers_name():
    check = RecordCheck(payees.State.ACTIVE, NameMatch.MISMATCH)
    assert codes(payees.decide(ACCOUNT, check, by(SYSTEM))) == {"nama_tidak_cocok"}
    assert payees.decide(ACCOUNT, replace(check, name_match=NameMatch.CLOSE), by(SYSTEM))[0].state == "active"


def test_a_new_default_needs_two_people_a_document_and_a_day():
    old = replace(ACCOUNT, replacement_id=None, replacement_by=None)
    assert codes(payees.decide(old, ProposeReplacement(B, payees.State.CLOSED, None), by("op_desa"))) == {
        "dokumen_wajib", "rekening_pengganti_tidak_layak",
    }  # fmt: skip
    assert codes(payees.decide(old, ConfirmReplacement(payees.State.ACTIVE), by("verifikator"))) == {
        "usul_pengganti_belum_ada"
    }
    proposed, _ = payees.decide(old, ProposeReplacement(B, payees.State.ACTIVE, PAPER), by("op_desa", "p"))
    assert codes(payees.decide(proposed, ConfirmReplacement(payees.State.ACTIVE), by("verifikator", "p"))) == {
        "pengusul_memutuskan"
    }
    assert payees.decide(proposed, ConfirmReplacement(payees.State.ACTIVE), by("verifikator"))[0].state == "superseded"
    taken, _ = payees.decide(Account(payees.State.ACTIVE, "clerk"), TakeOver(), by("verifikator"))
    assert taken.is_default
    assert taken.usable_from == NOW + timedelta(days=1)


# Families ------------------------------------------------------------------------------------------------------------

HEAD, WIFE, CHILD = Member(A, 1, date(2020, 1, 1)), Member(B, 3, date(2020, 1, 1)), Member(C, 4, date(2020, 1, 1))
FAMILY = Family(families.State.ACTIVE, (HEAD, WIFE))
TODAY = date(2026, 7, 20)
FAMILY_COMMANDS = (Join(CHILD), Leave(B, TODAY, LeaveReason.MOVE), ChangeHead(B, 2, TODAY))


@pytest.mark.parametrize(("state", "command"), list(product(families.State, FAMILY_COMMANDS)))
def test_every_cell_of_families(state, command):
    for role in ROLES:
        decision = families.decide(replace(FAMILY, state=state), command, by(role))
        assert isinstance(decision, Refusal) is not allows(families.MOVES, state, type(command), {role}), role


@pytest.mark.parametrize("role", ROLES)
def test_every_cell_of_formed_families(role):
    decision = families.decide(None, Form((HEAD, WIFE)), by(role))
    assert isinstance(decision, Refusal) is not allows(families.MOVES, None, Form, {role})


def test_a_family_has_one_head_and_nobody_twice_or_elsewhere():
    assert codes(families.decide(None, Form((WIFE, WIFE), frozenset({B})), by("op_desa"))) == {
        "satu_kepala_keluarga", "anggota_ganda", "sudah_anggota",
    }  # fmt: skip
    second = Join(Member(C, 1, None), frozenset({C}))
    assert codes(families.decide(FAMILY, second, by("op_desa"))) == {"kepala_sudah_ada", "sudah_anggota"}


def test_a_living_head_hands_over_first_and_a_dead_one_cannot():
    assert codes(families.decide(FAMILY, Leave(A, TODAY, LeaveReason.MOVE), by("op_desa"))) == {
        "kepala_tidak_boleh_keluar"
    }
    left, event = families.decide(FAMILY, Leave(A, TODAY, LeaveReason.DEATH), by("op_desa"))
    assert (left.head, left.state, event) == (None, "active", "family.member_left")


def test_the_last_member_closes_the_door():
    alone = Family(families.State.ACTIVE, (HEAD,))
    left, _ = families.decide(alone, Leave(A, TODAY, LeaveReason.MOVE), by("op_desa"))
    assert (left.state, left.members) == ("dissolved", ())


def test_a_new_head_changes_two_relations():
    changed, event = families.decide(FAMILY, ChangeHead(B, 2, TODAY), by("op_desa"))
    assert (changed.head, changed.member(A).shdk, event) == (B, 2, "family.head_changed")


def test_days_of_families_are_neither_in_the_future_nor_before_joining():
    future = Leave(B, date(2026, 7, 21), LeaveReason.MOVE)
    assert codes(families.decide(FAMILY, future, by("op_desa"))) == {"tanggal_di_masa_depan"}
    early = ChangeHead(B, 2, date(2019, 12, 31))
    assert codes(families.decide(FAMILY, early, by("op_desa"))) == {"sebelum_menjadi_anggota"}


# Persons and residences ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "command"), list(product(persons.State, (ProposeCorrection(PAPER), Correct(), ORDER, LONG_DEAD)))
)
def test_every_cell_of_persons(state, command):
    for role in ROLES:
        decision = persons.decide(Person(state, "proposer", Basis.RETENTION, "orderer"), command, by(role))
        assert isinstance(decision, Refusal) is not allows(persons.MOVES, state, type(command), {role}), role


@pytest.mark.parametrize("role", ROLES)
def test_every_cell_of_registered_persons(role):
    assert isinstance(persons.decide(None, Register(), by(role)), Refusal) is not allows(
        persons.MOVES, None, Register, {role}
    )


def test_an_erasure_takes_two_people_and_its_time_or_a_document():
    active = persons.State.ACTIVE
    for basis in (Basis.REQUEST, Basis.ORDER):
        assert codes(persons.decide(Person(active), OrderErasure(basis, None), by("dpo"))) == {"dokumen_wajib"}
        ordered = Person(active, erasure=basis, erasure_by="orderer")
        assert persons.decide(ordered, Erase("alive", None), by("kadis"))[0].state is persons.State.ERASED
        assert codes(persons.decide(ordered, Erase("death_reported", None), by("kadis"))) == {"wafat_belum_diputus"}
    assert codes(persons.decide(Person(active), LONG_DEAD, by("kadis"))) == {"penghapusan_belum_diperintahkan"}
    own = Person(active, erasure=Basis.RETENTION, erasure_by="actor")
    assert codes(persons.decide(own, LONG_DEAD, by("kadis"))) == {"pengusul_memutuskan"}


@pytest.mark.parametrize(
    ("life", "died_on", "over"),
    [
        ("dead", date(2016, 7, 20), True), ("dead", date(2016, 7, 21), False), ("dead", None, False),
        ("alive", None, False), ("dead", date(2012, 2, 29), True),
    ],
)  # fmt: skip
def test_the_time_is_over_ten_years_after_the_death(life, died_on, *, over):
    decision = persons.decide(
        Person(persons.State.ACTIVE, erasure=Basis.RETENTION, erasure_by="dpo-1"), Erase(life, died_on), by("kadis")
    )
    assert (codes(decision) == {"masa_simpan_belum_berakhir"}) if not over else decision[1] == "person.erased"


def test_somebody_alike_needs_a_word():
    assert codes(persons.decide(None, Register(alike=2), by("op_desa"))) == {"calon_ganda"}
    assert not isinstance(persons.decide(None, Register(alike=2, reason="saudara kembar"), by("op_desa")), Refusal)


def test_a_correction_takes_two_people_and_a_document():
    assert codes(persons.decide(Person(persons.State.ACTIVE), ProposeCorrection(None), by("op_desa"))) == {
        "dokumen_wajib"
    }
    assert codes(persons.decide(Person(persons.State.ACTIVE), Correct(), by("verifikator"))) == {
        "usul_perbaikan_belum_ada"
    }
    assert codes(persons.decide(Person(persons.State.ACTIVE, "actor"), Correct(), by("verifikator"))) == {
        "pengusul_memutuskan"
    }


@pytest.mark.parametrize(
    ("since", "settled", "new", "outcome"),
    [
        (None, False, None, None),
        (None, False, TODAY, None),
        (None, True, TODAY, TODAY),
        (date(2020, 1, 1), True, TODAY, TODAY),
        (date(2020, 1, 1), True, None, {"tanggal_mulai_wajib"}),
        (TODAY, True, TODAY, {"tanggal_tumpang_tindih"}),
        (None, False, date(2026, 7, 21), {"tanggal_di_masa_depan"}),
    ],
)
def test_a_new_residence_ends_the_old_on_its_first_day(since, settled, new, outcome):
    decision = settle(since, settled, Settle(Kind.DOMICILE, "32.76.03.1001", new), by("op_desa"))
    assert (codes(decision) if isinstance(decision, Refusal) else decision) == outcome


def test_a_residence_is_recorded_by_clerks_only():
    assert codes(settle(None, settled=False, command=Settle(Kind.KTP, "32.76", None), ctx=by("warga"))) == {
        "peran_tidak_berwenang"
    }
