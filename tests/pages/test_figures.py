"""The figures of an event as pictures, with their numbers beside them."""

import csv
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse

from jointoit.accounts.callers import Caller
from jointoit.checkin import door
from jointoit.checkin.reading import Presented
from jointoit.events import booking
from jointoit.events.models import Event
from jointoit.pages import plots

pytestmark = pytest.mark.django_db
NOON = datetime(2030, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def path_of(event: Event, name: str = "figures") -> str:
    return reverse(f"page-manage-{name}", args=[event.pk])


@pytest.fixture
def evening(make_event, register, now) -> Event:
    """Two came, one did not, one waits, and one has cancelled."""
    event: Event = make_event(capacity=3, waitlist=True, date=now - HOUR, ends_at=now + 5 * HOUR)
    seats = [register(event, now=now - 48 * HOUR) for _ in range(5)]
    cancel = {"registration_id": seats[0].pk, "caller": Caller(seats[0].attendee), "status": "cancelled"}
    booking.set_status(**cancel, now=now - 20 * HOUR)
    for seat in seats[1:3]:
        scan = Presented(id=uuid4(), registration=seat.pk)
        door.admit(caller=Caller(event.organizer), event_id=event.pk, scan=scan, now=now)
    Event.objects.filter(pk=event.pk).update(ends_at=now, created_at=now - 50 * HOUR)
    return event


def test_each_picture_is_told_in_words_and_in_numbers(log_in, evening):
    page = log_in(evening.organizer).get(path_of(evening)).text

    assert re.findall(r"<desc[^>]*>([^<]*)</desc>", page) == [
        "Seat: 3, Waiting: 1, Asked: 0, Cancelled: 1",
        "How many people were registered, without those who had cancelled: at most 5, now 4.",
        re.search(r"2 people came, half of them by \d\d:\d\d\.", page)[0],
    ]
    assert re.findall(r"<td>([^<]*)</td>", page)[:8] == ["Seat", "3", "Waiting", "1", "Asked", "0", "Cancelled", "1"]
    assert re.findall(r"<dd>([^<]*)</dd>", page) == ["3 of 3", "1", "2", "1 (33 %)"]


def test_a_picture_needs_no_style_of_its_own(log_in, evening):
    page = log_in(evening.organizer).get(path_of(evening)).text

    assert (page.count('role="img"'), re.findall(r"<style|style=|<script(?! src)", page)) == (3, [])


def test_an_event_that_nobody_asked_for_shows_where_to_share_it(log_in, make_event):
    event = make_event()
    page = log_in(event.organizer).get(path_of(event)).text

    assert ("Nobody has registered yet." in page, "<svg role" in page) == (True, False)


def test_the_file_has_every_number(log_in, evening):
    answer = log_in(evening.organizer).get(path_of(evening, "figures-csv"))

    rows: Any = csv.DictReader(b"".join(answer.streaming_content).decode("utf-8-sig").splitlines())
    total = [(row["figure"], row["number"]) for row in rows if not row["start"]]
    assert dict(total) == {
        "registered": "5", "pending": "0", "confirmed": "3", "waitlisted": "1", "cancelled": "1", "declined": "0",
        "transferred": "0", "admitted": "2", "no_shows": "1",
    }  # fmt: skip


def test_a_page_of_figures_asks_four_times(log_in, evening, django_assert_num_queries):
    client = log_in(evening.organizer)

    with django_assert_num_queries(4):
        client.get(path_of(evening))


# ── Drawing ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_value_holds_until_the_next_one():
    columns, lines = plots.steps([NOON, NOON + HOUR], [2, 4], until=NOON + 4 * HOUR)

    assert [(column.x, column.width, column.y, column.height) for column in columns] == [
        ("0.000%", "25.000%", "50.000%", "50.000%"), ("25.000%", "75.000%", "0.000%", "100.000%"),
    ]  # fmt: skip
    assert {line.label: line.at for line in lines} == {"4": "0.000%", "2": "50.000%"}


def test_bars_stand_side_by_side_with_their_words_below():
    columns, lines, words = plots.bars([("here", 1, "good"), ("there", 0, "bad")])

    assert [(column.middle, column.height, column.label) for column in columns] == [
        ("25.000%", "100.000%", "1"), ("75.000%", "0.000%", "0"),
    ]  # fmt: skip
    assert lines == []
    assert [(word.at, word.label) for word in words] == [("25.000%", "here"), ("75.000%", "there")]


@pytest.mark.parametrize(
    ("most", "top"),
    [(0, 1), (1, 1), (2, 2), (3, 4), (7, 8), (9, 10), (11, 20), (99, 100), (101, 200), (65_000, 80_000)],
)
def test_a_scale_ends_at_a_round_number_with_room_for_all(most, top):
    assert plots.top_of([0, most]) == top
