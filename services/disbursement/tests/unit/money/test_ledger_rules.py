"""The posting rules: every journal balances, no account shows the wrong sign, a budget line keeps its identity."""

from collections import Counter
from uuid import UUID

import pytest
from disbursement.ledger.rules import BUDGET, RULES, SIGNS, Account, Dims, Rule, allowed, postings
from hypothesis import given
from hypothesis import strategies as st
from kit.money import MAX_IDR

LINE, BATCH, PERSON = UUID(int=1), UUID(int=2), UUID(int=3)
DIMS = Dims(LINE, BATCH, PERSON)
AMOUNTS = st.integers(1, MAX_IDR)


def book(*steps: tuple[Rule, int]) -> Counter[Account]:
    balance: Counter[Account] = Counter()
    for rule, amount in steps:
        for posting in postings(rule, amount, DIMS):
            balance[posting.account] += posting.amount_idr
    return balance


def test_every_rule_and_every_account_is_described():
    assert set(RULES) == set(Rule)
    assert set(SIGNS) == set(Account)


@pytest.mark.parametrize("rule", Rule)
@given(amount=AMOUNTS)
def test_every_journal_sums_to_zero_within_its_group(rule, amount):
    legs = postings(rule, amount, DIMS)
    assert sum(leg.amount_idr for leg in legs) == 0
    assert sum(leg.amount_idr for leg in legs if leg.account in BUDGET) == 0
    assert all(leg.amount_idr for leg in legs)


@pytest.mark.parametrize("amount", [0, -1, MAX_IDR + 1])
def test_a_journal_moves_a_positive_amount_within_the_limit(amount):
    with pytest.raises(ValueError, match="positive"):
        postings(Rule.P01, amount, DIMS)


@given(steps=st.lists(st.tuples(st.sampled_from(Rule), st.integers(1, 10**13))))
def test_pagu_is_what_became_of_it_on_every_path(steps):
    balance = book(*steps)
    assert balance[Account.PAGU] == -sum(balance[a] for a in BUDGET if a is not Account.PAGU)


def test_a_batch_that_is_paid_leaves_expense_and_realisation_only():
    n = 194_850_000
    balance = book(
        (Rule.P01, n), (Rule.P03, n), (Rule.P04, n), (Rule.P05, n), (Rule.P06, n), (Rule.P07, n), (Rule.P08, n)
    )
    assert {a: b for a, b in balance.items() if b} == {
        Account.PAGU: n,
        Account.REALISED: -n,
        Account.TREASURY: -n,
        Account.AID_EXPENSE: n,
    }
    assert all(allowed(account, amount) for account, amount in balance.items())


def test_a_return_and_its_reissue_cost_the_budget_once():
    n = 2_000_000
    chain = ((Rule.P01, n), (Rule.P04_DIRECT, n), (Rule.P05, n), (Rule.P06, n))
    balance = book(*chain, (Rule.P07, n), (Rule.P08, n), (Rule.P10, n), (Rule.P19, n), (Rule.P08, n))
    assert (balance[Account.OWED], balance[Account.AID_EXPENSE], balance[Account.IN_TRANSIT]) == (0, n, 0)
    assert balance[Account.REALISED] == -n


def test_money_put_back_in_the_same_year_can_be_spent_again():
    n = 150_000
    chain = ((Rule.P01, n), (Rule.P04_DIRECT, n), (Rule.P05, n), (Rule.P06, n), (Rule.P11, n), (Rule.P13, n))
    balance = book(*chain)
    assert {a: b for a, b in balance.items() if b} == {Account.PAGU: n, Account.AVAILABLE: -n}


@given(amount=AMOUNTS, account=st.sampled_from(Account))
def test_signs_are_what_the_database_checks(amount, account):
    assert allowed(account, 0)
    assert allowed(account, amount) or allowed(account, -amount)


def test_budget_postings_know_their_line_only_and_debts_their_person():
    keys = {p.account: p.dims for p in postings(Rule.P16_FOUND, 1, DIMS)} | {
        p.account: p.dims for p in postings(Rule.P06, 1, DIMS)
    }
    assert keys[Account.REALISED] == Dims(LINE)
    assert keys[Account.OVERPAID] == Dims(LINE, None, PERSON)
    assert keys[Account.OWED] == Dims(LINE, BATCH)
