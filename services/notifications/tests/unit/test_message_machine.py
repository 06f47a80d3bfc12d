"""The message machine against a provider that does anything: accepts, refuses, goes silent, repeats itself, lies late."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from kit.machine import SYSTEM, Context, Refusal
from notifications.messages import domain as d
from notifications.messages.states import FINAL, Channel, Policy, State, proves_more

START = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)


@dataclass
class Phone:
    """What really happened to one message, as only the provider knows."""

    taken: list[int] = field(default_factory=list)
    refused_later: set[int] = field(default_factory=set)


class Provider(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.messages: list[d.Message] = []
        self.phones: list[Phone] = []
        self.calls: list[tuple[int, int]] = []
        self.reports: list[tuple[int, d.Command]] = []
        self.finals: dict[int, State] = {}

    def context(self, role: str = SYSTEM) -> Context:
        return Context("rule", frozenset({role}), self.now, self.now.date())

    def try_(self, number: int, command: d.Command, role: str = SYSTEM) -> bool:
        answer = d.decide(self.messages[number], command, self.context(role))
        if isinstance(answer, Refusal):
            return False
        before = self.messages[number].state
        self.messages[number] = answer[0]
        if before in FINAL and not isinstance(command, d.Redrive):
            assert proves_more(answer[0].state, before)
        return True

    @rule(
        channel=st.sampled_from(Channel),
        attempts=st.integers(1, 4),
        resends=st.integers(0, 1),
        hours=st.integers(1, 72),
        mandatory=st.booleans(),
    )
    def plan(self, channel: Channel, attempts: int, resends: int, hours: int, mandatory: bool) -> None:
        if len(self.messages) >= 6:
            return
        policy = Policy(attempts, resends, keeps_quiet=not mandatory, mandatory=mandatory)
        message = d.decide(None, d.Plan(channel, policy, self.now + timedelta(hours=hours)), self.context())[0]
        self.messages.append(message)
        self.phones.append(Phone())

    @precondition(lambda self: self.messages)
    @rule(pick=st.integers(0, 99), outcome=st.sampled_from(["ok", "ok", "ok", "gap", "no_address", "suppressed"]))
    def prepare(self, pick: int, outcome: str) -> None:
        number = pick % len(self.messages)
        if outcome == "gap":
            self.try_(number, d.FailRender("templat_kurang_isi"))
            return
        self.try_(number, d.Render())
        last = {"ok": d.Queue(), "no_address": d.Skip("no_address"), "suppressed": d.Suppress("alamat_dicabut")}
        self.try_(number, last[outcome])

    @precondition(lambda self: self.messages)
    @rule(pick=st.integers(0, 99))
    def claim(self, pick: int) -> None:
        number = pick % len(self.messages)
        if self.try_(number, d.Claim(self.now + timedelta(minutes=2))):
            self.calls.append((number, self.messages[number].attempts))

    @precondition(lambda self: self.calls)
    @rule(
        pick=st.integers(0, 99), what=st.sampled_from(["accept", "for_now", "for_good", "silent_taken", "silent_lost"])
    )
    def call(self, pick: int, what: str) -> None:
        """The call goes out; a worker that dies here leaves a silent outcome to the lease."""
        number, attempt = self.calls.pop(pick % len(self.calls))
        if what in {"accept", "silent_taken"}:
            self.phones[number].taken.append(attempt)
            delivered: d.Command = d.ReportDelivered(attempt)
            self.reports += [(number, delivered), (number, delivered)]
        if what == "accept":
            self.try_(number, d.Accept(attempt))
        elif what == "for_now":
            self.try_(number, d.RefuseForNow(attempt, "sibuk", timedelta(seconds=90)))
        elif what == "for_good":
            self.try_(number, d.RefuseForGood(attempt, "nomor_mati"))
        elif self.messages[number].attempts == attempt:
            self.try_(number, d.LoseOutcome(attempt, "waktu_habis"))

    @precondition(lambda self: self.reports)
    @rule(pick=st.integers(0, 99), failed=st.sampled_from([None, None, "good", "now"]))
    def report(self, pick: int, failed: str | None) -> None:
        """Reports come in any order, twice, and some say the contrary of what was said before."""
        number, command = self.reports.pop(pick % len(self.reports))
        assert isinstance(command, d.ReportDelivered)
        if failed and self.phones[number].taken:
            kind = d.ReportFailed if failed == "good" else d.ReportRefusedForNow
            if self.try_(number, kind(command.attempt, "nomor_mati")):
                self.phones[number].refused_later.add(command.attempt)
            return
        self.try_(number, command)

    @rule(minutes=st.sampled_from([1, 3, 15, 60, 600, 3000]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        for number in range(len(self.messages)):
            self.tick(number)

    @precondition(lambda self: self.messages)
    @rule(pick=st.integers(0, 99), fresh=st.booleans())
    def redrive(self, pick: int, fresh: bool) -> None:
        number = pick % len(self.messages)
        last = self.now + timedelta(days=1) if fresh else None
        if self.messages[number].state is State.DEAD_LETTERED and self.phones[number].taken:
            return  # a person decided to send twice: outside of the promise below
        self.try_(number, d.Redrive("diperbaiki", last), "kabid")

    def tick(self, number: int) -> None:
        """What the jobs do when the clock has moved."""
        message = self.messages[number]
        due = message.next_at is not None and message.next_at <= self.now
        if message.state is State.SENDING and due:
            self.try_(number, d.LoseOutcome(message.attempts, "sewa_habis"))
        self.try_(number, d.SettleUnknown())
        self.try_(number, d.StopWaiting())
        self.try_(number, d.Wake())
        self.try_(number, d.Expire())

    @invariant()
    def a_telephone_rings_once_unless_the_class_allows_more(self) -> None:
        for message, phone in zip(self.messages, self.phones, strict=True):
            if message.channel is Channel.EMAIL:
                continue
            rung = [n for n in phone.taken if n not in phone.refused_later]
            assert len(rung) <= 1 + message.policy.resends_unknown

    @invariant()
    def the_counts_by_state_add_up_to_what_was_planned(self) -> None:
        assert sum(Counter(m.state for m in self.messages).values()) == len(self.phones)

    @invariant()
    def calls_are_bounded(self) -> None:
        assert all(m.attempts <= m.allowance for m in self.messages)

    def teardown(self) -> None:
        """When the clock runs on, every message comes to an end."""
        for _ in range(60):
            self.now += timedelta(hours=5)
            for number, message in enumerate(self.messages):
                if message.state is State.RENDERED:
                    self.try_(number, d.Queue())
                self.tick(number)
        assert all(m.state in FINAL for m in self.messages)


TestProvider = Provider.TestCase
TestProvider.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
