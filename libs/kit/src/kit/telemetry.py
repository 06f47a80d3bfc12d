"""Traces (OpenTelemetry) and the W3C `traceparent` that ties requests, events and log lines together.

Every process has trace ids; spans are kept, and leave it, only when a collector is configured: a span that nobody will
see costs a command a twentieth of its time.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, TraceFlags

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_NO_ID = 0

_provider = TracerProvider(sampler=ALWAYS_OFF)
_tracer = _provider.get_tracer("kit")


def configure(service: str, otlp_endpoint: str = "") -> None:
    """Name the process in its spans and send them to the collector, when there is one."""
    global _provider, _tracer
    named = Resource.create({"service.name": service})
    _provider = TracerProvider(resource=named, sampler=None if otlp_endpoint else ALWAYS_OFF)
    _tracer = _provider.get_tracer("kit")
    if otlp_endpoint:
        exporter = OTLPSpanExporter(endpoint=otlp_endpoint.rstrip("/") + "/v1/traces", timeout=5)
        _provider.add_span_processor(BatchSpanProcessor(exporter))


def shutdown() -> None:
    """Send what is left and stop."""
    _provider.shutdown()


@contextmanager
def span(
    name: str, kind: SpanKind = SpanKind.INTERNAL, traceparent: str | None = None, *, of: Iterable[str] = ()
) -> Iterator[Span]:
    """A span around a piece of work; with `traceparent` it continues the caller's trace, else the current one.

    Work done for many at once has a trace of its own and is linked to theirs: `of`. A malformed traceparent starts a
    new trace, as the standard asks.
    """
    parent = trace.set_span_in_context(NonRecordingSpan(remote)) if (remote := _parse(traceparent)) else None
    links = [Link(cause) for each in of if (cause := _parse(each))] if _provider.sampler is not ALWAYS_OFF else None
    with _tracer.start_as_current_span(name, context=parent, kind=kind, links=links) as current:
        yield current


def trace_id() -> str:
    """The trace id in force, 32 hex digits; empty outside any span."""
    found = trace.get_current_span().get_span_context().trace_id
    return "" if found == _NO_ID else f"{found:032x}"


def traceparent() -> str | None:
    """The `traceparent` to hand on, None outside any span."""
    here = trace.get_current_span().get_span_context()
    return f"00-{here.trace_id:032x}-{here.span_id:016x}-{here.trace_flags:02x}" if here.is_valid else None


def trace_of(traceparent: str) -> str:
    """The trace id in a `traceparent`; empty when it is malformed or there is none."""
    remote = _parse(traceparent)
    return "" if remote is None else f"{remote.trace_id:032x}"


def inject(headers: MutableMapping[str, str]) -> None:
    """Add `traceparent` to outgoing headers (HTTP or Kafka), when there is a trace."""
    if (here := traceparent()) is not None:
        headers["traceparent"] = here


def extract(headers: Mapping[str, str]) -> str | None:
    """The `traceparent` of incoming headers if it is well formed."""
    found = headers.get("traceparent")
    return found if _parse(found) else None


def _parse(text: str | None) -> SpanContext | None:
    match = _TRACEPARENT.fullmatch(text or "")
    if match is None:
        return None
    remote = SpanContext(
        int(match[1], 16), int(match[2], 16), is_remote=True, trace_flags=TraceFlags(int(match[3], 16))
    )
    return remote if remote.is_valid else None
