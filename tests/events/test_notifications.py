"""News to many: one transaction, one statement for a chunk of people, and the memory of a chunk."""

import tracemalloc
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from jointoit.accounts.callers import SERVICE
from jointoit.accounts.models import User
from jointoit.events import scheduling, seating
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
