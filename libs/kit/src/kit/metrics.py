"""The few series that the house watches (Prometheus). Labels are routes, states and names of parts, never ids.

A module that measures imports its series from here; services may add their own to `REGISTRY`.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

REGISTRY = CollectorRegistry(auto_describe=True)
CONTENT_TYPE = CONTENT_TYPE_LATEST

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

http_seconds = Histogram(
    "http_request_seconds",
    "Time to answer a request",
    ("method", "route", "status"),
    buckets=_SECONDS,
    registry=REGISTRY,
)
http_in_flight = Gauge("http_requests_in_flight", "Requests being answered now", registry=REGISTRY)
outgoing_seconds = Histogram(
    "outgoing_request_seconds", "Time of a call to another service", ("dependency", "outcome"), buckets=_SECONDS,
    registry=REGISTRY,
)  # fmt: skip
relay_published = Counter("relay_published", "Events that the broker has acknowledged", registry=REGISTRY)
relay_lag_seconds = Gauge("relay_lag_seconds", "Age of the oldest event not yet published", registry=REGISTRY)
consumer_events = Counter(
    "consumer_events", "Messages by what became of them: applied, duplicate, skipped, gap, parked", ("outcome",),
    registry=REGISTRY,
)  # fmt: skip
consumer_lag_seconds = Gauge(
    "consumer_lag_seconds", "Age of the oldest message taken from the broker and not yet applied", registry=REGISTRY
)
parked_messages = Gauge("parked_messages", "Messages that wait for a decision", registry=REGISTRY)
job_failures = Counter("job_failures", "Failed runs of a job", ("name",), registry=REGISTRY)
job_last_success = Gauge(
    "job_last_success_seconds", "When a job last ran well (seconds of Unix time)", ("name",), registry=REGISTRY
)


def exposition() -> bytes:
    """All series in Prometheus' text form."""
    return generate_latest(REGISTRY)
