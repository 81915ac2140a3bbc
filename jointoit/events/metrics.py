"""What operators watch of the registrations: what asking for a seat led to, and how full the coming events are."""

from collections.abc import Iterable

import orjson
from django.db.models import Count, F, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from prometheus_client import Counter
from prometheus_client.core import GaugeMetricFamily, Metric

from jointoit.events.models import Event

registrations = Counter("jointoit_registrations_total", "Answers to those who asked for a seat, by result.", ["result"])


def count_registration(request: HttpRequest, response: HttpResponseBase) -> None:
    if request.method == "POST":
        registrations.labels(result(response)).inc()


def result(response: HttpResponseBase) -> str:
    """Where the person stands now, or the code of the problem. A repeated answer is none of both."""
    if response.has_header("Idempotent-Replayed"):
        return "replayed"
    if not isinstance(response, HttpResponse):
        return "none"
    try:
        found = orjson.loads(response.content)
    except ValueError:
        return "none"
    return str(found.get("status" if response.status_code < 300 else "code", "none"))


def seats() -> Iterable[Metric]:
    """How full the published events are that are yet to come."""
    coming = Event.objects.existing().filter(status=Event.Status.PUBLISHED, date__gt=timezone.now()).order_by()
    found = coming.aggregate(
        events=Count("*"), full=Count("pk", filter=Q(seats_taken=F("capacity"))),
        taken=Sum("seats_taken"), waiting=Sum("waiting"), seats=Sum("capacity"),
    )  # fmt: skip
    family = GaugeMetricFamily(
        "jointoit_coming",
        "Events to come, and their seats: those there are where limited, taken, waiting.",
        labels=["what"],
    )
    for what, number in found.items():
        family.add_metric([what], number or 0)
    yield family
