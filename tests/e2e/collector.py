"""A collector of traces that keeps what the services send it, as OpenTelemetry's own would receive it (OTLP over HTTP)."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True, slots=True)
class Seen:
    """One span: whose, what, in which trace, and the traces of what it works off together."""

    service: str
    name: str
    kind: int
    trace: str
    linked: frozenset[str]


@dataclass
class Collector:
    """Where to send spans, and those that came."""

    endpoint: str
    spans: list[Seen] = field(default_factory=list)

    def of(self, trace: str) -> list[Seen]:
        """The spans that belong to a trace or were linked to it."""
        return [one for one in list(self.spans) if one.trace == trace or trace in one.linked]

    def take(self, body: bytes) -> None:
        """Keep the spans of one request."""
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            named = {one.key: one.value.string_value for one in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += (
                    Seen(
                        named["service.name"], span.name, span.kind, span.trace_id.hex(),
                        frozenset(link.trace_id.hex() for link in span.links),
                    )
                    for span in scope.spans
                )  # fmt: skip


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector that listens while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.take(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing: what came is in `spans`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
