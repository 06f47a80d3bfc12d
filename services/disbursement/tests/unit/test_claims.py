"""Death-benefit claims: every cell of the table, separation of duties over the file's history, S01, S18, S19."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from disbursement.claims import deadline, heirs, profile
from disbursement.claims.claim import (
    COMMANDS,
    Appeal,
    Approve,
    CheckKec,
    CheckKel,
    Claim,
    Close,
    Complete,
    Did,
    Dismiss,
    Entitle,
    File,
    FlagAlive,
    Lapse,
    Missing,
    ProposeRejection,
    Reject,
    Reopen,
    ReportFraud,
    Return,
    Settle,
    Start,
    State,
    Step,
    Terms,
    Uphold,
    Verify,
    VoidClaim,
    Withdraw,
    holds_locks,
)
from disbursement.claims.domain import LIVE, MOVES, decide
from disbursement.programmes.domain import Closing, Grace, Intake, Wait, intake
from disbursement.programmes.domain import State as Programme
from disbursement.rules.ast import RuleError
from hypothesis import given
from hypothesis import strategies as st
from kit.machine import Context, Reason, Refusal, allows

WIB = ZoneInfo("Asia/Jakarta")
NOW = datetime(2026, 7, 20, 3, 0, tzinfo=UTC)
TODAY = date(2026, 7, 20)
HEIR, WIFE, SON, RT = (UUID(int=n) for n in range(1, 5))
ROLES = (
    "op_desa", "warga", "pemeriksa_kel", "pemeriksa_kec", "verifikator", "kadis", "sekretaris", "kabid", "inspektorat",
    "program_manager", "system",
)  # fmt: skip
LATER = NOW + timedelta(days=3)
DONE = (Step(Did.ENTERED, "desk"), Step(Did.CHECKED, "kel"), Step(Did.VERIFIED, "ver"), Step(Did.PROPOSED, "ver"),
        Step(Did.DECIDED, "kadis-0"), Step(Did.FOUND, "inspector"))  # fmt: skip
CLAIM = Claim(State.DRAFT, HEIR, steps=DONE, appeal_until=LATER, paid_at=NOW - timedelta(days=91), amount_idr=2_000_000)
FILING = File(NOW, Intake(), None, rule_in_force=True, claimant_life="alive", claimant_is_deceased=False)
VERIFY = Verify("certified", buried=False, life_signs=False, twins=False, payee_state="active")
APPROVE = Approve(2_000_000, "tetap", "certified")
GOOD = {
    Start: Start(death_known=True),
    File: FILING,
    Complete: Complete(()),
    Lapse: Lapse(),
    CheckKel: CheckKel(),
    CheckKec: CheckKec(),
    Verify: VERIFY,
    Approve: APPROVE,
    Entitle: Entitle(),
    Settle: Settle(),
    Reopen: Reopen(),
    Close: Close(),
    Return: Return(("kk",), "dokumen_kurang"),
    ProposeRejection: ProposeRejection(("domisili",)),
    Reject: Reject(("domisili",)),
    Appeal: Appeal(),
    Uphold: Uphold(("bukti_baru",)),
    Dismiss: Dismiss(("domisili",)),
    Withdraw: Withdraw(),
    FlagAlive: FlagAlive(),
    ReportFraud: ReportFraud("LHP-7"),
    VoidClaim: VoidClaim("temuan_kecurangan"),
}


def by(role, actor="somebody", now=NOW, person=None):
    return Context(actor, frozenset({role}), now, now.astimezone(WIB).date(), person)


def codes(decision):
    assert isinstance(decision, Refusal), decision
    return [r.code for r in decision.reasons]


def good(decision):
    assert not isinstance(decision, Refusal), decision
    return decision[0]


@pytest.mark.parametrize(("state", "command"), list(product(State, COMMANDS)))
def test_every_cell(state, command):
    """The right role in the right state moves the claim to the table's target; all other cells refuse and change nothing."""
    for role in ROLES:
        waits = (Wait("kk", NOW if command is Lapse else LATER),) if state == State.INCOMPLETE else ()
        claim = replace(CLAIM, state=state, waits=waits)
        source = None if command is Start else state
        decision = decide(claim, GOOD[command], by(role))
        assert isinstance(decision, Refusal) is not allows(MOVES, source, command, [role]), role
        if not isinstance(decision, Refusal):
            targets = {m.target for m in MOVES if m.source == source and m.command is command}
            assert decision[0].state in targets, role
        elif decision.kind == "role":
            assert codes(decision) == ["peran_tidak_berwenang"], role


