"""What a duty officer asks of each service's figures: is money waiting, is anything late, is anything stuck.

The limits are those of the alarms (`deploy/observability/alerts.yml`); a test holds the two together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from stack.findings import Finding, fine


@dataclass(frozen=True, slots=True)
class Limit:
    """A series, the value above which something is wrong, and how it is said; `alarm` names the page that helps."""

    alarm: str
    series: str
    most: float
    words: str


LIMITS: Final = (
    Limit("OutboxLate", "relay_lag_seconds", 60, "committed something {:.0f} s ago that is not announced yet"),
    Limit("ConsumerLate", "consumer_lag_seconds", 120, "read something {:.0f} s ago that is not applied yet"),
    Limit("MessagesParked", "parked_messages", 0, "{:.0f} messages were put aside and wait for a person"),
    Limit("PaymentsUnanswered", "payments_unanswered", 0, "{:.0f} payments whose answer is overdue or unknown"),
    Limit("RepairsOverdue", "repairs_overdue", 0, "{:.0f} returned payments were not mended in time"),
    Limit("ClaimsOverdue", "claims_overdue", 0, "{:.0f} claims are past their day"),
    Limit("ReconOpen", "recon_open", 0, "{:.0f} differences between our books and the bank's are open"),
    Limit("MessagesUnsent", "message_waiting_seconds", 900, "a message that may go has waited for {:.0f} s"),
    Limit(
        "MessagesUnwritten",
        "messages_unwritten",
        0,
        "{:.0f} messages could not be written: a text or words are missing",
    ),
)


def late(service: str, exposed: str) -> Iterator[Finding]:
    """What is late or stuck in the service whose figures these are (the text of its `/metrics`)."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(exposed):
        for sample in family.samples:
            found[sample.name] = max(sample.value, found.get(sample.name, sample.value))
    wrong = [limit for limit in LIMITS if found.get(limit.series, 0) > limit.most]
    for limit in wrong:
        yield Finding(f"{service}: {limit.words.format(found[limit.series])}", f"See: docs/runbooks/{limit.alarm}.md")
    if not wrong:
        yield fine(f"{service}: nothing late, nothing stuck")
