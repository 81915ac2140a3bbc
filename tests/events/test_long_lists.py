"""Thousands of people at one event: what is done for each, and how much of it is in memory at a time."""

import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jointoit.accounts.callers import SERVICE, Caller
from jointoit.events import booking, history, scheduling, seating
from jointoit.events.invariants import violations
from jointoit.events.models import Event
from jointoit.events.registration_queries import POSITION, POSITION_IN_EVENT
from jointoit.mail.models import OutboxMail
from tests.events.crowds import settle
from tests.events.test_plans import looked_at, nodes

pytestmark = pytest.mark.django_db


@pytest.fixture
def crowded(make_event: Callable[..., Event]) -> Callable[..., Event]:
    def crowded(*, seats: int, waiting: int) -> Event:
        event = make_event(capacity=seats, waitlist=True)
        settle(event, people=seats + waiting)
        return event

    return crowded


def peak(work: Callable[[], Any]) -> int:
    """The most bytes that `work` held at one moment."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def download(organizer_api: Any, event: Event) -> Any:
    """The attendee list as a file, piece by piece as a server sends it."""
    response = organizer_api.get(f"/events/{event.pk}/registrations/", HTTP_ACCEPT="text/csv")
    return iter(response.streaming_content)


# ── The file ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def peaks(crowded, signed_in) -> Callable[[Callable[[Any], Any]], list[int]]:
    """What reading the file of 2,000 people and that of 20,000 holds in memory."""
    events = [crowded(seats=people // 5, waiting=people - people // 5) for people in (2_000, 20_000)]

    def peaks(read: Callable[[Any], Any]) -> list[int]:
        def of(event: Event) -> int:
            return peak(lambda: read(download(signed_in(event.organizer), event)))

        of(events[0])  # what is made once is made now
        return [of(event) for event in events]

    return peaks


def test_the_file_of_ten_times_the_people_takes_no_more_memory(peaks):
    few, many = peaks(lambda lines: sum(1 for _ in lines))

    assert many < 1.2 * few


def test_a_file_that_is_kept_would_take_more(peaks):
    few, many = peaks(list)

    assert many > 2 * few


def test_the_file_names_every_place_in_the_queue(crowded, signed_in):
    event = crowded(seats=3, waiting=2_500)

    lines = b"".join(download(signed_in(event.organizer), event)).decode().splitlines()

    assert [line.split(",")[6].strip('"') for line in lines[1:]] == ["", "", "", *map(str, range(1, 2_501))]


# ── Places in the queue ───────────────────────────────────────────────────────────────────────────────────────────────


def positions(position: str, event: Event, explain: str = "") -> list[Any]:
    """The places of an event's people, counted as `position` says."""
    sql = f"{explain} SELECT {position} FROM events_registration AS registration WHERE event_id = %(event)s ORDER BY id"
    with connection.cursor() as cursor:
        cursor.execute(sql, {"event": event.pk})
        return [found for (found,) in cursor.fetchall()]


def reads_of_the_queue(position: str, event: Event) -> int:
    """How many rows PostgreSQL looked at to number them."""
    plan = positions(position, event, "EXPLAIN (ANALYZE, FORMAT JSON)")[0]
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return sum(looked_at(node) for node in nodes(plan[0]["Plan"]))


def test_the_queue_is_counted_through_once(crowded):
    event = crowded(seats=1, waiting=300)

    assert reads_of_the_queue(POSITION_IN_EVENT, event) <= 2 * 301


def test_counting_for_each_would_be_quadratic(crowded):
    event = crowded(seats=1, waiting=300)

    assert reads_of_the_queue(POSITION, event) > 300 * 300 / 2


def test_who_is_found_by_name_keeps_the_place_in_the_whole_queue(crowded, signed_in):
    event = crowded(seats=2, waiting=40)
    url = f"/events/{event.pk}/registrations/?search=x39@"

    found = signed_in(event.organizer).get(url).json()["results"]

    assert [registration["position"] for registration in found] == [37]


def test_both_ways_to_count_say_the_same(crowded, make_event):
    event = crowded(seats=2, waiting=20)
    settle(make_event(capacity=1, waitlist=True), people=10)
    for registration in event.registrations.filter(status="waitlisted")[3:18:4]:
        booking.remove(registration_id=registration.pk, caller=Caller(event.organizer), now=registration.registered_at)

    assert positions(POSITION_IN_EVENT, event) == positions(POSITION, event)


# ── Many seats at once ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_long_queue_moves_up_in_its_order_and_everybody_is_told(crowded, now):
    event = crowded(seats=2, waiting=2_500)
    history.complete(now=now)
    queue = event.registrations.filter(status="waitlisted").order_by("queue_number").values_list("pk", flat=True)
    waiting = list(queue)

    scheduling.change(event_id=event.pk, caller=SERVICE, fields={"capacity": 2_402}, now=now)

    event.refresh_from_db()
    assert (event.seats_taken, event.waiting) == (2_402, 100)
    assert list(queue.all()) == waiting[2_400:]
    told = OutboxMail.objects.filter(kind="registration_promoted").order_by("pk")
    assert list(told.values_list("payload__registration_id", flat=True)) == waiting[:2_400]
    assert [line for line in violations(now=now) if "no mail" not in line] == []


@pytest.mark.parametrize("waiting", [1, 9])
def test_moving_up_costs_two_statements_for_each_chunk(crowded, now, waiting, monkeypatch):
    monkeypatch.setattr(seating, "CHUNK", 10)
    event = crowded(seats=1, waiting=waiting)

    with CaptureQueriesContext(connection) as queries:
        scheduling.change(event_id=event.pk, caller=SERVICE, fields={"capacity": None}, now=now)

    assert len([sql for sql in queries.captured_queries if "WITH" in sql["sql"]]) == 2


@pytest.mark.parametrize("step", [{"capacity": None}, {"status": "cancelled"}, {"location": "Elsewhere"}])
def test_news_for_four_times_the_people_take_no_more_memory(crowded, now, step):
    _warm, few, many = (
        peak(lambda event=event: scheduling.change(event_id=event.pk, caller=SERVICE, fields=step, now=now))
        for event in (crowded(seats=1, waiting=waiting) for waiting in (1, 1_500, 6_000))
    )

    assert many < 1.2 * few
