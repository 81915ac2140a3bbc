"""A page follows a page: no row twice, none left out, whatever comes or goes meanwhile."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jointoit.accounts.models import User
from jointoit.api.lists.pagination import KeysetPagination
from jointoit.events.models import Event
from tests.client import ServiceClient

pytestmark = [pytest.mark.urls("tests.api.toolkit"), pytest.mark.django_db]

START = datetime(2030, 1, 1, 12, 0, 0, 123457, tzinfo=UTC)


@pytest.fixture
def fill(make_user: Callable[..., User]) -> Callable[..., list[int]]:
    """Create events at the given numbers of microseconds after the start."""
    organizer = make_user()

    def fill(*offsets: int, title: str = "Meetup") -> list[int]:
        return [
            Event.objects.create(title=title, date=START + timedelta(microseconds=offset), organizer=organizer).pk
            for offset in offsets
        ]

    return fill


def ids(page: Any) -> list[int]:
    return [row["id"] for row in page["results"]]


def listed(pages: Iterable[Any]) -> list[int]:
    return [row["id"] for page in pages for row in page["results"]]


def pages(api: ServiceClient, url: str, link: str = "next") -> Iterator[Any]:
    """Follow the links from `url` to the end, which comes within a hundred pages."""
    at: str | None = url
    for _ in range(100):
        if at is None:
            return
        answer = api.get(at)
        assert answer.status_code == 200, answer.content
        page = answer.json()
        yield page
        at = page[link]
    pytest.fail("The pages go round in circles.")


def test_a_list_without_parameters_is_its_first_twenty(api: ServiceClient, fill: Callable[..., list[int]]) -> None:
    made = fill(*range(21))

    page = api.get("/rows/").json()

    assert list(page) == ["next", "previous", "results"]
    assert (ids(page), page["previous"]) == (made[:20], None)


def test_a_list_that_fits_one_page_leads_nowhere(api: ServiceClient, fill: Callable[..., list[int]]) -> None:
    made = fill(*range(20))
    assert api.get("/rows/").json()["next"] is None
    assert ids(api.get("/rows/").json()) == made


def test_an_empty_list_has_a_page(api: ServiceClient) -> None:
    assert api.get("/rows/?count=exact").json() == {"count": 0, "next": None, "previous": None, "results": []}


@pytest.mark.parametrize(
    "ordering", ["date,id", "-date,-id", "title", "-rank,date,id", "rank", "-rank", "created_at,-id"]
)
def test_going_on_and_back_shows_each_row_once(
    api: ServiceClient, fill: Callable[..., list[int]], ordering: str
) -> None:
    for number, title in enumerate(["Zoë", "a", "Bärlauch", "b", "zz", "zzz", "Ω", "_"]):
        fill(number, number, 5, title=title)
    url = f"/rows/?page_size=3&ordering={ordering}"
    whole = ids(api.get(url.replace("page_size=3", "page_size=100")).json())

    onward = list(pages(api, url))
    back = list(pages(api, onward[-1]["previous"], "previous"))

    assert listed(onward) == whole
    assert len(set(whole)) == 24
    assert [ids(page) for page in [*reversed(back), onward[-1]]] == [ids(page) for page in onward]


def test_pages_of_one_row_hold_every_tie(api: ServiceClient, fill: Callable[..., list[int]]) -> None:
    made = fill(0, 0, 0, 1, 1, 2)
    assert [ids(page) for page in pages(api, "/rows/?page_size=1")] == [[each] for each in made]


def test_rows_a_microsecond_apart_stay_apart(api: ServiceClient, fill: Callable[..., list[int]]) -> None:
    made = fill(2, 1, 0)
    assert listed(pages(api, "/rows/?page_size=1")) == made[::-1]


def test_rows_that_come_or_go_shift_nothing(api: ServiceClient, fill: Callable[..., list[int]]) -> None:
    made = fill(*range(10, 16))
    first = api.get("/rows/?page_size=3").json()

    fill(0, 1, 2)
    Event.objects.filter(pk__in=made[1:4]).delete()
    second = api.get(first["next"]).json()

    assert (ids(first), ids(second)) == (made[:3], made[4:])


def test_the_page_before_is_found_though_its_edge_is_gone(api: ServiceClient, fill: Callable[..., list[int]]) -> None:
    made = fill(*range(6))
    second = api.get(api.get("/rows/?page_size=2").json()["next"]).json()

    Event.objects.filter(pk__in=[made[1], made[2]]).delete()
    before = api.get(second["previous"]).json()

    assert (ids(before), before["previous"]) == ([made[0]], None)
    assert ids(api.get(before["next"]).json()) == [made[3], made[4]]


def test_an_empty_page_leads_back_to_what_there_is(api: ServiceClient, fill: Callable[..., list[int]]) -> None:
    made = fill(*range(6))
    first = api.get("/rows/?page_size=2").json()
    second = api.get(first["next"]).json()

    Event.objects.filter(pk__in=made[2:]).delete()
    ahead = api.get(first["next"]).json()
    assert (ids(ahead), ahead["next"], ids(api.get(ahead["previous"]).json())) == ([], None, made[:2])

    Event.objects.all().delete()
    new = fill(9)
    behind = api.get(second["previous"]).json()
    assert (ids(behind), behind["previous"], ids(api.get(behind["next"]).json())) == ([], None, new)


def test_counting_is_asked_for(api: ServiceClient, fill: Callable[..., list[int]]) -> None:
    fill(0, 1, 2, title="x")
    fill(3)
    pages_of_x = list(pages(api, "/rows/?count=exact&page_size=2&title=x"))
    assert [next(iter(page)) for page in pages_of_x] == ["count", "count"]
    assert [page["count"] for page in pages_of_x] == [3, 3]


@pytest.mark.parametrize(("parameters", "queries"), [("", 1), ("&count=exact", 2)])
def test_a_page_costs_one_query_and_a_count_another(
    api: ServiceClient, fill: Callable[..., list[int]], parameters: str, queries: int
) -> None:
    fill(*range(9))
    second = api.get(f"/rows/?page_size=3{parameters}").json()["next"]
    with CaptureQueriesContext(connection) as captured:
        api.get(second)
    assert len(captured) == queries


def test_a_late_page_reads_one_range_of_the_index(api: ServiceClient, fill: Callable[..., list[int]]) -> None:
    fill(*range(5))
    second = api.get("/rows/?page_size=2").json()["next"]
    with CaptureQueriesContext(connection) as captured:
        api.get(second)
    sql = captured.captured_queries[-1]["sql"].replace("WHERE true", "WHERE event.deleted_at IS NULL")
    with connection.cursor() as cursor:
        # Five rows cost the same whichever way they are read; without an index that has the order a sort would stay.
        for way in ("seqscan", "bitmapscan", "sort"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        cursor.execute(f"EXPLAIN (COSTS OFF) {sql}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Cond: (ROW(date, id) > ROW(" in plan
    assert "Sort" not in plan


def test_links_are_absolute_and_keep_the_other_parameters(
    api: ServiceClient, fill: Callable[..., list[int]], settings: Any
) -> None:
    settings.PUBLIC_URL = "https://events.example.org"
    fill(0, 1, 2, title="a&b")
    link = api.get("/rows/?page_size=1&title=a%26b&utm=x").json()["next"]
    start, _, cursor = link.partition("&cursor=")
    assert start == "https://events.example.org/rows/?page_size=1&title=a%26b&utm=x"
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


BAD_SIZES = [
    "0",
    "-1",
    "101",
    "1e3",
    "%205",
    "5%20",
    "%2B5",
    "05",
    "1.0",
    "%D9%A5",
    "x",
    "",
    "%00",
    "9" * 5000,
    "5&page_size=5",
]


@pytest.mark.parametrize("size", BAD_SIZES)
def test_a_page_size_is_a_whole_number_from_1_to_100(api: ServiceClient, size: str) -> None:
    answer = api.get(f"/rows/?page_size={size}")
    assert answer.status_code == 400
    assert [error["parameter"] for error in answer.json()["errors"]] == ["page_size"]


@pytest.mark.parametrize("size", [1, 100])
def test_the_least_and_the_largest_page_size_are_served(
    api: ServiceClient, fill: Callable[..., list[int]], size: int
) -> None:
    fill(*range(101))
    assert len(ids(api.get(f"/rows/?page_size={size}").json())) == size


def test_all_that_is_wrong_is_told_at_once(api: ServiceClient) -> None:
    errors = api.get("/rows/?page_size=0&count=yes&cursor=a&cursor=b").json()["errors"]
    assert [error["parameter"] for error in errors] == ["page_size", "cursor", "count"]


def assert_refused(api: ServiceClient, url: str) -> None:
    answer = api.get(url)
    assert answer.status_code == 400
    assert [(error["parameter"], error["code"]) for error in answer.json()["errors"]] == [("cursor", "invalid_cursor")]


@pytest.mark.parametrize("cursor", ["x", "a.b", ".", "W10.x", "%D9%A5", "A" * 4000])
def test_a_forged_cursor_is_refused(api: ServiceClient, cursor: str) -> None:
    assert_refused(api, f"/rows/?cursor={cursor}")


def test_a_cursor_holds_for_its_list_order_and_filters_only(api: ServiceClient, fill: Callable[..., list[int]]) -> None:
    fill(*range(3))
    cursor = api.get("/rows/?page_size=1&title=M").json()["next"].partition("cursor=")[2]

    assert api.get(f"/rows/?page_size=7&title=M&unknown=1&cursor={cursor}").status_code == 200
    for url in ("/others/?title=M", "/rows/?title=m", "/rows/?title=", "/rows/?title=M&ordering=-date"):
        assert_refused(api, f"{url}&cursor={cursor}")
    assert_refused(api, f"/rows/?title=M&cursor={cursor[:-1]}")


def test_a_cursor_signed_with_another_key_is_refused(
    api: ServiceClient, fill: Callable[..., list[int]], settings: Any
) -> None:
    fill(0, 1)
    url = api.get("/rows/?page_size=1").json()["next"]
    assert settings.PUBLIC_URL in url
    head, _, signature = url.rpartition(".")
    assert_refused(api, f"{head}.{signature[::-1]}")


def test_the_schema_has_the_pages() -> None:
    schema = KeysetPagination().get_paginated_response_schema({"type": "array"})
    assert schema["required"] == ["next", "previous", "results"]
    assert list(schema["properties"]) == ["count", "next", "previous", "results"]
