"""One key, one effect, one answer."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connection

from jointoit.accounts.models import User
from jointoit.api import pruning
from jointoit.api.http import idempotency
from jointoit.api.models import IdempotencyKey
from jointoit.events.models import Event
from tests.api.rush import together
from tests.api.toolkit import barrier, news
from tests.client import ServiceClient

pytestmark = [pytest.mark.urls("tests.api.toolkit"), pytest.mark.django_db]


@pytest.fixture
def ada(make_user: Callable[..., User], signed_in: Callable[[User], ServiceClient]) -> ServiceClient:
    return signed_in(make_user(username="ada"))


def post(api: ServiceClient, title: str = "Meetup", key: str | None = "k1", path: str = "/once/", **more: Any) -> Any:
    headers: Any = {} if key is None else {"HTTP_IDEMPOTENCY_KEY": key}
    return api.post(path, {"title": title, **more}, **headers)


def facts(answer: Any) -> tuple[int, bytes, str, str | None]:
    return answer.status_code, answer.content, answer["Content-Type"], answer.get("Location")


# ── Repeats ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_asking_twice_gives_the_first_answer_again(ada: ServiceClient) -> None:
    first, second = post(ada), post(ada)
    assert first.status_code == 201
    assert facts(first) == facts(second)
    assert [first.get("Idempotent-Replayed"), second["Idempotent-Replayed"]] == [None, "true"]
    assert Event.objects.count() == 1


def test_without_a_key_each_request_counts(ada: ServiceClient) -> None:
    assert [post(ada, key=None).status_code, post(ada, key=None).status_code] == [201, 201]
    assert (Event.objects.count(), IdempotencyKey.objects.count()) == (2, 0)


def test_the_same_body_in_another_order_is_the_same(ada: ServiceClient) -> None:
    written = ['{"title": "a", "tags": ["x", "y"]}', '{"tags":["x","y"],\n"title":"\\u0061"}']
    answers = [ada.post("/once/", text, content_type="application/json", HTTP_IDEMPOTENCY_KEY="k") for text in written]
    assert facts(answers[0]) == facts(answers[1])
    assert Event.objects.count() == 1


def test_no_body_and_an_empty_one_are_the_same(ada: ServiceClient) -> None:
    first = ada.post("/once/", HTTP_IDEMPOTENCY_KEY="k")
    second = ada.post("/once/", {}, HTTP_IDEMPOTENCY_KEY="k")
    assert (first.status_code, facts(first)) == (201, facts(second))


@pytest.mark.parametrize("more", [{"title": "Other"}, {"waitlist": True}, {"tags": ["y", "x"]}])
def test_another_body_under_the_key_is_refused(ada: ServiceClient, more: dict[str, Any]) -> None:
    post(ada)
    answer = ada.post("/once/", {"title": "Meetup"} | more, HTTP_IDEMPOTENCY_KEY="k1")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert Event.objects.count() == 1


def test_a_key_belongs_to_one_caller_and_one_path(
    ada: ServiceClient, make_user: Callable[..., User], signed_in: Callable[[User], ServiceClient]
) -> None:
    answers = [post(ada), post(signed_in(make_user())), post(ada, path="/once/2/"), post(ada, key="k2")]
    assert [answer.status_code for answer in answers] == [201] * 4
    assert Event.objects.count() == 4


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "a\tb", "\x7f", "x" * 256])
def test_a_key_is_1_to_255_visible_ascii_characters(ada: ServiceClient, key: str) -> None:
    answer = post(ada, key=key)
    assert answer.status_code == 400
    assert [error["parameter"] for error in answer.json()["errors"]] == ["Idempotency-Key"]


@pytest.mark.parametrize("key", ["!", "~" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"'])
def test_any_visible_key_will_do(ada: ServiceClient, key: str) -> None:
    assert [post(ada, key=key).status_code, post(ada, key=key)["Idempotent-Replayed"]] == [201, "true"]


# ── What is kept ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_conflict_is_kept_and_its_work_undone(ada: ServiceClient) -> None:
    first, second = post(ada, "full"), post(ada, "full")
    assert (first.status_code, first.json()["code"], first["Content-Type"]) == (409, "full", "application/problem+json")
    assert facts(first) == facts(second)
    assert second["Idempotent-Replayed"] == "true"
    assert Event.objects.count() == 0


@pytest.mark.parametrize(("title", "status"), [("not yours", 403), ("refused", 400)])
def test_another_refusal_leaves_the_key_free(ada: ServiceClient, title: str, status: int) -> None:
    answers = [post(ada, title), post(ada, title)]
    assert [(answer.status_code, answer.get("Idempotent-Replayed")) for answer in answers] == [(status, None)] * 2
    assert (Event.objects.count(), IdempotencyKey.objects.count()) == (0, 0)
    assert post(ada, "Meetup").status_code == 201


def test_a_fault_leaves_the_key_free(ada: ServiceClient) -> None:
    with pytest.raises(ZeroDivisionError):
        post(ada, "bug")
    assert (Event.objects.count(), IdempotencyKey.objects.count()) == (0, 0)


def test_a_body_that_cannot_be_read_leaves_the_key_free(ada: ServiceClient) -> None:
    answer = ada.post("/once/", "{", content_type="application/json", HTTP_IDEMPOTENCY_KEY="k1")
    assert (answer.status_code, IdempotencyKey.objects.count()) == (400, 0)


@pytest.mark.django_db(transaction=True)
def test_news_of_undone_work_is_not_spread(ada: ServiceClient) -> None:
    news.clear()
    for number, title in enumerate(["full", "not yours", "refused", "Meetup", "Meetup"]):
        post(ada, title, key=f"k{min(number, 3)}")
    assert news == ["Meetup"]


# ── At once ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("title", "status", "events"), [("Meetup", 201, 1), ("full", 409, 0)])
def test_fifty_at_once_have_one_effect_and_one_answer(
    make_user: Callable[..., User], signed_in: Callable[[User], ServiceClient], title: str, status: int, events: int
) -> None:
    user = make_user()
    answers = together(lambda: post(signed_in(user), title), times=50, threads=50)
    assert {facts(answer) for answer in answers} == {facts(answers[0])}
    assert answers[0].status_code == status
    assert sorted(answer.get("Idempotent-Replayed", "") for answer in answers) == [""] + ["true"] * 49
    assert Event.objects.count() == events


@pytest.mark.django_db(transaction=True)
def test_without_the_key_each_of_fifty_would_count(
    make_user: Callable[..., User], signed_in: Callable[[User], ServiceClient]
) -> None:
    """The control."""
    user = make_user()
    together(lambda: post(signed_in(user), key=None), times=50, threads=10)
    assert Event.objects.count() == 50


@pytest.fixture
def running(make_user: Callable[..., User], signed_in: Callable[[User], ServiceClient]) -> Iterator[ServiceClient]:
    """The client of somebody whose first request, under the key k1, is being worked on in another thread."""
    user, work = make_user(), threading.Thread(target=lambda: together(first, times=1, threads=1))

    def first() -> Any:
        return post(signed_in(user), "slow")

    barrier.entered.clear(), barrier.leave.clear()
    work.start()
    assert barrier.entered.wait(10)
    yield signed_in(user)
    barrier.leave.set()
    work.join()


@pytest.mark.django_db(transaction=True)
def test_who_asks_again_too_soon_is_told_to_wait(running: ServiceClient) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '100ms'")
    answer = post(running, "slow")
    connection.close()
    assert (answer.status_code, answer.json()["code"]) == (409, "request_in_progress")
    assert answer["Retry-After"] == "1"


@pytest.mark.django_db(transaction=True)
def test_who_asks_again_a_little_later_waits_for_the_answer(running: ServiceClient) -> None:
    threading.Timer(0.2, barrier.leave.set).start()
    answer = post(running, "slow")
    assert (answer.status_code, answer["Idempotent-Replayed"]) == (201, "true")
    assert Event.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_request_that_died_half_way_holds_no_key(running: ServiceClient) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND state = 'idle in transaction'"
        )
    answer = post(running, "Meetup")
    assert (answer.status_code, answer.get("Idempotent-Replayed")) == (201, None)
    assert Event.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_database_that_goes_away_is_no_request_in_progress(ada: ServiceClient) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()

    def terminate() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    together(terminate, times=1, threads=1)
    answer = post(ada)
    connection.close()
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")


# ── Kept for two days ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def keys(now: datetime) -> None:
    """One key just within the 48 hours, five beyond them."""
    for number, age in enumerate([48 * 60 - 1, *[48 * 60 + 1] * 5]):
        IdempotencyKey.objects.create(
            scope=UUID(int=number), caller=number % 2, fingerprint="", created_at=now - timedelta(minutes=age)
        )


def test_a_key_is_kept_48_hours(keys: None, now: datetime) -> None:
    assert pruning.prune(now, batch=2) == {"idempotency keys": 5, "rate buckets": 0}
    assert [str(key) for key in IdempotencyKey.objects.all()] == ["00000000-0000-0000-0000-000000000000"]


def test_pruning_is_a_command(keys: None) -> None:
    out = StringIO()
    call_command("prune", stdout=out)
    assert out.getvalue() == "idempotency keys: 5 deleted\nrate buckets: 0 deleted\n"


def test_a_key_that_is_pruned_between_two_looks_is_asked_for_again() -> None:
    with pytest.raises(idempotency.RequestInProgress):
        idempotency.replay(UUID(int=9), "")
