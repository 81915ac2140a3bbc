"""Many ask at once. Small rounds on purpose: a big burst hides a race that a dozen threads for three seats show."""

from collections import Counter
from functools import partial

import pytest
from django.db import IntegrityError

from jointoit.accounts import account_closing
from jointoit.accounts.callers import SERVICE, Caller
from jointoit.events import booking, scheduling
from jointoit.events.invariants import violations
from jointoit.events.models import Event
from jointoit.events.refusals import EventFull
from tests.races.verbs import register_without_the_lock

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE, SEATS, ROUNDS = 12, 3, 10


def asking(event, people, now):
    return [partial(booking.register, event_id=event.pk, attendee=person, now=now) for person in people]


def test_a_rush_never_oversells(make_event, make_user, race, now):
    people = [make_user() for _ in range(PEOPLE)]
    for _ in range(ROUNDS):
        event = make_event(capacity=SEATS)

        answers = Counter(getattr(answer, "status", type(answer)) for answer in race(asking(event, people, now)))

        assert answers == {"confirmed": SEATS, EventFull: PEOPLE - SEATS}
    assert list(violations(now=now)) == []


def test_the_rush_would_oversell_without_the_lock(make_event, make_user, race, now):
    people = [make_user() for _ in range(PEOPLE)]
    sold = []
    for _ in range(ROUNDS):
        event = make_event(capacity=SEATS)
        race([partial(register_without_the_lock, event_id=event.pk, attendee=person, now=now) for person in people])
        sold.append(event.registrations.filter(status="confirmed").count())

    assert max(sold) > SEATS


def test_those_who_wait_stand_in_the_order_of_asking(make_event, make_user, race, now):
    event = make_event(capacity=SEATS, waitlist=True)

    race(asking(event, [make_user() for _ in range(PEOPLE)], now))

    queue = event.registrations.filter(status="waitlisted").order_by("queue_number")
    assert list(queue.values_list("queue_number", flat=True)) == list(range(1, PEOPLE - SEATS + 1))
    assert list(violations(now=now)) == []


def test_one_person_asking_many_times_at_once_has_one_seat(make_event, make_user, race, now):
    event, guest = make_event(capacity=9), make_user()

    answers = race(asking(event, [guest] * 8, now))

    codes = Counter(getattr(answer, "status", getattr(answer, "code", None)) for answer in answers)
    assert codes == {"confirmed": 1, "already_registered": 7}


def test_seats_given_back_in_a_rush_go_to_those_who_wait(make_event, make_user, race, now):
    event = make_event(capacity=SEATS, waitlist=True)
    asked = [booking.register(event_id=event.pk, attendee=make_user(), now=now) for _ in range(3 * SEATS)]

    race(
        [partial(booking.remove, registration_id=r.pk, caller=Caller(event.organizer), now=now) for r in asked[:SEATS]]
    )

    statuses = list(event.registrations.order_by("pk").values_list("status", flat=True))
    assert statuses == ["cancelled"] * SEATS + ["confirmed"] * SEATS + ["waitlisted"] * SEATS
    assert list(violations(now=now)) == []


def test_seats_stay_exact_while_the_capacity_goes_up_and_down(make_event, make_user, race, now):
    event = make_event(capacity=SEATS, waitlist=True)
    edits = [
        partial(scheduling.change, event_id=event.pk, caller=SERVICE, fields={"capacity": capacity}, now=now)
        for capacity in (1, 5, 2, 8)
    ]

    race(asking(event, [make_user() for _ in range(PEOPLE)], now) + edits)

    event.refresh_from_db()
    assert event.seats_taken + event.waiting == PEOPLE
    assert list(violations(now=now)) == []


def test_the_constraint_stands_behind_the_lock(make_event):
    event = make_event(capacity=1)

    with pytest.raises(IntegrityError, match="event_seats_within_capacity"):
        Event.objects.filter(pk=event.pk).update(seats_taken=2)


def test_two_who_attend_each_other_close_their_accounts_at_once(make_event, make_user, race, now):
    people = [make_user() for _ in range(2)]
    for organizer, guest in (people, people[::-1]):
        events = [make_event(organizer=organizer) for _ in range(3)]
        for event in events:
            booking.register(event_id=event.pk, attendee=guest, now=now)

    answers = race(
        [partial(account_closing.close, user=person, password="correct-horse-9", now=now) for person in people]
    )

    assert answers == [None, None]
    assert set(Event.objects.values_list("status", "seats_taken")) == {("cancelled", 0)}
