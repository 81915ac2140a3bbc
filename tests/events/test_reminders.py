from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.utils import timezone

from jointoit.accounts.callers import SERVICE, Caller
from jointoit.events import booking, reminders, scheduling
from jointoit.events.models import Event, Registration
from jointoit.mail.models import OutboxMail
from jointoit.process import periodic

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def reminded(db):
    """Who was promised a reminder, by the state of the mail, oldest first."""

    def reminded(state: str = "pending") -> list[str]:
        found = OutboxMail.objects.filter(kind="event_reminder", state=state).order_by("pk")
        return list(found.values_list("recipient", flat=True))

    return reminded


def test_every_confirmed_seat_is_reminded_a_day_before(make_event, register, reminded, now):
    event = make_event(date=now + 3 * DAY, capacity=1, waitlist=True)
    held, _waiting = register(event), register(event)

    reminders.promise_due(now + 2 * DAY)

    assert reminded() == [held.attendee.email]


def test_nobody_is_reminded_sooner(make_event, register, reminded, now):
    register(make_event(date=now + 3 * DAY))

    reminders.promise_due(now + 2 * DAY - HOUR)

    assert reminded() == []


def test_how_long_before_is_a_setting(make_event, register, reminded, now, settings):
    settings.REMINDER_BEFORE = 2 * HOUR
    register(make_event(date=now + 3 * DAY))

    reminders.promise_due(now + 3 * DAY - 3 * HOUR)
    assert reminded() == []

    reminders.promise_due(now + 3 * DAY - HOUR)
    assert len(reminded()) == 1


def test_a_reminder_comes_once_however_often_one_looks(make_event, register, reminded, now):
    held = register(make_event(date=now + 2 * DAY))

    for hour in range(24, 48, 6):
        reminders.promise_due(now + hour * HOUR)

    assert reminded() == [held.attendee.email]


@pytest.fixture
def sent(make_event, register, now):
    """A seat whose reminder was sent a day before the event, at `now + DAY`."""
    held = register(make_event(date=now + 2 * DAY))
    reminders.promise_due(now + DAY)
    OutboxMail.objects.filter(kind="event_reminder").update(state="sent")
    return held


def test_who_was_reminded_is_reminded_once_more_of_the_date_that_the_event_moves_to(sent, reminded, now):
    scheduling.change(event_id=sent.event_id, caller=SERVICE, fields={"date": now + 9 * DAY}, now=now + DAY + HOUR)
    reminders.promise_due(now + 7 * DAY)
    assert reminded() == []

    reminders.promise_due(now + 8 * DAY)
    reminders.promise_due(now + 8 * DAY + HOUR)

    assert (reminded("sent"), reminded()) == ([sent.attendee.email], [sent.attendee.email])


def test_who_was_reminded_and_told_of_a_change_within_the_last_day_is_not_reminded_again(sent, reminded, now):
    scheduling.change(event_id=sent.event_id, caller=SERVICE, fields={"date": now + 30 * HOUR}, now=now + DAY + HOUR)
    reminders.promise_due(now + DAY + HOUR)

    assert (reminded("sent"), reminded()) == ([sent.attendee.email], [])


def test_a_change_of_the_place_reminds_nobody_again(sent, reminded, now):
    scheduling.change(event_id=sent.event_id, caller=SERVICE, fields={"location": "Elsewhere"}, now=now + DAY + HOUR)
    reminders.promise_due(now + DAY + HOUR)

    assert (reminded("sent"), reminded()) == ([sent.attendee.email], [])


def test_one_that_still_waits_is_replaced_by_one_for_the_new_date(make_event, register, reminded, now):
    event = make_event(date=now + 2 * DAY)
    held = register(event)
    reminders.promise_due(now + DAY)

    scheduling.change(event_id=event.pk, caller=SERVICE, fields={"date": now + 9 * DAY}, now=now + DAY)
    assert (reminded("superseded"), reminded()) == ([held.attendee.email], [])

    reminders.promise_due(now + 8 * DAY)
    assert reminded() == [held.attendee.email]
    assert OutboxMail.objects.get(kind="event_reminder", state="pending").expires_at == now + 9 * DAY


