"""News to many: one transaction, one statement for a chunk of people, and the memory of a chunk."""

import tracemalloc
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jointoit.accounts.callers import SERVICE
from jointoit.accounts.models import User
from jointoit.events import booking, scheduling, seating
from jointoit.events.models import Registration
from jointoit.mail import outbox
from jointoit.mail.models import OutboxMail

CHUNK = 50


@pytest.fixture
def crowded(make_event, now, monkeypatch):
    """An event with so many attendees, read and promised in chunks of fifty."""
    monkeypatch.setattr(outbox, "CHUNK", CHUNK)
    monkeypatch.setattr(seating, "CHUNK", CHUNK)

    def crowded(people):
        event = make_event(seats_taken=people)
        users = [User(username=f"e{event.pk}n{n}", email=f"e{event.pk}n{n}@example.org") for n in range(people)]
        Registration.objects.bulk_create(
            Registration(event=event, attendee=user, status="confirmed", registered_at=now, updated_at=now)
            for user in User.objects.bulk_create(users)
        )
        return event

    return crowded


@pytest.fixture
def cost(now):
    """How many statements, and bytes at most, it takes to move an event."""

    def move(event, days):
        scheduling.change(event_id=event.pk, caller=SERVICE, fields={"date": now + timedelta(days=days)}, now=now)

    def cost(event):
        with CaptureQueriesContext(connection) as statements:
            move(event, 30)
        tracemalloc.start()  # not meanwhile: what is captured takes memory
        try:
            move(event, 31)
            return len(statements), tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    return cost


def test_everybody_hears_of_a_move_by_one_statement_a_chunk_in_the_memory_of_one(crowded, cost):
    cost(crowded(CHUNK))  # what is made once is made
    few, many = crowded(2 * CHUNK), crowded(6 * CHUNK)

    (statements, memory), (more_statements, more_memory) = cost(few), cost(many)

    told = OutboxMail.objects.filter(kind="event_changed", payload__event__id=many.pk)
    assert told.values("recipient").distinct().count() == 6 * CHUNK
    assert more_statements - statements == 4
    assert more_memory < 1.5 * memory


def calendars(registration: Registration) -> list[tuple[bool, int]]:
    """Of each mail about a registration with a seat, whether its UID is the event's, and its SEQUENCE."""
    promised = OutboxMail.objects.filter(dedupe_key__startswith=f"registration:{registration.pk}:").order_by("pk")
    mails = [mail.payload for mail in promised if mail.payload["holds_seat"]]
    return [(mail["has_event_uid"], mail["sequence"]) for mail in mails]


@pytest.mark.parametrize("way", ["confirmed", "approved", "promoted"])
def test_calendars_know_a_seat_by_the_events_uid_and_revision(make_event, register, now, way):
    event = make_event(capacity=1, waitlist=True, requires_approval=way == "approved")
    held = register(event) if way == "promoted" else None
    registration = register(event)
    if held:
        booking.remove(registration_id=held.pk, caller=SERVICE, now=now)
    if way == "approved":
        booking.set_status(registration_id=registration.pk, caller=SERVICE, status="confirmed", now=now)

    scheduling.change(event_id=event.pk, caller=SERVICE, fields={"location": "Elsewhere"}, now=now)
    booking.remove(registration_id=registration.pk, caller=SERVICE, now=now)

    assert calendars(registration) == [(True, 0), (True, 1), (True, 1)]


def test_a_seat_from_an_earlier_release_keeps_its_uid_in_a_sequence_that_grows(make_event, register, now):
    registration = register(event := make_event())
    Registration.objects.filter(pk=registration.pk).update(has_event_uid=False)

    scheduling.change(event_id=event.pk, caller=SERVICE, fields={"location": "Elsewhere"}, now=now)
    booking.remove(registration_id=registration.pk, caller=SERVICE, now=now)

    assert calendars(registration)[1:] == [(False, 1), (False, 2)]
