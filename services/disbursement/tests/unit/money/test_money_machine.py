"""Whatever a bank says, in whatever order and however often: one right is paid once and the ledger knows where it is."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from disbursement.ledger.rules import Account, Dims, Rule, allowed, postings
from disbursement.payments import domain
from disbursement.payments.attempts import OPEN, Attempt, Report, Status, apply_report
from disbursement.payments.attempts import State as AttemptState
from disbursement.payments.domain import Line, State
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from kit.machine import SYSTEM, Context, Refusal

AMOUNT = 2_000_000
DIMS = Dims(UUID(int=1), UUID(int=2))
BEGIN = datetime(2026, 8, 3, 2, tzinfo=UTC)
FOLLOWS = {
    Status.SETTLED: domain.Settle(),
    Status.REJECTED: domain.Reject(),
    Status.RETURNED: domain.ReturnMoney(),
    Status.BLOCKED: domain.Block(),
}


@dataclass
class Payment:
    line: Line
    attempts: list[Attempt] = field(default_factory=list)
    entries: Counter[Account] = field(default_factory=Counter)


class Money(RuleBasedStateMachine):
    """Three payments of one funded batch between the office and a bank that says anything."""

    def __init__(self) -> None:
        super().__init__()
        self.payments: list[Payment] = []
        self.said: list[tuple[int, int, Report]] = []
        self.now = BEGIN

    @initialize()
    def fund(self) -> None:
        for _ in range(3):
            payment = Payment(Line(State.READY))
            for step in (Rule.P01, Rule.P04_DIRECT, Rule.P05, Rule.P06):
                self._post(payment, step)
            self.payments.append(payment)

    def _post(self, payment: Payment, step: Rule) -> None:
        for leg in postings(step, AMOUNT, DIMS):
            payment.entries[leg.account] += leg.amount_idr
        for account, balance in payment.entries.items():
            assert allowed(account, balance), (step, account, balance)

    def _by(self, role: str, actor: str | None = None) -> Context:
        return Context(actor or role, frozenset({role}), self.now, self.now.date())

    def _do(self, payment: Payment, command: domain.Command, role: str) -> bool:
        line = replace(payment.line, has_open_attempt=any(a.state in OPEN for a in payment.attempts))
        decision = domain.decide(line, command, self._by(role))
        if isinstance(decision, Refusal):
            return False
        payment.line = decision.line
        return True

    @rule(which=st.integers(0, 2))
    def send(self, which: int) -> None:
        payment = self.payments[which]
        if payment.line.state is State.READY:
            self._post(payment, Rule.P07)
            payment.attempts.append(Attempt(AttemptState.SENT, AMOUNT))
            assert self._do(payment, domain.Send(), SYSTEM)

    @rule(
        which=st.integers(0, 2), old=st.booleans(), status=st.sampled_from(Status), days=st.integers(0, 20),
        told=st.tuples(st.sampled_from(["B1", "B2", None]), st.sampled_from([AMOUNT, AMOUNT, AMOUNT, AMOUNT + 1])),
    )  # fmt: skip
    def bank_says(self, *, which: int, old: bool, status: Status, days: int, told: tuple[str | None, int]) -> None:
        (ref, amount), payment = told, self.payments[which]
        if payment.attempts:
            number = 0 if old else len(payment.attempts) - 1
            report = Report(status, amount, date(2026, 8, 3) + timedelta(days=days), ref)
            self.said.append((which, number, report))
            self._apply(which, number, report)

    @precondition(lambda self: self.said)
    @rule(data=st.data())
    def bank_repeats(self, data: st.DataObject) -> None:
        which, number, report = data.draw(st.sampled_from(self.said))
        before = (
            self.payments[which].line.state,
            list(self.payments[which].attempts),
            dict(self.payments[which].entries),
        )
        if self.payments[which].attempts[number].state is AttemptState.SENT:
            return
        self._apply(which, number, report)
        payment = self.payments[which]
        if RANKED.get(payment.attempts[number].state, 0) == RANKED.get(before[1][number].state, 0):
            assert (payment.line.state, dict(payment.entries)) == (before[0], before[2])

    def _apply(self, which: int, number: int, report: Report) -> None:
        payment = self.payments[which]
        last = number == len(payment.attempts) - 1 and payment.line.state is not State.REDEPOSITED
        attempt = replace(payment.attempts[number], newest=last)
        applied = apply_report(attempt, report)
        payment.attempts[number] = applied.attempt
        for step in applied.postings:
            self._post(payment, step)
        if applied.line_moves is not None:
            assert self._do(payment, FOLLOWS[applied.line_moves], SYSTEM), (payment.line, applied.line_moves)

    @rule(which=st.integers(0, 2), hours=st.sampled_from([1, 23, 24, 48]))
    def mend(self, which: int, hours: int) -> None:
        payment = self.payments[which]
        if self._do(payment, domain.FixPayee((UUID(int=9),)), "op_desa"):
            assert self._do(payment, domain.ConfirmFix("active", "exact"), "verifikator")
            self.now += timedelta(hours=hours)
            if self._do(payment, domain.AskReissue(), "recon_officer"):
                assert hours >= 24
                assert self._do(payment, domain.AgreeReissue(), "kabid")

    @rule(which=st.integers(0, 2))
    def reissue(self, which: int) -> None:
        payment = self.payments[which]
        if self._do(payment, domain.Reissue(), "exporter"):
            self._post(payment, Rule.P19)
            payment.attempts.append(Attempt(AttemptState.SENT, AMOUNT))

    @rule(which=st.integers(0, 2))
    def give_up(self, which: int) -> None:
        payment = self.payments[which]
        if self._do(payment, domain.GiveUp("alasan_lain", year_end=True), "kadis"):
            self._post(payment, Rule.P11)
            self._post(payment, Rule.P13)

    @invariant()
    def a_right_is_paid_at_most_once(self) -> None:
        for payment in self.payments:
            assert sum(a.state is AttemptState.SETTLED for a in payment.attempts) <= 1
            assert sum(a.state in OPEN for a in payment.attempts) <= 1
            settled = any(a.state is AttemptState.SETTLED for a in payment.attempts)
            assert (payment.line.state is State.SETTLED) is settled

    @invariant()
    def the_ledger_says_where_the_money_is(self) -> None:
        for payment in self.payments:
            entries, state = payment.entries, payment.line.state
            transit = AMOUNT if state in (State.IN_FLIGHT, State.BLOCKED) else 0
            owed = 0 if state in (State.SETTLED, State.REDEPOSITED) else AMOUNT
            assert (entries[Account.IN_TRANSIT], -entries[Account.OWED]) == (transit, owed)
            assert sum(entries.values()) == 0


RANKED = {AttemptState(s.value): n for s, n in ((s, i) for i, s in enumerate(Status, start=1))}
Money.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
test_money = Money.TestCase