def test_the_whole_way_of_a_claim():
    claim = good(decide(Claim(State.DRAFT, HEIR), Start(death_known=True), by("op_desa", "desk")))
    for command, role in (
        (FILING, "op_desa"), (CheckKel(), "pemeriksa_kel"), (CheckKec(), "pemeriksa_kec"), (VERIFY, "verifikator"),
        (APPROVE, "kadis"), (Entitle(), "system"), (Settle(), "system"),
    ):  # fmt: skip
        claim = good(decide(claim, command, by(role, "desk" if role == "op_desa" else role)))
    assert claim.state == State.PAID
    assert claim.amount_idr == 2_000_000
    assert claim.filed_at == NOW
    assert [s.did for s in claim.steps] == [
        Did.ENTERED, Did.ENTERED, Did.CHECKED, Did.CHECKED, Did.VERIFIED, Did.DECIDED,
    ]  # fmt: skip
    early = by("system", now=NOW + timedelta(days=90) - timedelta(milliseconds=1))
    assert codes(decide(claim, Close(), early)) == ["masih_dalam_masa_retur"]
    assert good(decide(claim, Close(), by("system", now=NOW + timedelta(days=90)))).state == State.CLOSED


@pytest.mark.parametrize(
    ("did", "state", "command", "role", "code"),
    [
        (Did.ENTERED, State.FILED, CheckKel(), "pemeriksa_kel", "pemasuk_memeriksa"),
        (Did.ENTERED, State.CHECKED_KEL, CheckKec(), "pemeriksa_kec", "pemeriksa_sama"),
        (Did.CHECKED, State.CHECKED_KEL, CheckKec(), "pemeriksa_kec", "pemeriksa_sama"),
        (Did.CHECKED, State.CHECKED_KEL, VERIFY, "verifikator", "pemeriksa_sama"),
        (Did.ENTERED, State.CHECKED_KEC, VERIFY, "verifikator", "pemeriksa_sama"),
        (Did.ENTERED, State.VERIFIED, APPROVE, "kadis", "penyiap_memutuskan"),
        (Did.CHECKED, State.VERIFIED, APPROVE, "kadis", "penyiap_memutuskan"),
        (Did.VERIFIED, State.VERIFIED, APPROVE, "kadis", "penyiap_memutuskan"),
        (Did.PROPOSED, State.VERIFIED, Reject(("domisili",)), "kadis", "penyiap_memutuskan"),
        (Did.DECIDED, State.APPEALED, Uphold(("x",)), "kadis", "pemutus_sama"),
        (Did.DECIDED, State.APPEALED, Dismiss(("x",)), "sekretaris", "pemutus_sama"),
        (Did.FOUND, State.PAID, VoidClaim("x"), "kadis", "penemu_memutuskan"),
    ],
)
def test_duties_are_separated_by_person_over_the_whole_history(did, state, command, role, code):
    """Another account of the same person, and another role of the same account, are both the same person."""
    for old, context in (
        (Step(did, "wearer"), by(role, "wearer")),
        (Step(did, "old-account", SON), by(role, "wearer", person=SON)),
    ):
        assert code in codes(decide(replace(CLAIM, state=state, steps=(*DONE, old)), command, context))


def test_who_decided_a_claim_is_free_for_its_batch_but_nobody_decides_for_the_own_family():
    verified = replace(CLAIM, state=State.VERIFIED, steps=())
    assert codes(decide(verified, APPROVE, by("kadis", person=HEIR))) == ["konflik_petugas"]
    assert codes(decide(verified, replace(APPROVE, conflict=True), by("kadis"))) == ["konflik_petugas"]


