"""First come, first served, while many leave at once: in the long form 300 wait and 100 leave."""

from functools import partial

import pytest

from jointoit.accounts.callers import Caller
from jointoit.events import booking
from jointoit.events.invariants import violations
from tests.races.conftest import SCALE
from tests.races.verbs import promote_without_the_lock

pytestmark = pytest.mark.django_db(transaction=True)

WAITING, LEAVING, CLIENTS = 30 * SCALE, 10 * SCALE, 16


def leave_one_after_another(registrations, *, now) -> None:
    for registration in registrations:
        booking.set_status(
            registration_id=registration.pk, caller=Caller(registration.attendee), status="cancelled", now=now
        )


def promote_each_without_the_lock(registrations) -> None:
    for registration in registrations:
        promote_without_the_lock(registration)


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

    race([partial(promote_each_without_the_lock, seated[client::CLIENTS]) for client in range(CLIENTS)])

    assert event.registrations.filter(status="confirmed").count() < LEAVING
