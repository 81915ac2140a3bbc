"""What Prometheus is told, and whom."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import OperationalError
from prometheus_client.core import GaugeMetricFamily, Metric

from jointoit.accounts.models import User
from jointoit.api.observability import metrics
from jointoit.events.models import Event
from tests.client import BrowserClient

BEARER = {"Authorization": "Bearer let-prometheus-in"}


@pytest.fixture
def figures(client: BrowserClient, settings: Any) -> Callable[..., float]:
    """The value of one figure now, such as `figures("name_total", route="events/")`; 0 where there is none."""
    settings.METRICS_TOKEN = "let-prometheus-in"

    def value(name: str, **labels: str) -> float:
        text = client.get("/metrics", headers=BEARER).content.decode()
        inner = ",".join(f'{key}="{labels[key]}"' for key in sorted(labels))
        found = re.search(rf"^{name}{re.escape(f'{{{inner}}}') if inner else ''} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    return value


@pytest.fixture
def _own_families() -> Iterator[None]:
    kept = list(metrics._families)
    metrics._families.clear()
    yield
    metrics._families[:] = kept


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer ", "Bearer wrong", "let-prometheus-in", "Bearer \xff"])
def test_without_the_token_there_is_no_such_page(client: BrowserClient, settings: Any, sent: str) -> None:
    settings.METRICS_TOKEN = "let-prometheus-in"
    refused = client.get("/metrics", headers={"Authorization": sent})

    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer "])
def test_where_no_token_is_set_nobody_has_it(client: BrowserClient, settings: Any, sent: str) -> None:
    settings.METRICS_TOKEN = ""

    assert client.get("/metrics", headers={"Authorization": sent}).status_code == 404


@pytest.mark.usefixtures("_own_families")
def test_a_scrape_needs_no_public_name(client: BrowserClient, settings: Any) -> None:
    settings.METRICS_TOKEN = "let-prometheus-in"
    answer = client.get("/metrics", headers={**BEARER, "Host": "10.0.0.7:8000"})

    assert (answer.status_code, answer["Content-Type"][:10], answer["Cache-Control"]) == (200, "text/plain", "no-store")


@pytest.mark.django_db
def test_answers_are_counted_by_route_and_never_by_address(
    client: BrowserClient, figures: Callable[..., float]
) -> None:
    labels = {"method": "GET", "route": "events/<id:pk>/", "status": "404"}
    before = figures("jointoit_http_requests_total", **labels)
    timed = figures("jointoit_http_request_seconds_count", method="GET", route="events/<id:pk>/")

    for number in (98765431, 98765432):
        client.get(f"/events/{number}/")
    client.get("/no/such/place/")

    assert figures("jointoit_http_requests_total", **labels) == before + 2
    assert figures("jointoit_http_requests_total", method="GET", route="none", status="404") >= 1
    assert figures("jointoit_http_request_seconds_count", method="GET", route="events/<id:pk>/") == timed + 2


@pytest.mark.django_db
def test_an_invented_method_makes_no_figure_of_its_own(client: BrowserClient, figures: Callable[..., float]) -> None:
    client.generic("BREW", "/events/")

    assert figures("jointoit_http_requests_total", method="other", route="events/", status="405") >= 1


@pytest.mark.django_db
def test_registrations_are_counted_by_what_became_of_them(
    figures: Callable[..., float],
    make_event: Callable[..., Event],
    make_user: Callable[..., User],
    signed_in: Callable[..., Any],
) -> None:
    event, results = make_event(capacity=1), ("confirmed", "already_registered", "event_full", "replayed")
    before = [figures("jointoit_registrations_total", result=result) for result in results]
    first, second = signed_in(make_user()), signed_in(make_user())
    path, key = f"/events/{event.pk}/register/", {"Idempotency-Key": "one-and-the-same"}

    asked = [first.post(path, headers=key), first.post(path, headers=key), first.post(path), second.post(path)]

    assert [answer.status_code for answer in asked] == [201, 201, 409, 409]
    after = [figures("jointoit_registrations_total", result=result) for result in results]
    assert [new - old for new, old in zip(after, before, strict=True)] == [1, 1, 1, 1]


@pytest.mark.django_db
def test_seats_and_outbox_are_read_from_their_tables(
    figures: Callable[..., float], make_event: Callable[..., Event], register: Callable[..., Any]
) -> None:
    event = make_event(capacity=2)
    register(event), register(event)

    assert [figures("jointoit_coming", what=what) for what in ("events", "taken", "seats", "full")] == [1, 2, 2, 1]
    assert figures("jointoit_outbox_mails", state="pending") == 2
    assert figures("jointoit_outbox_oldest_seconds") > 0
    assert (figures("jointoit_mail_held"), figures("jointoit_mail_breaker_open")) == (0, 0)


@pytest.mark.django_db
def test_a_refusal_is_counted_with_the_limit_that_refused(
    client: BrowserClient, settings: Any, figures: Callable[..., float]
) -> None:
    before = figures("jointoit_throttled_total", scope="anon")
    settings.RATES = settings.RATES | {"anon": "1/hour"}
    found = [
        client.get("/events/", headers={"X-Forwarded-For": "x"}, REMOTE_ADDR="192.0.2.99").status_code for _ in "ab"
    ]

    assert (found, figures("jointoit_throttled_total", scope="anon") - before) == ([200, 429], 1)


@pytest.mark.usefixtures("_own_families")
def test_without_the_database_the_rest_is_told(figures: Callable[..., float]) -> None:
    def away() -> Iterator[Metric]:
        yield from ()
        raise OperationalError

    def here() -> Iterator[Metric]:
        yield GaugeMetricFamily("here", "One part.", 7)

    metrics.register(away)
    metrics.register(here)
    assert figures("here") == 7
