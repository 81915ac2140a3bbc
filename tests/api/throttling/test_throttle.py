"""What an answer says of the rates, and who is counted."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.http import HttpRequest
from django.test import RequestFactory
from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from jointoit.accounts.models import User
from jointoit.api.checks import check_rates
from jointoit.api.throttling import rates, throttle
from jointoit.api.throttling.client_address import client_address
from jointoit.api.throttling.redis import redis_buckets
from tests.client import ServiceClient

pytestmark = [pytest.mark.urls("tests.api.toolkit"), pytest.mark.django_db]


# ── Over HTTP ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_answer_says_what_is_left(up: None, limit: Callable[..., None], api: ServiceClient) -> None:
    limit(anon="120/min")
    first, second = api.get("/ping/"), api.get("/ping/")
    assert first["RateLimit-Policy"] == '"anon";q=120;w=60'
    assert [first["RateLimit"], second["RateLimit"]] == ['"anon";r=119;t=1', '"anon";r=118;t=1']
    assert "Retry-After" not in second


def test_a_refusal_says_when_to_come_back(up: None, limit: Callable[..., None], api: ServiceClient) -> None:
    limit(login="1/min", anon="5/min")
    api.get("/login/")
    refused = api.get("/login/")
    assert (refused.status_code, refused["Retry-After"]) == (429, "60")
    assert refused["Content-Type"] == "application/problem+json"
    assert refused["RateLimit-Policy"] == '"anon";q=5;w=60, "login";q=1;w=60'
    assert refused["RateLimit"] == '"anon";r=3;t=24, "login";r=0;t=60'


def test_a_request_that_one_scope_refuses_is_not_counted_in_the_next(
    up: None, limit: Callable[..., None], api: ServiceClient
) -> None:
    limit(login="5/min", anon="1/min")
    assert api.get("/login/")["RateLimit"] == '"anon";r=0;t=60, "login";r=4;t=12'
    assert api.get("/login/")["RateLimit"] == '"anon";r=0;t=60'
    limit(login="5/min")
    assert api.get("/login/")["RateLimit"].startswith('"login";r=3;')


def test_a_caller_is_counted_by_id_wherever_they_are(
    up: None, limit: Callable[..., None], make_user: Callable[..., User], signed_in: Callable[[User], ServiceClient]
) -> None:
    limit(user="1/hour", anon="1/hour", register="1/hour")
    ada, ben = signed_in(make_user()), signed_in(make_user())
    assert ada.get("/ping/")["RateLimit-Policy"] == '"user";q=1;w=3600'
    assert ada.get("/ping/", REMOTE_ADDR="192.0.2.7").status_code == 429
    assert [ben.get("/ping/").status_code, ServiceClient().get("/ping/").status_code] == [200, 200]


def test_with_all_rates_off_nobody_is_asked_and_nothing_is_said(
    limit: Callable[..., None], api: ServiceClient, frozen: None, django_assert_num_queries: Any
) -> None:
    limit()
    with django_assert_num_queries(0):
        answer = api.get("/login/")
    assert answer.status_code == 200
    assert [name for name in answer.headers if name.startswith("RateLimit")] == []
    assert redis_buckets.cache_info().currsize == 0


def test_a_view_can_count_by_itself(up: None, limit: Callable[..., None], now: datetime) -> None:
    limit(login="1/min")
    request = Request(HttpRequest())
    throttle.throttle_or_raise(request, "login", "account:ada", now)
    with pytest.raises(Throttled) as refused:
        throttle.throttle_or_raise(request, "login", "account:ada", now)
    assert vars(refused.value)["wait"] == 60
    assert throttle.headers(request._request)["RateLimit"] == '"login";r=0;t=60, "login";r=0;t=60'


# ── Who is asking ─────────────────────────────────────────────────────────────────────────────────────────────────────

ADDRESSES = [
    (0, "10.0.0.1", "9.9.9.9", "10.0.0.1"),
    (0, "10.0.0.1", None, "10.0.0.1"),
    (1, "10.0.0.1", "9.9.9.9", "9.9.9.9"),
    (1, "10.0.0.1", "1.1.1.1, 9.9.9.9", "9.9.9.9"),
    (2, "10.0.0.1", "6.6.6.6,1.1.1.1,9.9.9.9", "1.1.1.1"),
    (2, "10.0.0.1", "9.9.9.9", "10.0.0.1"),  # fewer hops than there must be: it did not come through the proxies
    (1, "10.0.0.1", None, "10.0.0.1"),
    (1, "10.0.0.1", "unknown", "10.0.0.1"),
    (1, "10.0.0.1", "1.1.1.1,", "10.0.0.1"),
    (1, "10.0.0.1", "9.9.9.9:443", "9.9.9.9"),
    (1, "10.0.0.1", "[2001:db8:1:2::9]:443", "2001:db8:1:2::"),
    (1, "10.0.0.1", "9.9.9.9:x", "10.0.0.1"),
    (1, "10.0.0.1", "٩.٩.٩.٩", "10.0.0.1"),
    (0, "2001:db8:1:2:3:4:5:6", None, "2001:db8:1:2::"),
    (0, "2001:db8:1:2:ffff::", None, "2001:db8:1:2::"),
    (0, "::ffff:9.9.9.9", None, "9.9.9.9"),
    (0, "fe80::1%eth0", None, "fe80::"),
    (0, "", None, "unknown"),
]


@pytest.mark.parametrize(("proxies", "peer", "forwarded", "address"), ADDRESSES)
def test_an_address_is_what_the_proxies_saw(
    settings: Any, proxies: int, peer: str, forwarded: str | None, address: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    headers: Any = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    assert client_address(RequestFactory().get("/", REMOTE_ADDR=peer, **headers)) == address


@pytest.mark.parametrize("proxies", [0, 1])
def test_a_hundred_claimed_addresses_are_one_caller(
    up: None, limit: Callable[..., None], settings: Any, api: ServiceClient, proxies: int
) -> None:
    limit(anon="10/hour")
    settings.TRUSTED_PROXIES = proxies
    claims = [f"203.0.113.{number}" + ", 198.51.100.1" * proxies for number in range(100)]
    statuses = [api.get("/ping/", HTTP_X_FORWARDED_FOR=claim).status_code for claim in claims]
    assert statuses == [200] * 10 + [429] * 90


# ── Rates ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "quota", "window"), [("10/s", 10, 1), ("120/min", 120, 60), ("20/hour", 20, 3600), ("5/day", 5, 86400)]
)
def test_a_rate_is_a_number_for_a_time(text: str, quota: int, window: int) -> None:
    assert rates.parse(text) == rates.Rate(quota, window)


@pytest.mark.parametrize(
    "text", ["", "10", "10/", "/min", "0/min", "-1/min", "1.5/s", "10/fortnight", "10 / s", "OFF", "٥/s"]
)
def test_a_rate_that_cannot_be_read_stops_the_start(settings: Any, text: str) -> None:
    settings.RATES = {"login": text, "anon": "off", "user": "1/s"}
    assert [(error.id, error.hint) for error in check_rates(None)] == [("jointoit.E001", "Set RATE_LOGIN.")]
    with pytest.raises(CommandError, match=r"jointoit\.E001"):
        call_command("check")
