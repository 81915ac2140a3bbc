"""What the figures of an event add up to."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from jointoit.accounts.callers import Caller
from jointoit.checkin import counts, door
from jointoit.checkin.reading import Presented
from jointoit.events import booking
from jointoit.events.models import Event, Registration
from jointoit.organizing import statistics

HOUR = timedelta(hours=1)


def figures_of(event: Event, now: datetime, bucket: str = "day", timezone: str = "Europe/Berlin") -> statistics.Figures:
    return statistics.figures(event, bucket=bucket, timezone=timezone, now=now)


def test_the_sums_of_the_figures_are_the_counters(make_event, register, now, django_assert_num_queries):
    event = make_event(capacity=2, waitlist=True)
    first, *_ = [register(event) for _ in range(4)]
    booking.set_status(registration_id=first.pk, caller=Caller(first.attendee), status="cancelled", now=now)
    event.refresh_from_db()

    with django_assert_num_queries(1):
        figures = figures_of(event, now)

    funnel, buckets = figures["funnel"], figures["over_time"]
    assert (funnel["confirmed"], funnel["waitlisted"]) == (event.seats_taken, event.waiting)
    assert sum(bucket["registered"] for bucket in buckets) == funnel["registered"] == 4
    assert sum(bucket["cancelled"] for bucket in buckets) == funnel["cancelled"] == 1
    assert figures["waiting_list"]["promoted"] == 1


def test_the_answer_costs_two_statements_and_is_checked_against_the_parameters(
    signed_in, make_event, register, django_assert_num_queries
):
    event = make_event()
    register(event)
    api = signed_in(event.organizer)

    with django_assert_num_queries(2):
        answer = api.get(f"/events/{event.pk}/statistics/?bucket=hour&timezone=Asia/Tokyo")

    assert [bucket["registered"] for bucket in answer.json()["over_time"]] == [1]
    assert api.get(f"/events/{event.pk}/statistics/?bucket=hour&timezone=Mars/Base").status_code == 400


def test_an_event_of_which_there_is_nothing_to_tell_has_figures(make_event, now):
    figures = figures_of(make_event(), now)

    assert figures["funnel"] == dict.fromkeys(statistics.FUNNEL, 0)
    assert (figures["over_time"], figures["door"]) == ([], {"admitted": 0, "no_shows": None, "arrivals": []})


def test_the_figures_of_the_door_are_those_that_the_door_shows(make_event, register, now):
    event = make_event(date=now + HOUR, ends_at=now + 5 * HOUR)
    here, twice, mistaken, _absent, leaves = [register(event) for _ in range(5)]
    keeper = {"caller": Caller(event.organizer), "event_id": event.pk}
    for seat, minutes in ((here, 0), (twice, 20), (twice, 40), (leaves, 41), (mistaken, 42)):
        scan = Presented(id=uuid4(), registration=seat.pk)
        door.admit(**keeper, scan=scan, now=now + timedelta(minutes=minutes))
    door.undo(**keeper, scan_id=scan.id, now=now + HOUR)
    booking.remove(registration_id=leaves.pk, caller=Caller(event.organizer), now=now + HOUR)

    before, after = (figures_of(event, now + hours * HOUR)["door"] for hours in (1, 6))

    assert before["admitted"] == counts.summary(event, now=now)["admitted"] == 3
    assert (before["no_shows"], after["no_shows"]) == (None, 2)
    assert sum(quarter["admitted"] for quarter in after["arrivals"]) == 3


@pytest.mark.parametrize(
    ("day", "hours"), [(datetime(2027, 3, 28, tzinfo=UTC), 23), (datetime(2027, 10, 31, tzinfo=UTC), 25)]
)
def test_a_day_has_as_many_hours_as_its_clock(make_event, make_user, now, day, hours):
    event = make_event(timezone="Europe/Berlin")
    Registration.objects.bulk_create(
        Registration(event=event, attendee=make_user(), status="cancelled", registered_at=at, updated_at=at)
        for at in (day - 3 * HOUR + number * HOUR for number in range(30))
    )

    by_day = {each["start"]: each["registered"] for each in figures_of(event, now)["over_time"]}
    by_hour = figures_of(event, now, "hour")["over_time"]

    assert hours in by_day.values()
    assert [each["start"] for each in by_hour] == [day - 3 * HOUR + number * HOUR for number in range(30)]


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Chatham", "America/St_Johns"])
def test_a_day_begins_by_clocks_that_are_off_by_less_than_an_hour(make_event, make_user, now, zone):
    midnight = datetime(2027, 7, 1, tzinfo=ZoneInfo(zone))
    event = make_event()
    Registration.objects.bulk_create(
        Registration(event=event, attendee=make_user(), status="pending", registered_at=at, updated_at=at)
        for at in (midnight - timedelta(microseconds=1), midnight)
    )

    days = figures_of(event, now, timezone=zone)["over_time"]

    assert [(day["start"].astimezone(ZoneInfo(zone)).day, day["registered"]) for day in days] == [(30, 1), (1, 1)]
