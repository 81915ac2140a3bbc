"""A known parameter is given once and well formed, or the answer is 400 and names it."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from jointoit.events.models import Event
from tests.client import ServiceClient

pytestmark = [pytest.mark.urls("tests.api.toolkit"), pytest.mark.django_db]


def wrong(api: ServiceClient, query: str) -> list[tuple[str, str]]:
    """The parameters that the answer names, with their codes."""
    answer = api.get(f"/rows/?{query}")
    assert answer.status_code == 400, answer.content
    return [(error["parameter"], error["code"]) for error in answer.json()["errors"]]


def titles(api: ServiceClient, query: str) -> list[str]:
    answer = api.get(f"/rows/?{query}")
    assert answer.status_code == 200, answer.content
    return [row["title"] for row in answer.json()["results"]]


BAD = {
    "organizer": ["abc", "", "0", "-1", "%2B1", "01", "1.0", "1_0", "%D9%A5", "%20", "9" * 40, str(2**63), "%EF%BC%91"],
    "waitlist": ["", "True", "1", "yes", "TRUE", "true%20", "null"],
    "date_from": [
        "",
        "2030",
        "2030-01-01",
        "2030-01-01T00:00:00",
        "2030-13-01T00:00:00Z",
        "2030-01-01T24:00:00Z",
        "now",
    ],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_a_value_of_another_shape_is_named(api: ServiceClient, name: str, value: str) -> None:
    assert wrong(api, f"{name}={value}") == [(name, "invalid")]


@pytest.mark.parametrize("value", ["", "PUBLISHED", "gone", "draft%20", "draft,published"])
def test_a_choice_is_one_of_the_words(api: ServiceClient, value: str) -> None:
    assert wrong(api, f"status={value}") == [("status", "invalid_choice")]


def test_a_message_says_what_would_be_right_and_repeats_nothing(api: ServiceClient) -> None:
    answer = api.get("/rows/?status=xyzzy&organizer=xyzzy&waitlist=xyzzy&date_from=xyzzy")
    assert b"xyzzy" not in answer.content
    assert [error["detail"] for error in answer.json()["errors"]] == [
        "A whole number from 1 to 9223372036854775807.",
        "One of: draft, published, cancelled.",
        "Either true or false.",
        "This must be a date and time with an offset or Z, such as 2030-05-17T18:00:00Z.",
    ]


@pytest.mark.parametrize(("length", "status"), [(200, 200), (201, 400), (10_000, 400)])
def test_text_has_at_most_200_characters(api: ServiceClient, length: int, status: int) -> None:
    assert api.get("/rows/", {"title": "x" * length}).status_code == status


def test_text_is_taken_literally(api: ServiceClient, make_event: Callable[..., Event]) -> None:
    make_event(title="100%_\\ x")
    make_event(title="100 x")
    assert titles(api, "title=100%25_%5C") == ["100%_\\ x"]


def test_an_empty_text_is_none_at_all(api: ServiceClient, make_event: Callable[..., Event]) -> None:
    make_event(title="a")
    assert titles(api, "title=") == ["a"]


def test_each_filter_selects(api: ServiceClient, make_event: Callable[..., Event]) -> None:
    one = make_event(title="one", waitlist=True, date=datetime(2030, 1, 1, tzinfo=UTC))
    make_event(title="two", status="draft", date=datetime(2029, 12, 31, 23, 59, tzinfo=UTC))
    assert titles(api, f"organizer={one.organizer_id}") == ["one"]
    assert titles(api, "waitlist=false") == ["two"]
    assert titles(api, "waitlist=true") == ["one"]
    assert titles(api, "status=draft") == ["two"]
    assert titles(api, "date_from=2030-01-01T01:00:00%2B01:00") == ["one"]


@pytest.mark.parametrize("name", ["title", "organizer", "status", "waitlist", "date_from"])
def test_a_filter_given_twice_is_named_once(api: ServiceClient, name: str) -> None:
    assert wrong(api, f"{name}=x&{name}=y") == [(name, "repeated")]


def test_unknown_parameters_are_ignored(api: ServiceClient, make_event: Callable[..., Event]) -> None:
    make_event(title="a")
    assert titles(api, "colour=red&colour=blue&titel=b") == ["a"]


def test_all_wrong_filters_are_told_at_once(api: ServiceClient) -> None:
    found = wrong(api, "organizer=x&waitlist=x&waitlist=y&status=x")
    assert found == [("organizer", "invalid"), ("status", "invalid_choice"), ("waitlist", "repeated")]