def test_filing_hears_every_reason_at_once():
    command = File(
        NOW,
        Refusal.because("program_belum_dibuka"),
        NOW,
        rule_in_force=False,
        claimant_life="dead",
        claimant_is_deceased=True,
        missing=(Missing("kk"), Missing("akta_kematian", 3)),
        deceased_taken="klaim_ganda",
        paper_taken=True,
    )
    assert codes(decide(CLAIM, command, by("op_desa"))) == [
        "di_luar_masa_aturan", "program_belum_dibuka", "batas_waktu_klaim", "pemohon_tidak_hidup", "pemohon_almarhum",
        "klaim_ganda", "dokumen_dipakai_ulang", "akta_kedaluwarsa", "dokumen_kurang",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"death_state": "reported"}, "akta_belum_sah"),
        ({"death_state": "disputed"}, "akta_belum_sah"),
        ({"life_signs": True}, "tanda_hidup"),
        ({"twins": True}, "kandidat_ganda"),
        ({"payee_state": None}, "rekening_belum_ada"),
        ({"payee_state": "closed"}, "rekening_ditutup"),
        ({"payee_state": "dormant"}, "rekening_diblokir"),
        ({"failed": ("domisili",)}, "kriteria_tidak_terpenuhi"),
        ({"unknown": ("desil_belum_ada",)}, "fakta_belum_diketahui"),
        ({"conflict": True}, "konflik_petugas"),
    ],
)
def test_a_verifier_is_told_what_stands_in_the_way(change, code):
    checked = replace(CLAIM, state=State.CHECKED_KEC, steps=())
    assert codes(decide(checked, replace(VERIFY, **change), by("verifikator"))) == [code]


def test_the_district_may_be_skipped_only_where_the_profile_says_so():
    checked = replace(CLAIM, state=State.CHECKED_KEL, steps=(), terms=Terms(skip_kec=False))
    assert codes(decide(checked, VERIFY, by("verifikator"))) == ["belum_diperiksa_kecamatan"]


def test_a_revoked_death_stops_verifying_approving_and_paying():
    flagged = replace(CLAIM, flagged=True, steps=())
    for state, command, role in (
        (State.CHECKED_KEC, VERIFY, "verifikator"),
        (State.VERIFIED, APPROVE, "kadis"),
        (State.APPROVED, Entitle(), "system"),
    ):
        assert codes(decide(replace(flagged, state=state), command, by(role))) == ["kematian_dicabut"]


# --- S01: the closing day of Depok ---
CUTOFF = datetime(2025, 6, 30, 15, 0, tzinfo=WIB)
GRACE = datetime(2025, 7, 3, tzinfo=WIB)
CLOSING = Closing("460/3499/Linjamsoscana/2025", CUTOFF, (Grace("akta_kematian", GRACE),))


def file_at(at, *missing):
    door = intake(Programme.CLOSING, CLOSING, at, dict.fromkeys(missing, None))
    command = replace(FILING, received_at=at, intake=door, missing=tuple(Missing(m) for m in missing))
    return decide(Claim(State.DRAFT, HEIR), command, by("op_desa", now=at.astimezone(UTC)))


def local(*parts):
    return datetime(2025, *parts, tzinfo=WIB)


def complete_at(claim, at):
    return decide(claim, Complete(()), by("op_desa", now=at.astimezone(UTC)))


def lapse_at(claim, at):
    return decide(claim, Lapse(), by("system", now=at.astimezone(UTC)))


def test_closing_day_of_depok():
    """S01: A and C are filed, B and E are refused, D and F lapse, each for its own reason."""
    assert good(file_at(CUTOFF - timedelta(milliseconds=1))).state == State.FILED
    assert codes(file_at(CUTOFF)) == ["program_ditutup"]
    c = good(file_at(local(6, 30, 14, 30), "akta_kematian"))
    assert (c.state, c.cure_due) == (State.INCOMPLETE, GRACE)
    c = good(complete_at(c, local(7, 2, 16, 10)))
    assert (c.state, c.filed_at) == (State.FILED, local(6, 30, 14, 30))
    d = good(file_at(local(6, 30, 14, 30), "akta_kematian"))
    assert codes(lapse_at(d, GRACE - timedelta(milliseconds=1))) == ["masih_dalam_masa_perbaikan"]
    assert codes(complete_at(d, GRACE)) == ["batas_masa_tenggang"]
    d = good(lapse_at(d, GRACE))
    assert (d.state, d.reasons) == (State.LAPSED, ("batas_masa_tenggang",))
    assert codes(file_at(local(7, 1, 9, 0))) == ["program_ditutup"]
    f = good(file_at(local(6, 30, 14, 30), "kk"))
    assert (f.state, f.cure_due) == (State.INCOMPLETE, CUTOFF)
    f = good(lapse_at(f, CUTOFF))
    assert (f.state, f.reasons) == (State.LAPSED, ("dokumen_kurang",))


