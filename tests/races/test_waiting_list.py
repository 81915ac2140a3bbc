"""First come, first served, while many leave at once (scaled by RACE_SCALE)."""

import os
from functools import partial

import pytest
from django.db import transaction

from jointoit.events import booking
from jointoit.events.invariants import violations
from jointoit.events.models import Registration

pytestmark = pytest.mark.django_db(transaction=True)

SCALE = int(os.environ.get("RACE_SCALE", "1"))  # `make races-long` sets 10: 300 wait, 100 leave
WAITING, LEAVING, CLIENTS = 30 * SCALE, 10 * SCALE, 10


def leave_one_after_another(registrations, *, now) -> None:
    for registration in registrations:
        booking.set_status(registration_id=registration.pk, actor=registration.attendee, status="cancelled", now=now)


def promoted_without_the_lock(event, registration) -> None:
    """Look for the first in the queue, then promote, without holding the event: two may find the same one."""
    with transaction.atomic():
        Registration.objects.filter(pk=registration.pk).update(status="cancelled")
        first = event.registrations.filter(status="waitlisted").order_by("queue_number").first()
        Registration.objects.filter(pk=first.pk).update(status="confirmed", queue_number=None)


@pytest.fixture
def full_house(make_event, make_user, register):
    """An event whose seats are all held, and who waits, in the order of asking."""
    event = make_event(capacity=LEAVING, waitlist=True)
    asked = [register(event, make_user()) for _ in range(LEAVING + WAITING)]
    return event, asked[:LEAVING], asked[LEAVING:]


def test_those_who_asked_first_move_up_first_when_many_leave_at_once(full_house, race, statuses, now):
    _event, seated, waiting = full_house

    race([partial(leave_one_after_another, seated[client::CLIENTS], now=now) for client in range(CLIENTS)])

    assert statuses(*waiting) == ["confirmed"] * LEAVING + ["waitlisted"] * (WAITING - LEAVING)
    assert list(violations(now=now)) == []


def test_without_the_lock_seats_would_stay_empty(full_house, race):
    event, seated, _waiting = full_house

    race([partial(promoted_without_the_lock, event, registration) for registration in seated])

    assert event.registrations.filter(status="confirmed").count() < LEAVING
