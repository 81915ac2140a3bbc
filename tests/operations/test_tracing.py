"""Traces reach whoever is named to receive them, and without one nothing of OpenTelemetry is loaded."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.operations.crowd import register
from tests.operations.installation import Installation, until
from tests.operations.test_watching import call

#: redis-py looks for the API of OpenTelemetry by itself.
LOADED = """
import sys
ours = ("jointoit.api.observability.tracing", "opentelemetry.exporter", "opentelemetry.instrumentation",
        "opentelemetry.sdk.trace")
print([name for name in sys.modules if name.startswith(ours)])
"""


class Collector:
    """A receiver of OTLP over HTTP."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.raw = b""
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.receive(body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  so named by http.server
                """Nobody reads it."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def receive(self, body: bytes) -> None:
        self.raw += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)

    def named(self, name: str) -> list[Span]:
        return [span for span in list(self.spans) if span.name == name]


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    thread = threading.Thread(target=collector.server.serve_forever, daemon=True)
    thread.start()
    yield collector
    collector.server.shutdown()
    collector.server.server_close()
    thread.join(timeout=10)


def test_a_request_its_statements_and_the_task_that_follows_are_traced(
    installation: Installation, collector: Collector
) -> None:
    event, tokens = installation.seed(guests=1, capacity=1)
    for part in ("web", "worker"):
        installation.start(part, OTEL_EXPORTER_OTLP_ENDPOINT=collector.address, OTEL_BSP_SCHEDULE_DELAY="200")
    until(installation.is_ready)
    caller = "0af7651916cd43dd8448eb211c80319c"
    call(installation, "GET", "/events/?title=whispered", headers={"traceparent": f"00-{caller}-b7ad6b7169203331-01"})
    register(installation.api, event, tokens[0])
    until(lambda: installation.mails("state = 'sent'") == 1)
    until(lambda: collector.named("POST events/<id:pk>/register/") and collector.named("run/mail.deliver_due"))
    installation.stop("web")

    (listed,), (taken,) = collector.named("GET events/"), collector.named("POST events/<id:pk>/register/")
    told = {attribute.key: attribute.value for attribute in taken.attributes}
    assert (told["http.route"].string_value, told["http.response.status_code"].int_value) == (
        "events/<id:pk>/register/",
        201,
    )
    assert listed.trace_id.hex() == caller
    statements = [span for span in collector.spans if span.parent_span_id == taken.span_id]
    assert {span.name for span in statements} >= {"SELECT", "WITH"}
    assert not collector.named("GET health/ready/")
    personal = [b"whispered", b"guest0", b"example.org", tokens[0].encode()]
    assert [word for word in personal if word in collector.raw] == []


def test_without_an_endpoint_nothing_of_it_is_loaded(installation: Installation) -> None:
    assert installation.manage("shell", "-v", "0", "-c", LOADED).strip() == "[]"
