"""Whether this process lives, and whether what it needs is there.

An app that has something to watch registers a probe in `AppConfig.ready`:

    health.register("mail", lambda: {"queue_age_seconds": 0})

A probe returns facts about its part, and raises when the part does not work. One that works, but not as it should, says
so by a `status` of its own.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from threading import Lock, Thread
from time import monotonic
from typing import Final

import structlog
from django.conf import settings
from django.db import connection, connections
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rest_framework.request import Request
from rest_framework.response import Response

from jointoit.api.database import what_happened
from jointoit.api.observability.access import is_operator
from jointoit.api.problems.mapping import database_unavailable
from jointoit.api.service import ServiceView
from jointoit.process import release

Facts = Mapping[str, object]
Probe = Callable[[], Facts]

PATIENCE: Final = 1.0  # seconds for all parts together; a load balancer asks every few seconds
NO_STORE: Final = {"Cache-Control": "no-store"}

log = structlog.get_logger(__name__)
_probes: Final[dict[str, "Part"]] = {}


class Part:
    """A part under watch. Only one check of it runs at a time, so that a frozen server holds one thread and no more.

    The threads are daemons: a process that is told to end does not wait for a server that is frozen.
    """

    def __init__(self, probe: Probe) -> None:
        self.probe, self.lock = probe, Lock()
        self.running: Future[Facts] | None = None

    def check(self) -> Future[Facts]:
        with self.lock:
            if self.running is None or self.running.done():
                self.running = Future()
                Thread(target=self._run, args=(self.running,), name="health", daemon=True).start()
            return self.running

    def _run(self, found: Future[Facts]) -> None:
        try:
            facts = self._facts()
        except Exception as error:  # noqa: BLE001  told to whoever waits for the result
            found.set_exception(error)
        else:
            found.set_result(facts)

    def _facts(self) -> Facts:
        try:
            return self.probe()
        finally:
            connections.close_all()  # of this thread


def register(name: str, probe: Probe) -> None:
    """Watch one more part; the last probe of a name holds."""
    _probes[name] = Part(probe)


#: Whether it only reads (a standby, or switched so), and what time it is there.
LOOK: Final = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean, clock_timestamp()"


def database() -> Facts:
    """`unavailable` before the release step, `degraded` where it only reads; `clock_skew_seconds` is its lead on us."""
    with connection.cursor() as cursor:
        cursor.execute(LOOK)
        read_only, moment = cursor.fetchone()
    missing = len(release.missing())
    return {
        "status": "unavailable" if missing else "degraded" if read_only else "ok",
        "migrations_missing": missing,
        "read_only": read_only,
        "clock_skew_seconds": round((moment - timezone.now()).total_seconds(), 1) + 0.0,  # never -0.0
    }


def broker() -> Facts:
    with Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE, retry=Retry(NoBackoff(), 0)
    ) as client:
        client.ping()
    return {}


register("database", database)
register("broker", broker)


def _wait(name: str, check: Future[Facts], patience: float) -> dict[str, object]:
    try:
        return {"status": "ok", **check.result(timeout=patience)}
    except Exception as error:  # noqa: BLE001  whatever fails, the part does not work
        # Why is for the log only: messages of drivers name hosts and users.
        log.warning(
            "part_unavailable",
            part=name,
            error=type(error).__name__,
            said=what_happened(error),
            hint="Look at the part, and at the variable that names it.",
        )
        return {"status": "unavailable"}


def check_parts() -> dict[str, dict[str, object]]:
    """Check all parts at once."""
    checks = {name: part.check() for name, part in _probes.items()}
    deadline = monotonic() + PATIENCE
    return {name: _wait(name, future, max(0, deadline - monotonic())) for name, future in checks.items()}


PARTS: Final = {
    "type": "object",
    "required": ["status"],
    "properties": {
        "status": {"type": "string", "enum": ["ok", "degraded"]},
        "parts": {
            "type": "object",
            "description": "Told to whoever sends METRICS_TOKEN as a bearer token.",
            "additionalProperties": {
                "type": "object",
                "required": ["status"],
                "properties": {"status": {"type": "string", "enum": ["ok", "degraded", "unavailable"]}},
                "additionalProperties": True,
            },
        },
    },
}
ALL_WELL: Final = {
    "database": {"status": "ok", "migrations_missing": 0, "read_only": False, "clock_skew_seconds": 0.0},
    "broker": {"status": "ok"},
}


class LiveView(ServiceView):
    @extend_schema(
        operation_id="health_live",
        responses=OpenApiResponse(
            {"type": "object", "required": ["status"], "properties": {"status": {"type": "string", "enum": ["ok"]}}},
            "The process answers.",
            [OpenApiExample("alive", {"status": "ok"})],
        ),
    )
    def get(self, request: Request) -> Response:
        """Tell whether the process lives.

        Touches nothing: when this fails, restart the process.
        """
        return Response({"status": "ok"}, headers=NO_STORE)


class ReadyView(ServiceView):
    refusals = {"GET": {503: ("database_unavailable",)}}

    @extend_schema(
        operation_id="health_ready",
        responses=OpenApiResponse(
            PARTS,
            "It can serve; `degraded` means that something it can do without for a while is away.",
            [
                OpenApiExample("ready", {"status": "ok"}),
                OpenApiExample("told to an operator", {"status": "ok", "parts": ALL_WELL}),
            ],
        ),
    )
    def get(self, request: Request) -> HttpResponse:
        """Tell whether the process can serve.

        Without the database, or before its migrations, this is a 503: send the traffic elsewhere. An operator, who
        sends METRICS_TOKEN as a bearer token, is told of each of the `parts`.
        """
        parts = check_parts()
        told: dict[str, object] = {"parts": parts} if is_operator(request.headers.get("Authorization", "")) else {}
        if parts["database"]["status"] == "unavailable":
            return database_unavailable(**told).response(request)
        all_ok = all(part["status"] == "ok" for part in parts.values())
        return Response({"status": "ok" if all_ok else "degraded", **told}, headers=NO_STORE)


live, ready = LiveView.as_view(), ReadyView.as_view()
