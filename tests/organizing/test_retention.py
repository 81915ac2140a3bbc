"""Who was registered for events that are long over is forgotten, where a deployment says so."""

from datetime import timedelta
from typing import Any

import pytest

from jointoit.accounts.callers import SERVICE, Caller
from jointoit.events import booking, history, scheduling
from jointoit.events.invariants import violations
from jointoit.events.models import Event, Registration
from jointoit.events.refusals import EventOver
from jointoit.journal.models import Fact
from jointoit.mail.models import OutboxMail
from jointoit.organizing import announcements, retention, statistics
from jointoit.organizing.models import Transfer

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _a_month(settings: Any) -> None:
    settings.RETENTION = 30 * DAY


@pytest.fixture
def over(make_event: Any, register: Any, now: Any) -> Event:
    """An event that has been over for a month: one came, one waited, one had cancelled; all mails went out."""
    event: Event = make_event(capacity=1, waitlist=True)
    came, _, gone = (register(event) for _ in range(3))
    booking.set_status(registration_id=gone.pk, caller=Caller(gone.attendee), status="cancelled", now=now)
    announcements.announce(
        caller=SERVICE, event_id=event.pk, subject="The room", text="Second floor.", to=["confirmed"], now=now
    )
    Registration.objects.filter(pk=came.pk).update(answers={"1": "vegan"})
    Transfer.objects.create(registration=came, email="friend@example.net", created_at=now)
    OutboxMail.objects.update(state="sent", settled_at=now)
    Event.objects.filter(pk=event.pk).update(date=now - 31 * DAY)
    return event


def test_nothing_is_left_of_who_was_there_and_every_number_stays(over, now, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    people = {each.attendee_id for each in over.registrations.all()}
    before = statistics.figures(over, bucket="day", timezone="UTC", now=now)

    retention.erase_due(now)

    rows = list(over.registrations.order_by("pk").values_list("status", "answers", "attendee__username"))
    assert rows == [
        ("confirmed", {}, "deleted:anonymous-1"), ("waitlisted", {}, "deleted:anonymous-2"),
        ("cancelled", {}, "deleted:anonymous-3"),
    ]  # fmt: skip
    assert not Registration.objects.filter(attendee__in=people).exists()
    assert set(OutboxMail.objects.values_list("recipient", "payload__to")) == {("", None)}
    assert Transfer.objects.count() == 0
    assert statistics.figures(over, bucket="day", timezone="UTC", now=now) == before
    assert list(violations(now=now)) == []


def test_an_event_of_which_nobody_is_known_any_more_is_not_moved(over, now):
    retention.erase_due(now)

    with pytest.raises(EventOver):
        scheduling.change(event_id=over.pk, caller=Caller(over.organizer), fields={"date": now + DAY}, now=now)
    scheduling.change(event_id=over.pk, caller=Caller(over.organizer), fields={"title": "As it was"}, now=now)


def test_what_was_erased_is_looked_at_no_more(over, now, django_assert_num_queries):
    retention.erase_due(now)

    with django_assert_num_queries(1):
        retention.erase_due(now)


def test_two_events_are_forgotten_into_the_same_nobodies(over, make_event, register, now):
    other = make_event()
    register(other)
    Event.objects.filter(pk=other.pk).update(date=now - 40 * DAY)

    retention.erase_due(now)

    assert other.registrations.get().attendee == over.registrations.order_by("pk")[0].attendee


@pytest.mark.parametrize("days", [None, 33])
def test_until_then_and_where_nothing_is_asked_for_people_stay(over, now, settings, days):
    settings.RETENTION = days and days * DAY

    retention.erase_due(now)

    assert not over.registrations.filter(attendee__username__startswith="deleted:").exists()


def test_an_event_that_was_moved_meanwhile_is_left_alone(over, now):
    Event.objects.filter(pk=over.pk).update(date=now + DAY)

    assert retention.erase_some(event_id=over.pk, now=now) is False

    assert over.registrations.filter(attendee__is_active=True).count() == 3


def test_the_journal_keeps_no_longer_who_registered(over, now):
    history.prune(now)

    assert not Fact.objects.filter(event_id=over.pk).exists()
