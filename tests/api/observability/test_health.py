"""What a load balancer asks: whether the process lives, and whether it can serve."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections

from jointoit.api.observability import health
from jointoit.api.observability.health import Facts
from jointoit.process import release
from tests.client import BrowserClient

TOKEN = "let-prometheus-in"
OPERATOR = {"Authorization": f"Bearer {TOKEN}"}
#: Both clocks are one here; between their readings a busy machine may do something else.
SKEW = pytest.approx(0.0, abs=2.0)
WELL = {"status": "ok", "migrations_missing": 0, "read_only": False, "clock_skew_seconds": SKEW}


@pytest.fixture(autouse=True)
def _own_probes(settings: Any) -> Iterator[None]:
    """Whatever a test registers is gone after it, and what other apps watch is not looked at."""
    settings.METRICS_TOKEN = TOKEN
    kept = dict(health._probes)
    health._probes.clear()
    health.register("database", health.database)
    health.register("broker", health.broker)
    yield
    health._probes.clear()
    health._probes.update(kept)


def broken() -> Facts:
    raise ConnectionError("postgresql://user:SENT@host/")


def slow() -> Facts:
    time.sleep(3)
    return {}


@pytest.fixture
def no_database() -> None:
    health.register("database", broken)


def test_living_needs_nothing(client: BrowserClient) -> None:
    """Without the mark of a test that may use the database, touching it would fail."""
    response = client.get("/health/live/")
    assert (response.status_code, response.json(), response["Cache-Control"]) == (200, {"status": "ok"}, "no-store")


@pytest.mark.django_db
def test_with_all_parts_it_is_ready(client: BrowserClient) -> None:
    response = client.get("/health/ready/", headers=OPERATOR)
    assert (response.status_code, response["Cache-Control"]) == (200, "no-store")
    assert response.json() == {"status": "ok", "parts": {"database": WELL, "broker": {"status": "ok"}}}


@pytest.mark.django_db
def test_without_the_broker_it_serves_all_the_same(client: BrowserClient, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    response = client.get("/health/ready/", headers=OPERATOR)
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    assert response.json()["parts"]["broker"] == {"status": "unavailable"}


def test_without_the_database_it_is_not_ready(client: BrowserClient, no_database: None) -> None:
    response = client.get("/health/ready/", headers=OPERATOR)
    body = response.json()
    assert (response.status_code, body["code"], response["Retry-After"]) == (503, "database_unavailable", "5")
    assert body["parts"] == {"database": {"status": "unavailable"}, "broker": {"status": "ok"}}


def test_what_a_driver_says_stays_inside(
    client: BrowserClient, no_database: None, caplog: pytest.LogCaptureFixture
) -> None:
    assert b"SENT" not in client.get("/health/ready/", headers=OPERATOR).content
    assert "SENT" not in caplog.text


@pytest.mark.django_db
def test_an_app_may_watch_a_part_of_its_own(client: BrowserClient) -> None:
    health.register("mail", lambda: {"queue_age_seconds": 4})
    assert client.get("/health/ready/", headers=OPERATOR).json()["parts"]["mail"] == {
        "status": "ok",
        "queue_age_seconds": 4,
    }


@pytest.mark.django_db
def test_a_frozen_part_is_not_waited_for(client: BrowserClient) -> None:
    health.register("mail", slow)
    started = time.monotonic()
    parts = client.get("/health/ready/", headers=OPERATOR).json()["parts"]
    assert (parts["mail"], parts["database"]) == ({"status": "unavailable"}, WELL)
    assert time.monotonic() - started < 2


@pytest.mark.django_db
def test_a_frozen_part_is_looked_at_once_at_a_time(client: BrowserClient) -> None:
    looks = []

    def frozen() -> Facts:
        looks.append("one")
        return slow()

    health.register("mail", frozen)
    for _ in range(2):
        client.get("/health/ready/", headers=OPERATOR)
    assert looks == ["one"]


@pytest.mark.django_db
def test_a_look_leaves_no_connection_behind() -> None:
    def watched() -> Facts:
        health.database()
        return {"connection": connections["default"].connection}

    health.register("mine", watched)
    held = health.check_parts()["mine"]["connection"]
    assert getattr(held, "closed", None) is True


@pytest.mark.parametrize("path", ["/health/live/", "/health/ready/"])
def test_probes_are_never_asked_who_they_are(
    client: BrowserClient, settings: Any, path: str, no_database: None
) -> None:
    settings.RATES = dict.fromkeys(settings.RATES, "1/min")
    found = {client.get(path, headers={"Authorization": "Bearer x", "Host": "10.0.0.7"}).status_code for _ in range(3)}
    assert found <= {200, 503}


@pytest.mark.django_db
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
def test_the_world_is_told_no_more_than_whether_it_is_ready(client: BrowserClient, headers: dict[str, str]) -> None:
    assert client.get("/health/ready/", headers=headers).json() == {"status": "ok"}


def test_the_world_is_told_no_part_of_what_is_away(client: BrowserClient, no_database: None) -> None:
    assert "parts" not in client.get("/health/ready/").json()


@pytest.mark.django_db
def test_a_database_that_only_reads_is_not_ok(client: BrowserClient) -> None:
    def standby() -> Facts:
        with connections["default"].cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = on")
        return health.database()

    health.register("database", standby)
    found = client.get("/health/ready/", headers=OPERATOR)

    assert (found.status_code, found.json()["status"]) == (200, "degraded")
    assert found.json()["parts"]["database"] == {**WELL, "status": "degraded", "read_only": True}


@pytest.mark.django_db
def test_before_the_release_step_it_is_not_ready(client: BrowserClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "needed", lambda: frozenset({("events", "0999_to_come")}))
    found = client.get("/health/ready/", headers=OPERATOR)

    assert (found.status_code, found.json()["code"]) == (503, "database_unavailable")
    assert found.json()["parts"]["database"] == {**WELL, "status": "unavailable", "migrations_missing": 1}


@pytest.mark.django_db
def test_old_code_on_a_newer_schema_is_ready(client: BrowserClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "needed", lambda: frozenset({("events", "0001_initial")}))

    assert client.get("/health/ready/").status_code == 200
