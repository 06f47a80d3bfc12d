"""Eligibility as a function of a day, and the ladder of reminders."""

from dataclasses import replace
from datetime import date, timedelta

from grants.eligibility.domain import NOT_YET_KNOWN, Call, Signer, Standing, Validity, eligibility
from grants.reminders.domain import LADDER, due
from hypothesis import given
from hypothesis import strategies as st

TODAY = date(2026, 7, 1)
CERTIFICATE = Validity(date(2024, 1, 1), date(2027, 1, 1))
GOOD = Standing(
    certificates=(CERTIFICATE,),
    accreditations=(Validity(date(2025, 1, 1), date(2027, 1, 1), grade="c"),),
    account_settled=True,
    has_account=True,
    signers=(Signer(date(2027, 1, 1), proved=True, alive=True),),
)
NOBODY = Standing((), (), account_settled=False, has_account=False, signers=())


def codes(standing, call=Call(minimum_grade="c"), as_of=TODAY):
    return [reason.code for reason in eligibility(standing, call, as_of).reasons]


def test_an_institution_with_everything_is_eligible_and_the_answer_says_what_it_does_not_know():
    answer = eligibility(GOOD, Call("c"), TODAY)
    assert answer.eligible
    assert answer.not_evaluated == NOT_YET_KNOWN


def test_all_reasons_speak_at_once():
    assert codes(NOBODY) == [
        "lks_belum_terdaftar",
        "belum_terakreditasi",
        "rekening_belum_dinyatakan",
        "pengurus_belum_terbukti",
    ]


def test_a_grade_below_the_minimum_is_named():
    assert codes(GOOD, Call("b")) == ["akreditasi_kurang"]
    assert codes(GOOD, Call(None)) == []


def test_the_answer_is_that_of_the_day():
    assert codes(GOOD, as_of=date(2023, 1, 1))[:2] == ["tanda_daftar_berakhir", "akreditasi_berakhir"]
    assert codes(GOOD, as_of=date(2027, 1, 1)) == []
    assert codes(GOOD, as_of=date(2027, 1, 2))[:2] == ["tanda_daftar_berakhir", "akreditasi_berakhir"]


def test_a_revoked_certificate_held_until_the_day_before():
    revoked = Validity(CERTIFICATE.start, CERTIFICATE.last, ended_on=TODAY)
    assert not revoked.holds(TODAY)
    assert revoked.holds(TODAY - timedelta(days=1))


def test_signers_whose_term_has_ended_or_who_died_do_not_sign():
    for signer in (
        Signer(TODAY - timedelta(days=1), proved=True, alive=True),
        Signer(None, proved=True, alive=False),
    ):
        standing = replace(GOOD, signers=(signer,))
        assert codes(standing) == ["masa_bakti_berakhir"]


@given(st.integers(-400, 400), st.integers(0, 800))
def test_walking_day_by_day_tells_every_rung_once_and_in_order(offset, known_before):
    end = TODAY + timedelta(days=500)
    known = end - timedelta(days=known_before)
    told: list[int] = []
    day = known
    while day <= end:
        told += due(end, known, day, told)
        day += timedelta(days=1 + abs(offset) % 9 if offset < 0 else 1)
    assert told == sorted(set(told), reverse=True)
    if offset >= 0:
        expected = [r for r in LADDER if r <= known_before]
        first = [r for r in LADDER if r > known_before][-1:] if known_before not in LADDER else []
        assert told in (expected, first + expected)


def test_a_missed_week_is_caught_up_once():
    end = TODAY + timedelta(days=7)
    assert due(end, TODAY - timedelta(days=300), TODAY, {180, 90, 60}) == [30, 7]
    assert due(end, TODAY - timedelta(days=300), TODAY, set(LADDER) - {0}) == []


def test_who_enters_an_old_certificate_hears_only_the_last_rung_behind():
    assert due(TODAY + timedelta(days=20), TODAY, TODAY, set()) == [30]
