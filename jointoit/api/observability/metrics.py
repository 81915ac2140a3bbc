"""Figures for Prometheus: what this process counts as it goes, and what apps read when they are asked.

An app fills the registry from `AppConfig.ready` or from its own module:

    sends = Counter("jointoit_mail_attempts_total", "…", ["result"])       counted as it happens, in any process
    metrics.register(outbox)                                               `outbox()` yields families at each scrape
    metrics.observe("event-register", count_registration)                  called with each answer of that route

Processes of one server add up: `serve` and `work` name a folder in PROMETHEUS_MULTIPROC_DIR, in which each process
keeps its figures and which whoever is scraped reads as a whole (prometheus_client's multiprocess mode).
"""

import os
import threading
import time
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

import structlog
from django.conf import settings
from django.db import Error, connections
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, make_wsgi_app
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import REGISTRY, Collector

from jointoit.api.observability.access import is_operator
from jointoit.process.shared_metrics import FOLDER

log = structlog.get_logger(__name__)

Families = Callable[[], Iterable[Metric]]
Observer = Callable[[HttpRequest, HttpResponseBase], None]

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
POOL_EVERY: Final = 1.0  # seconds between two looks at the pool

requests = Counter("jointoit_http_requests_total", "Answers by route and status.", ["method", "route", "status"])
latency = Histogram(
    "jointoit_http_request_seconds",
    "From the first line of our code to the last, by route.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
refusals = Counter("jointoit_throttled_total", "Requests refused by a rate limit.", ["scope"])
pool = Gauge(
    "jointoit_database_pool",
    "With DATABASE_POOL: connections of the pools of this server, and requests that wait for one.",
    ["kind"],
    multiprocess_mode="livesum",
)
pool_errors = Gauge(
    "jointoit_database_pool_errors", "Requests that got no connection.", multiprocess_mode="livesum"
)  # the pool counts itself; a gauge takes its count over

_families: Final[list[Families]] = []
_observers: Final[dict[str, list[Observer]]] = {}


def register(families: Families) -> None:
    """Ask `families()` at each scrape. One that raises django.db.Error is left out of that scrape."""
    _families.append(families)


def observe(url_name: str, observer: Observer) -> None:
    """Show `observer` each answer of that route, once the answer is complete."""
    _observers.setdefault(url_name, []).append(observer)


class MetricsMiddleware:
    """Stands first, so that it sees the answer as the client gets it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.measure_pool_at = 0.0

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        response = self.get_response(request)
        ended = time.perf_counter()
        count(request, response, seconds=ended - started)
        if ended >= self.measure_pool_at:
            self.measure_pool_at = ended + POOL_EVERY
            measure_pool()
        return response


def count(request: HttpRequest, response: HttpResponseBase, *, seconds: float) -> None:
    match = request.resolver_match
    route = match.route if match else "none"
    method = request.method if request.method in METHODS else "other"
    counter, histogram = children(method, route, response.status_code)
    counter.inc()
    histogram.observe(seconds)
    if response.status_code == 429:
        refusals.labels(refused_scope(request)).inc()
    for observer in _observers.get((match.url_name or "") if match else "", ()):
        observer(request, response)


@cache
def children(method: str | None, route: str, status: int) -> tuple[Any, Any]:
    """The two figures of one kind of request; looking them up by their labels costs more than counting."""
    return requests.labels(method, route, status), latency.labels(method, route)


def refused_scope(request: HttpRequest) -> str:
    noted: list[Any] = getattr(request, "rate_limits", [])
    return next((spent.scope for spent in reversed(noted) if not spent.allowed), "none")


def measure_pool() -> None:
    """Take over what this process's pool says of itself; nothing where connections are not pooled."""
    own = getattr(connections["default"], "pool", None)
    if own is None:
        return
    found = own.get_stats()
    pool.labels("open").set(found.get("pool_size", 0))
    pool.labels("idle").set(found.get("pool_available", 0))
    pool.labels("waiting").set(found.get("requests_waiting", 0))
    pool_errors.set(found.get("requests_errors", 0))


def offer() -> None:
    """Offer what was counted on METRICS_PORT, for a process that serves nothing else; nothing where that is unset."""
    if settings.METRICS_PORT:
        place = settings.SERVE["host"], settings.METRICS_PORT
        server = make_server(*place, for_operators(make_wsgi_app(registry())), FigureServer, QuietHandler)
        threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()


class FigureServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Who scrapes leaves no line."""


def for_operators(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """The application for whoever has METRICS_TOKEN; for everybody else there is nothing here."""

    def guarded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if is_operator(environ.get("HTTP_AUTHORIZATION", "")):
            return application(environ, start_response)
        start_response("404 Not Found", [("Content-Length", "0")])
        return []

    return guarded


# ── Being asked ───────────────────────────────────────────────────────────────────────────────────────────────────────


class AppCollector(Collector):
    """What the apps read from their tables."""

    def collect(self) -> Iterable[Metric]:
        for families in _families:
            try:
                yield from families()
            except Error as error:
                log.warning(
                    "metrics_without_database",
                    error=type(error).__name__,
                    hint="Look at the database: its figures are left out.",
                )


def registry() -> CollectorRegistry:
    """Everything that every process of this server counted."""
    found = CollectorRegistry()
    if os.environ.get(FOLDER):
        forget_the_dead()
        MultiProcessCollector(found)  # type: ignore[no-untyped-call]
    else:
        found.register(REGISTRY)
    return found


def forget_the_dead() -> None:
    """Leave out what processes that are gone said of the present; what they counted stays."""
    for path in Path(os.environ[FOLDER]).glob("gauge_live*_*.db"):
        pid = path.stem.rpartition("_")[2]
        if not Path("/proc", pid).exists() and Path("/proc").exists():
            mark_process_dead(int(pid))  # type: ignore[no-untyped-call]


def exposition() -> bytes:
    """The figures in Prometheus's text format."""
    found = registry()
    found.register(AppCollector())
    return generate_latest(found)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer whoever has METRICS_TOKEN; for everybody else, and where none is set, there is no such page."""
    if not is_operator(request.headers.get("Authorization", "")):
        raise Http404
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_PLAIN_0_0_4, headers={"Cache-Control": "no-store"})
