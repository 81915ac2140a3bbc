"""A list that is read by a statement written once says what the same list says that is put together anew.

Pages of another size than the usual one are put together anew, so each list is its own oracle.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from jointoit.accounts.models import User
from jointoit.events.models import Event
from jointoit.events.reading import public_rows

pytestmark = pytest.mark.django_db

TITLES = [
    "Jazz",
    "jazz & blues",
    "İstanbul",
    "Київ",
    "ﬁve 100%",
    "a_b",
    "back\\slash",
    "straße",
    "Ω ' \" {x}",
    "Jazz night",
]
VALUES: dict[str, list[str]] = {
    "title": ["jazz", "a", "%", "_", "\\", "ISTANBUL", "київ", "fi", "STRASSE", "'", "%(title)s", "{0}", "", "x" * 200],
    "location": ["hall", "HALL 1", "%", "nowhere"],
    "organizer": ["1", "{organizer}", "999999999999999999"],
    "status": ["published", "cancelled", "draft"],
    "tag": ["jazz", "JAZZ", "a,b", "{", '"', "none"],
    "search": ["jazz", "jaz night", "jazz night", "%", "'", " ", "zzz"],
    "typos": ["true", "false"],
    "date": ["{year}", "{year}-01", "{day}", "1999-12-31"],
    "timezone": ["Europe/Berlin", "Pacific/Kiritimati"],
    "date_from": ["{now}", "1999-01-01T00:00:00Z", "2090-01-01T00:00:00+05:30"],
    "date_to": ["{now}", "9998-01-01T00:00:00Z", "{later}"],
    "has_seats": ["true", "false"],
    "upcoming": ["true", "false"],
    "ordering": ["date", "-date", "title", "-title", "created_at", "-created_at"],
}


@pytest.fixture
def facts(make_event: Callable[..., Event], make_user: Callable[..., User], now: datetime) -> dict[str, Any]:
    organizer = make_user()
    for number in range(45):
        day = now + timedelta(days=number % 7 - 1, hours=number)
        full: dict[str, Any] = {"capacity": 1, "seats_taken": 1} if number % 5 == 0 else {}
        make_event(
            title=f"{TITLES[number % len(TITLES)]} {number // 20}", location=f"Hall {number % 4}", date=day,
            tags=[["jazz"], ["a,b"], ["{", '"'], []][number % 4], **full,
            status=["published", "cancelled", "published", "draft", "published"][number % 5],
            **({"organizer": organizer} if number % 3 else {}),
        )  # fmt: skip
    return {
        "organizer": organizer.pk, "year": now.year, "day": now.date().isoformat(),
        "now": f"{now:%Y-%m-%dT%H:%M:%SZ}", "later": f"{now + timedelta(days=3):%Y-%m-%dT%H:%M:%SZ}",
    }  # fmt: skip


def filled(value: str, facts: dict[str, Any]) -> str:
    for name, fact in facts.items():
        value = value.replace(f"{{{name}}}", str(fact))
    return value


def compare(client: APIClient, query: dict[str, str]) -> None:
    """Both ways, page after page."""
    usual, other = (f"/events/?{urlencode(query | size)}" for size in ({}, {"page_size": "100"}))
    answer = client.get(other)
    expected, found, page = answer.json(), [], client.get(usual).json()
    if answer.status_code == 400:
        assert page["errors"] == expected["errors"]
        return
    found += page["results"]
    while page["next"]:
        page = client.get(page["next"]).json()
        found += page["results"]
    assert found == expected["results"]


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in VALUES.items() for value in values])
def test_each_filter_alone(facts: dict[str, Any], name: str, value: str) -> None:
    compare(APIClient(), {name: filled(value, facts)})


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_filters_together(facts: dict[str, Any], data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=2, max_size=4, unique=True))
    compare(APIClient(), {name: filled(data.draw(st.sampled_from(VALUES[name])), facts) for name in names})


def test_a_filter_is_written_once_whatever_its_value(facts: dict[str, Any]) -> None:
    client = APIClient()
    client.get("/events/?title=a&organizer=1")
    known = public_rows.cache_info().misses
    for value in ("b", "%", "jazz"):
        client.get(f"/events/?title={value}&organizer=2")
    assert public_rows.cache_info().misses == known


def test_now_is_the_moment_of_the_request(
    facts: dict[str, Any], monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    client = APIClient()
    before = client.get("/events/?upcoming=true").json()["results"]
    monkeypatch.setattr("django.utils.timezone.now", lambda: now + timedelta(days=365))
    assert before
    assert client.get("/events/?upcoming=true").json()["results"] == []