def test_a_later_return_keeps_its_own_days():
    filed = good(file_at(local(6, 30, 14, 30)))
    back = good(decide(filed, GOOD[Return], by("verifikator", now=local(7, 10, 9, 0).astimezone(UTC))))
    assert back.cure_due == local(7, 25)
    assert good(complete_at(back, local(7, 24, 23, 59))).filed_at == local(6, 30, 14, 30)


@given(st.integers(-86_400_000, 86_400_000), st.sets(st.sampled_from(["kk", "akta_kematian"])))
def test_nothing_filed_at_or_after_the_cut_off_is_taken(milliseconds, missing):
    """M16: whatever is missing, whatever the instant."""
    at = CUTOFF + timedelta(milliseconds=milliseconds)
    assert isinstance(file_at(at, *missing), Refusal) is (at >= CUTOFF)


# --- locks ---
def test_locks_are_held_until_an_unpaid_ending_is_final():
    rejected = replace(CLAIM, state=State.REJECTED, appeals=0, appeal_until=NOW)
    assert holds_locks(rejected, NOW - timedelta(seconds=1))
    assert not holds_locks(rejected, NOW)
    assert not holds_locks(replace(rejected, appeals=1, appeal_until=LATER), NOW)
    held = {s for s in State if holds_locks(replace(CLAIM, state=s, appeals=0, appeal_until=None), NOW)}
    assert held == set(State) - {State.DRAFT, State.LAPSED, State.WITHDRAWN, State.REJECTED}
    assert set(LIVE) <= held


def test_one_appeal_within_its_days():
    rejected = good(decide(replace(CLAIM, state=State.VERIFIED), GOOD[Reject], by("kadis")))
    assert rejected.appeal_until == datetime(2026, 8, 4, tzinfo=WIB)
    last = by("warga", now=datetime(2026, 8, 3, 23, 59, 59, tzinfo=WIB).astimezone(UTC))
    appealed = good(decide(rejected, Appeal(), last))
    over = by("warga", now=datetime(2026, 8, 4, tzinfo=WIB).astimezone(UTC))
    assert codes(decide(rejected, Appeal(), over)) == ["batas_keberatan"]
    dismissed = good(decide(appealed, GOOD[Dismiss], by("sekretaris", "sekretaris-1")))
    assert codes(decide(dismissed, Appeal(), last)) == ["keberatan_sudah_dipakai"]
    assert good(decide(appealed, GOOD[Uphold], by("sekretaris", "sekretaris-1"))).state == State.FILED


# --- deadlines of places ---
YOGYA = deadline.parse({"kind": "calendar_year_with_grace"})
DENPASAR = {"kind": "working_days", "count": 30, "zone": "Asia/Makassar"}
HOLIDAYS = deadline.Calendar(
    frozenset({date(2026, 3, 19), date(2026, 3, 21), date(2026, 3, 22), date(2026, 4, 3), date(2026, 4, 5)}),
    frozenset({date(2026, 3, 18), date(2026, 3, 20), date(2026, 3, 23), date(2026, 3, 24)}),
)


def test_yogyakarta_counts_the_calendar_year_with_january_for_december():
    assert deadline.ends_at(YOGYA, date(2025, 12, 28), HOLIDAYS) == datetime(2026, 2, 1, tzinfo=WIB)
    assert deadline.ends_at(YOGYA, date(2025, 11, 30), HOLIDAYS) == datetime(2026, 1, 1, tzinfo=WIB)


