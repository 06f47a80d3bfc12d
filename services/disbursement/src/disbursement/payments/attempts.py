"""Payment attempts (upaya bayar): how the reports of a bank, late, repeated or out of order, move one attempt.

Reports are ranked and applied only upwards, so that any order of the same reports ends in the same state and the same
ledger. What contradicts itself is applied as far as the evidence goes and handed to people.
"""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from disbursement.ledger.rules import Rule


class State(StrEnum):
    PREPARED = "prepared"
    EXPORTED = "exported"  # in a file that has not left
    SENT = "sent"
    ACCEPTED = "accepted"
    PENDING = "pending"
    BLOCKED = "blocked"  # at the bank, neither posted nor returned
    UNKNOWN = "unknown"  # no answer: ask, never send again
    SETTLED = "settled"
    REJECTED = "rejected"
    RETURNED = "returned"
    RECALLED = "recalled"
    VOIDED = "voided"  # taken out of an unsent file


class Status(StrEnum):
    """What a bank can say about an attempt, in our words."""

    ACCEPTED = "accepted"
    PENDING = "pending"
    BLOCKED = "blocked"
    REJECTED = "rejected"
    SETTLED = "settled"
    RETURNED = "returned"


class Outcome(StrEnum):
    """How a row of a result file ends. Only `matched` is applied."""

    MATCHED = "matched"
    AMOUNT_DIFFERS = "amount_differs"
    DUPLICATE = "duplicate"
    UNKNOWN = "unknown"
    MISSING = "missing"


RANK: dict[Status, int] = {
    Status.ACCEPTED: 10,
    Status.PENDING: 15,
    Status.BLOCKED: 20,
    Status.REJECTED: 30,
    Status.SETTLED: 40,
    Status.RETURNED: 50,
}
OPEN = (
    State.PREPARED, State.EXPORTED, State.SENT, State.ACCEPTED, State.PENDING, State.BLOCKED, State.UNKNOWN,
)  # fmt: skip
AT_BANK = (State.SENT, State.ACCEPTED, State.PENDING, State.BLOCKED, State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Attempt:
    """The attempt as far as reports depend on it. `newest`: no later one exists, and the line is not given up."""

    state: State
    amount_idr: int
    newest: bool = True
    settled_on: date | None = None
    settled_bank_ref: str | None = None
    rejected_on: date | None = None
    returned_on: date | None = None
    recall_asked: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """One row about the attempt. `on` is the value date or the date of the file."""

    status: Status
    amount_idr: int
    on: date
    bank_ref: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """What a report does: the attempt after it, the postings due, the outcome of the row, and what people must see.

    `line_moves` is the status that the line follows, None when the line stays. `alarms` are kinds of recon items.
    """

    attempt: Attempt
    outcome: Outcome
    postings: tuple[Rule, ...] = ()
    line_moves: Status | None = None
    alarms: tuple[str, ...] = ()


_RANK_OF = {State(status.value): number for status, number in RANK.items()} | {State.RECALLED: 50}


def rank(state: State) -> int:
    """The rank of the last report that the attempt follows; 0 for none."""
    return _RANK_OF.get(state, 0)


def apply_report(attempt: Attempt, report: Report) -> Applied:
    """Apply one report. Pure; equal reports again change nothing (`duplicate`)."""
    if report.amount_idr != attempt.amount_idr:
        return Applied(attempt, Outcome.AMOUNT_DIFFERS, alarms=("amount_differs",))
    if attempt.state in (State.PREPARED, State.VOIDED):
        return Applied(attempt, Outcome.UNKNOWN, alarms=("not_sent",))
    after = _remember(attempt, report)
    if paid_twice(attempt, report):
        return Applied(after, Outcome.DUPLICATE, alarms=("paid_twice",))
    alarms = tuple(sorted(contradictions(after) - contradictions(attempt)))
    if RANK[report.status] <= rank(attempt.state):
        return Applied(after, Outcome.DUPLICATE, alarms=alarms)
    return Applied(
        replace(after, state=_target(attempt, report)),
        Outcome.MATCHED,
        postings_of(attempt.state, report.status),
        _line_follows(attempt, report.status),
        alarms,
    )


def _line_follows(attempt: Attempt, status: Status) -> Status | None:
    """The line follows its newest attempt; a return after a rejection finds it in repair already."""
    if not attempt.newest or (attempt.state is State.REJECTED and status is Status.RETURNED):
        return None
    return status if RANK[status] >= RANK[Status.BLOCKED] else None


def paid_twice(attempt: Attempt, report: Report) -> bool:
    """The bank says that it paid once more: under another booking, or although a newer attempt is out."""
    if report.status is not Status.SETTLED:
        return False
    if attempt.state is State.REJECTED and not attempt.newest:
        return True
    refs = (attempt.settled_bank_ref, report.bank_ref)
    return attempt.settled_on is not None and None not in refs and refs[0] != refs[1]


def contradictions(attempt: Attempt) -> frozenset[str]:
    """Reports that cannot both be true, whichever came first: rejected and booked, booked after it came back."""
    found = set()
    if attempt.rejected_on and (attempt.settled_on or attempt.returned_on):
        found.add("rejected_and_booked")
    if attempt.settled_on and attempt.returned_on and attempt.settled_on > attempt.returned_on:
        found.add("settled_after_return")
    return frozenset(found)


def postings_of(before: State, status: Status) -> tuple[Rule, ...]:
    """The journals that carry the ledger from the state before to the one after; the sum is the same on every path."""
    match before, status:
        case State.REJECTED, Status.SETTLED:
            return (Rule.P09_BACK, Rule.P08)
        case State.REJECTED, Status.RETURNED:
            return ()
        case State.SETTLED, Status.RETURNED:
            return (Rule.P10,)
        case _, Status.RETURNED:
            return (Rule.P08, Rule.P10)
        case _, Status.SETTLED:
            return (Rule.P08,)
        case _, Status.REJECTED:
            return (Rule.P09,)
        case _:
            return ()


def _target(attempt: Attempt, report: Report) -> State:
    """A return after a recall letter is the success of the recall."""
    if report.status is Status.RETURNED and attempt.recall_asked:
        return State.RECALLED
    return State(report.status.value)


def _remember(attempt: Attempt, report: Report) -> Attempt:
    """The last day of a booking and the first of a refusal or return stay: what speaks most for a contradiction."""
    match report.status:
        case Status.SETTLED:
            return replace(
                attempt,
                settled_on=max(attempt.settled_on or report.on, report.on),
                settled_bank_ref=attempt.settled_bank_ref or report.bank_ref,
            )
        case Status.REJECTED:
            return replace(attempt, rejected_on=min(attempt.rejected_on or report.on, report.on))
        case Status.RETURNED:
            return replace(attempt, returned_on=min(attempt.returned_on or report.on, report.on))
        case _:
            return attempt


MEANING: dict[str, Status] = {
    "RCVD": Status.ACCEPTED, "ACTC": Status.ACCEPTED, "ACCP": Status.ACCEPTED, "ACSP": Status.ACCEPTED,
    "ACWC": Status.ACCEPTED, "ACFC": Status.ACCEPTED, "ACSC": Status.ACCEPTED, "ACCC": Status.ACCEPTED,
    "PDNG": Status.PENDING, "PATC": Status.PENDING, "BLCK": Status.BLOCKED, "ACWP": Status.BLOCKED,
    "RJCT": Status.REJECTED, "CPUC": Status.SETTLED,
}  # fmt: skip
"""ISO 20022 payment status codes. ACSC and ACCC settle nothing: the code list itself says they are no booking evidence."""