def test_an_event_moved_out_of_the_day_before_is_reminded_once_it_comes_near_again(make_event, register, reminded, now):
    event = make_event(date=now + 9 * DAY)
    scheduling.change(event_id=event.pk, caller=SERVICE, fields={"date": now + 20 * DAY}, now=now)
    held = register(event)

    reminders.promise_due(now + 19 * DAY)

    assert reminded() == [held.attendee.email]


def test_whoever_gets_a_seat_on_the_last_day_has_just_been_told(make_event, register, reminded, now):
    event = make_event(date=now + 20 * HOUR)
    register(event)

    reminders.promise_due(now + HOUR)

    assert reminded() == []


@pytest.mark.parametrize("end", [scheduling.cancel, scheduling.delete])
def test_nobody_is_reminded_of_an_event_that_will_not_take_place(make_event, register, reminded, now, end):
    event = make_event(date=now + 2 * DAY)
    register(event)
    reminders.promise_due(now + DAY)

    end(event_id=event.pk, caller=SERVICE, now=now + DAY)
    reminders.promise_due(now + DAY)

    assert reminded() == []


def test_whoever_cancels_is_not_reminded(make_event, register, reminded, now):
    held = register(make_event(date=now + 2 * DAY))
    reminders.promise_due(now + DAY)

    booking.set_status(registration_id=held.pk, caller=Caller(held.attendee), status="cancelled", now=now + DAY)

    assert (reminded("superseded"), reminded()) == ([held.attendee.email], [])


def test_a_reminder_is_of_no_use_once_the_event_has_begun(make_event, register, now):
    event = make_event(date=now + 2 * DAY)
    register(event)

    reminders.promise_due(now + DAY)

    assert OutboxMail.objects.get(kind="event_reminder").expires_at == event.date


def test_drafts_and_begun_events_remind_nobody(make_event, register, reminded, now):
    begun, draft = make_event(date=now + HOUR), make_event(date=now + 2 * DAY)
    for event in (begun, draft):
        register(event)
    Event.objects.filter(pk=draft.pk).update(status="draft")

    reminders.promise_due(now + 2 * HOUR)
    reminders.promise_due(now + DAY)

    assert reminded() == []
    assert not reminders.promise_some(event_id=begun.pk, now=now + 2 * HOUR)


def test_many_are_reminded_in_steps(make_event, register, reminded, now, monkeypatch):
    monkeypatch.setattr(reminders, "CHUNK", 2)
    event = make_event(date=now + 2 * DAY)
    people = [register(event).attendee.email for _ in range(5)]

    assert reminders.promise_some(event_id=event.pk, now=now + DAY)
    assert reminded() == people[:2]

    reminders.promise_due(now + DAY)
    assert reminded() == people


def test_a_round_costs_one_look_when_nobody_is_due(make_event, register, now, django_assert_num_queries):
    register(make_event(date=now + 2 * DAY))
    reminders.promise_due(now + DAY)

    with django_assert_num_queries(1):
        reminders.promise_due(now + DAY)


@pytest.mark.django_db(transaction=True)
def test_the_periodic_process_does_it(make_event, register, reminded, monkeypatch):
    held = register(make_event(date=timezone.now() + 2 * DAY))
    Registration.objects.update(updated_at=timezone.now() - 30 * DAY)
    Event.objects.update(date=timezone.now() + HOUR)

    monkeypatch.setattr(periodic, "chores", [replace(chore, due=None) for chore in periodic.chores])
    periodic.run_due(now=timezone.now())

    assert reminded() == [held.attendee.email]
    call_command("check_invariants")


@pytest.mark.parametrize("error", [OperationalError, ValueError])
def test_an_event_that_cannot_be_held_keeps_no_other_waiting(make_event, register, reminded, now, monkeypatch, error):
    held, free = (register(make_event(date=now + hours * HOUR)) for hours in (50, 60))
    hold = booking.lock

    def busy(event_id):
        if event_id == held.event_id:
            raise error("held") from psycopg.errors.LockNotAvailable()
        return hold(event_id)

    monkeypatch.setattr(booking, "lock", busy)
    reminders.promise_due(now + 40 * HOUR)
    assert reminded() == [free.attendee.email]

    monkeypatch.undo()
    reminders.promise_due(now + 40 * HOUR)
    assert reminded() == [free.attendee.email, held.attendee.email]
