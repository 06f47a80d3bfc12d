"""The words of the message machine: states, classes, channels, and the times and limits that go with them."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class State(StrEnum):
    PLANNED = "planned"  # somebody is to hear of an event; nothing is written yet
    RENDERED = "rendered"  # the text stands, the person has not been looked up or checked
    RENDER_FAILED = "render_failed"  # a blank of the template has no value: nobody gets half a letter
    SKIPPED = "skipped"  # the person has no address here, or does not want this kind
    SUPPRESSED = "suppressed"  # the address is known to be dead or was withdrawn
    QUEUED = "queued"  # ready to go
    DEFERRED = "deferred"  # waits for the morning, or for the provider's limit
    SUPERSEDED = "superseded"  # a newer message says it better
    CANCELLED = "cancelled"  # an officer took it back before it was sent
    EXPIRED = "expired"  # too late to be of use
    SENDING = "sending"  # a worker holds it and may be talking to the provider right now
    ACCEPTED = "accepted"  # the provider took it
    RETRY_WAIT = "retry_wait"  # clearly not taken, to be tried again
    FAILED_PERMANENT = "failed_permanent"  # clearly not deliverable to this address
    UNKNOWN = "unknown"  # nobody can say whether the provider took it: ask, never send blindly again
    DELIVERED = "delivered"  # the provider vouches that it arrived
    UNCONFIRMED = "unconfirmed"  # taken, and no proof ever came; counted apart, not called failed
    DEAD_LETTERED = "dead_lettered"  # given up; an officer may send it again


class Class(StrEnum):
    EMERGENCY = "emergency"
    LEGAL = "legal"
    DECISION = "decision"
    REMINDER = "reminder"


class Channel(StrEnum):
    EMAIL = "email"
    SMS = "sms"
    WHATSAPP = "whatsapp"


FINAL = frozenset(
    {
        State.RENDER_FAILED,
        State.SKIPPED,
        State.SUPPRESSED,
        State.SUPERSEDED,
        State.CANCELLED,
        State.EXPIRED,
        State.FAILED_PERMANENT,
        State.DELIVERED,
        State.UNCONFIRMED,
        State.DEAD_LETTERED,
    }
)
"""States that no clock leaves. Only a report of higher rank or an officer's redrive does."""

RANK = {
    State.ACCEPTED: 10,
    State.UNCONFIRMED: 20,
    State.FAILED_PERMANENT: 30,
    State.DEAD_LETTERED: 30,
    State.DELIVERED: 40,
}
"""How much a state proves. A report is applied only if it proves more; states that prove nothing have rank 0."""

UNKNOWN_WAIT = timedelta(minutes=15)
"""How long an unknown outcome waits for a receipt before it is asked for, or decided by the policy of the class."""

HORIZON = {Channel.SMS: timedelta(hours=72), Channel.WHATSAPP: timedelta(hours=24), Channel.EMAIL: timedelta(hours=72)}
"""How long a receipt may take; past it an accepted message is `unconfirmed`."""

BACKOFF = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=4),
)
"""The wait before attempt n+1; the provider's own Retry-After is the floor."""

LONGEST_RETRY_AFTER = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Policy:
    """What the class of a message allows (from `rules.yaml`, copied onto the message when it is planned)."""

    attempts: int
    """Calls to the provider before it is given up."""
    resends_unknown: int
    """How often an unknown SMS or WhatsApp outcome may be sent again without an answer of the provider."""
    keeps_quiet: bool
    """Whether it waits for the morning."""
    mandatory: bool
    """Whether it is sent although the person switched this kind off: what the law says people must hear."""


def wait(attempts: int, retry_after: timedelta) -> timedelta:
    """How long to wait after `attempts` calls: the schedule, or longer where the provider asks for it (at most a day)."""
    step = BACKOFF[min(max(attempts, 1), len(BACKOFF)) - 1]
    return max(step, min(retry_after, LONGEST_RETRY_AFTER))


def proves_more(target: State, known: State) -> bool:
    """Whether a report of `target` outranks what is known; otherwise it is kept and ignored."""
    return RANK.get(target, 0) > RANK.get(known, 0)