@pytest.mark.parametrize(
    ("at", "refused"),
    [
        (datetime(2026, 1, 31, 23, 59, 59, tzinfo=WIB), False),
        (datetime(2026, 2, 1, tzinfo=WIB), True),
    ],
)
def test_a_claim_on_the_last_second_is_in_time(at, refused):
    command = replace(FILING, received_at=at, deadline=deadline.ends_at(YOGYA, date(2025, 12, 28), HOLIDAYS))
    decision = decide(CLAIM, command, by("op_desa"))
    assert isinstance(decision, Refusal) is refused
    if refused:
        assert codes(decision) == ["batas_waktu_klaim"]


@pytest.mark.parametrize(
    ("convention", "last"),
    [("none", date(2026, 4, 13)), ("national", date(2026, 4, 15)), ("national_and_collective", date(2026, 4, 21))],
)
def test_thirty_working_days_depend_on_the_convention_of_counting(convention, last):
    """Fact 12 of the design: three conventions, three last days after Monday 2 March 2026."""
    rule = deadline.parse({**DENPASAR, "holidays": convention})
    assert deadline.last_day(rule, date(2026, 3, 2), HOLIDAYS) == last
    ends = deadline.ends_at(rule, date(2026, 3, 2), HOLIDAYS)
    assert ends is not None
    assert ends.tzinfo == ZoneInfo("Asia/Makassar")


def test_a_month_after_death_keeps_to_short_months():
    rule = deadline.parse({"kind": "months", "count": 1})
    assert deadline.last_day(rule, date(2026, 1, 31), HOLIDAYS) == date(2026, 2, 28)


@pytest.mark.parametrize(
    "raw",
    [{"kind": "soon"}, {"kind": "working_days"}, {"kind": "none", "zone": "Europe/Paris"}, {"holidays": "some"}],
)
def test_a_deadline_that_cannot_be_read_is_refused(raw):
    with pytest.raises(RuleError):
        deadline.parse(raw)


def test_a_profile_names_only_what_it_knows():
    with pytest.raises(RuleError, match="isian_tidak_dikenal"):
        profile.read({"claim": {"cure_day": 3}})
    assert profile.read({}).terms == Terms()


# --- S18: heirs of Yogyakarta ---
ORDER = heirs.parse(
    {"order": ["spouse", "child", "parent", "sibling", "grandparent", "uncle_aunt"], "last_resort": ["rt_rw_officer"]}
)
FAMILY = [heirs.Relative(WIFE, "spouse", alive=True), heirs.Relative(SON, "child", alive=True)]


def heir(relationship, claimant, relatives=FAMILY, statements=(), kinds=()):
    found = heirs.check(
        ORDER, relationship, claimant, relatives=relatives, statements=frozenset(statements), kinds=frozenset(kinds)
    )
    return [r.code for r in found]


def test_a_son_needs_the_statement_of_his_living_mother():
    assert heir("spouse", WIFE) == []
    assert heir("child", SON) == ["ahli_waris_utama_ada"]
    assert heir("child", SON, statements={WIFE}) == []
    assert heir("child", SON, [heirs.Relative(WIFE, "spouse", alive=False), FAMILY[1]]) == []


def test_a_neighbourhood_officer_is_the_last_resort_with_a_witness():
    assert heir("rt_rw_officer", RT, [], kinds={"saksi_rw"}) == []
    assert heir("rt_rw_officer", RT, []) == ["dokumen_kurang"]
    assert heir("rt_rw_officer", RT, FAMILY, kinds={"saksi_rw"}) == ["ahli_waris_utama_ada"]
    assert heir("neighbour", RT, []) == ["bukan_ahli_waris"]


def test_a_signal_asks_for_a_visit():
    filed = replace(CLAIM, state=State.FILED, steps=())
    signal = CheckKel(signals=("pemohon_berulang",))
    assert codes(decide(filed, signal, by("pemeriksa_kel"))) == ["perlu_kunjungan"]
    assert good(decide(filed, replace(signal, visited=True), by("pemeriksa_kel"))).state == State.CHECKED_KEL
    nearer = CheckKel((Reason("ahli_waris_utama_ada"), Reason("dokumen_kurang")))
    assert codes(decide(filed, nearer, by("pemeriksa_kel"))) == ["ahli_waris_utama_ada", "dokumen_kurang"]
