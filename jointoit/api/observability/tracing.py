"""OpenTelemetry traces: one span for each request, each statement and each task, where an endpoint is named.

Imported only then. A span tells what the log tells, and nothing personal: the route, never the path or the query;
statements with placeholders, never their values.
"""

from collections.abc import Callable
from typing import Any, Final

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

from jointoit.api.observability.metrics import METHODS

tracer: Final = trace.get_tracer("jointoit")


def begin() -> None:
    """Send spans in the background; the variables OTEL_… of OpenTelemetry say where to and how many."""
    resource = Resource({SERVICE_NAME: "jointoit"}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    connection_created.connect(watch)
    CeleryInstrumentor().instrument()  # type: ignore[no-untyped-call]


def watch(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Called for each connection; its wrappers outlive it."""
    if trace_statement not in connection.execute_wrappers:
        connection.execute_wrappers.append(trace_statement)


def trace_statement(execute: Callable[..., Any], sql: Any, *how: Any) -> Any:
    """Make a span of a statement that is part of a request or a task."""
    if not trace.get_current_span().is_recording():
        return execute(sql, *how)
    text = str(sql).strip()
    told = {"db.system.name": "postgresql", "db.query.text": text}
    with tracer.start_as_current_span(text.partition(" ")[0].upper(), kind=SpanKind.CLIENT, attributes=told):
        return execute(sql, *how)


class TracingMiddleware:
    """Stands before all others. Probes and scrapes make no spans."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(("/health/", "/metrics")):
            return self.get_response(request)
        method = request.method if request.method in METHODS else "_OTHER"
        caller = propagate.extract(request.headers)
        with tracer.start_as_current_span(str(method), context=caller, kind=SpanKind.SERVER) as span:
            response = self.get_response(request)
            route = request.resolver_match.route if request.resolver_match else "none"
            span.update_name(f"{method} {route}")
            span.set_attributes({
                "http.request.method": str(method), "http.route": route,
                "http.response.status_code": response.status_code, "request_id": response["X-Request-ID"],
            })  # fmt: skip
            if response.status_code >= 500:
                span.set_status(StatusCode.ERROR)
            return response
