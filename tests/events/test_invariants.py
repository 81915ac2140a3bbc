"""Each invariant is shown to hold after ordinary steps and to be noticed when it is broken."""

import re

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from jointoit.accounts.callers import Caller
from jointoit.events import booking
from jointoit.events.invariants import violations
from jointoit.events.models import Event, Registration


@pytest.fixture
def busy_event(make_event, register, now) -> Event:
    event: Event = make_event(capacity=2, waitlist=True)
    registrations = [register(event) for _ in range(4)]
    booking.remove(registration_id=registrations[0].pk, caller=Caller(event.organizer), now=now)
    return event


def test_after_ordinary_steps_every_invariant_holds(busy_event, now, capsys):
    assert list(violations(now=now)) == []
    call_command("check_invariants")
    assert capsys.readouterr().out == "Every invariant holds.\n"


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (
            "UPDATE events_event SET seats_taken = 1, waitlist = false, waiting = 1",
            r"event \d+: 2 confirmed rows, seats_taken",
        ),
        ("UPDATE events_event SET waiting = 0", r"event \d+: 1 waiting rows, waiting 0"),
        ("UPDATE events_event SET capacity = 3", r"event \d+: 1 wait while a seat is free"),
        ("UPDATE events_event SET status = 'cancelled'", r"event \d+: will not take place, yet has 3 live"),
        ("DELETE FROM mail_outboxmail", r"registration \d+: no mail was ever promised"),
    ],
)
def test_a_broken_promise_is_named(busy_event, now, capsys, damage: str, sentence: str):
    with connection.cursor() as cursor:
        cursor.execute(damage)

    with pytest.raises(CommandError):
        call_command("check_invariants")

    assert re.search(sentence, capsys.readouterr().out)


def test_the_database_itself_refuses_a_second_live_registration(busy_event, now):
    first = Registration.objects.live().order_by("pk")[0]

    with pytest.raises(Exception, match="registration_one_live_per_person"):
        Registration.objects.create(
            event=first.event, attendee=first.attendee, status="pending", registered_at=now, updated_at=now
        )


def test_the_database_itself_refuses_one_seat_too_many(busy_event):
    with pytest.raises(Exception, match="event_seats_within_capacity"):
        Event.objects.filter(pk=busy_event.pk).update(seats_taken=3)
