from datetime import timedelta
from typing import Any

import pytest

from jointoit.accounts import account_closing
from jointoit.accounts.callers import SERVICE, Caller
from jointoit.accounts.models import User
from jointoit.accounts.tokens import DeadToken
from jointoit.errors import Conflict, Invalid, NotFound
from jointoit.events import roles, scheduling
from jointoit.events.models import Event
from jointoit.events.refusals import EventCancelled, EventStarted
from jointoit.events.scheduling import (
    CapacityBelowConfirmed,
    ClosesBeforeItOpens,
    EndsBeforeItStarts,
    EventImpossibleStep,
    InThePast,
)
from jointoit.mail.models import OutboxMail

HOUR = timedelta(hours=1)


def test_whoever_creates_an_event_organizes_it(make_user, now):
    organizer = make_user()

    event = scheduling.create(
        organizer=organizer, now=now, fields={"title": "Launch", "date": now + HOUR, "location": "Kraków"}
    )

    assert (event.organizer, event.status, event.capacity) == (organizer, "published", None)
    assert (event.title_folded, event.location_folded) == ("launch", "kraków")


@pytest.mark.parametrize(
    ("fields", "refusal", "field"),
    [
        ({"date": timedelta(0)}, InThePast, "date"),
        ({"date": HOUR, "ends_at": HOUR}, EndsBeforeItStarts, "ends_at"),
        ({"date": HOUR, "registration_opens_at": HOUR}, ClosesBeforeItOpens, "registration_opens_at"),
        (
            {"date": 3 * HOUR, "registration_opens_at": HOUR, "registration_closes_at": HOUR},
            ClosesBeforeItOpens,
            "registration_closes_at",
        ),
    ],
)
def test_times_that_cannot_be_are_refused_by_name(make_user, now, fields: dict[str, Any], refusal, field: str):
    given = {name: now + delta for name, delta in fields.items()}

    with pytest.raises(refusal) as error:
        scheduling.create(organizer=make_user(), now=now, fields={"title": "t", "location": "l"} | given)

    assert isinstance(error.value, Invalid)
    assert (error.value.field, Event.objects.count()) == (field, 0)


@pytest.mark.parametrize(
    ("field", "value"),
    [("date", timedelta(days=9)), ("ends_at", timedelta(days=8)), ("location", "Paris"), ("timezone", "Asia/Tokyo")],
)
def test_a_move_in_time_or_place_is_told_to_everybody_registered(make_event, register, mails, now, field: str, value):
    event = make_event(capacity=1, waitlist=True)
    confirmed, waiting = register(event), register(event)

    scheduling.change(
        event_id=event.pk,
        caller=SERVICE,
        fields={field: now + value if isinstance(value, timedelta) else value},
        now=now,
    )

    assert mails(confirmed.attendee) == ["registration_confirmed", "event_changed"]
    assert mails(waiting.attendee) == ["registration_waitlisted", "event_changed"]


def test_the_mail_about_a_move_says_what_was_and_what_is(make_event, register, now):
    event = make_event(location="Berlin")
    register(event)

    scheduling.change(event_id=event.pk, caller=SERVICE, fields={"location": "Paris"}, now=now)

    facts = OutboxMail.objects.get(kind="event_changed").payload
    assert (facts["before"]["location"], facts["event"]["location"], facts["holds_seat"]) == ("Berlin", "Paris", True)


def test_a_new_title_is_no_reason_for_a_mail(make_event, register, mails, now):
    registration = register(event := make_event())

    scheduling.change(
        event_id=event.pk, caller=SERVICE, fields={"title": "Better name", "description": "More"}, now=now
    )

    assert mails(registration.attendee) == ["registration_confirmed"]


def test_a_change_to_the_same_is_no_change(make_event, register, mails, now):
    registration = register(event := make_event(location="Berlin"))

    changed = scheduling.change(
        event_id=event.pk, caller=SERVICE, fields={"location": "Berlin", "date": event.date}, now=now
    )

    assert (changed.revision, mails(registration.attendee)) == (0, ["registration_confirmed"])


def test_every_change_is_a_new_revision_and_is_found_by_its_new_name(make_event, now):
    event = make_event(title="Old")

    scheduling.change(event_id=event.pk, caller=SERVICE, fields={"title": "İstanbul"}, now=now)

    event.refresh_from_db()
    assert (event.revision, event.updated_at, event.title_folded) == (1, now, "istanbul")


def test_more_seats_bring_in_those_who_wait_in_their_order(make_event, register, statuses, now):
    event = make_event(capacity=1, waitlist=True)
    asked = [register(event) for _ in range(4)]

    scheduling.change(event_id=event.pk, caller=SERVICE, fields={"capacity": 3}, now=now)

    assert statuses(*asked) == ["confirmed", "confirmed", "confirmed", "waitlisted"]
    event.refresh_from_db()
    assert (event.seats_taken, event.waiting) == (3, 1)


def test_lifting_the_limit_brings_everybody_in(make_event, register, statuses, now):
    event = make_event(capacity=1, waitlist=True)
    asked = [register(event) for _ in range(3)]

    scheduling.change(event_id=event.pk, caller=SERVICE, fields={"capacity": None}, now=now)

    assert statuses(*asked) == ["confirmed"] * 3


def test_a_confirmed_seat_is_not_taken_away_by_lowering_the_capacity(make_event, register, now):
    event = make_event(capacity=3)
    for _ in range(2):
        register(event)

    with pytest.raises(CapacityBelowConfirmed):
        scheduling.change(event_id=event.pk, caller=SERVICE, fields={"capacity": 1}, now=now)

    assert scheduling.change(event_id=event.pk, caller=SERVICE, fields={"capacity": 2}, now=now).seats_left == 0


def test_a_draft_becomes_public_and_twice_is_once(make_event, now):
    event = make_event(status="draft")

    assert [scheduling.publish(event_id=event.pk, caller=SERVICE, now=now).status for _ in range(2)] == [
        "published"
    ] * 2


def test_a_draft_whose_time_has_come_cannot_be_published(make_event, now):
    event = make_event(status="draft", date=now - HOUR)

    with pytest.raises(EventStarted):
        scheduling.publish(event_id=event.pk, caller=SERVICE, now=now)


def test_a_cancelled_event_ends_its_registrations_and_tells_each_once(make_event, register, statuses, mails, now):
    event = make_event(capacity=1, waitlist=True)
    confirmed, waiting = register(event), register(event)

    for _ in range(2):
        scheduling.cancel(event_id=event.pk, caller=SERVICE, now=now)

    event.refresh_from_db()
    assert (event.status, event.seats_taken, event.waiting) == ("cancelled", 0, 0)
    assert statuses(confirmed, waiting) == ["cancelled", "cancelled"]
    assert mails(confirmed.attendee) == ["registration_confirmed", "event_cancelled"]
    assert mails(waiting.attendee) == ["registration_waitlisted", "event_cancelled"]


@pytest.mark.parametrize(
    ("status", "fields", "refusal"),
    [
        ("cancelled", {"title": "Back again"}, EventCancelled),
        ("cancelled", {"status": "published"}, EventCancelled),
        ("draft", {"status": "cancelled"}, EventImpossibleStep),
        ("published", {"status": "draft"}, EventImpossibleStep),
    ],
)
def test_an_event_does_not_step_back(make_event, now, status: str, fields: dict[str, str], refusal: type[Conflict]):
    event = make_event(status=status)

    with pytest.raises(refusal):
        scheduling.change(event_id=event.pk, caller=SERVICE, fields=fields, now=now)

    event.refresh_from_db()
    assert event.status == status


def test_a_deleted_event_is_gone_but_its_registrations_stay_readable(make_event, register, statuses, mails, now):
    registration = register(event := make_event())

    scheduling.delete(event_id=event.pk, caller=SERVICE, now=now)

    assert not roles.sees(Caller(event.organizer), Event.objects.get())
    assert (statuses(registration), mails(registration.attendee)[-1]) == (["cancelled"], "event_cancelled")
    with pytest.raises(NotFound):
        scheduling.delete(event_id=event.pk, caller=SERVICE, now=now)


def test_a_past_event_may_be_corrected_without_telling_anybody(make_event, make_user, register, mails, now):
    event = make_event(date=now - HOUR)
    guest = make_user()
    register(event, guest, now=now - 2 * HOUR)

    scheduling.change(event_id=event.pk, caller=SERVICE, fields={"location": "It was in Paris"}, now=now)

    assert mails(guest) == ["registration_confirmed"]


def test_an_organizer_who_leaves_calls_off_what_was_planned(make_event, make_user, now):
    organizer = make_user()
    planned, draft = make_event(organizer=organizer), make_event(organizer=organizer, status="draft")
    past = make_event(organizer=organizer, date=now - HOUR)

    scheduling.cancel_future_events(organizer=organizer, now=now)

    assert [(e.status, e.deleted_at is None) for e in Event.objects.order_by("pk")] == [
        ("cancelled", True),
        ("draft", False),
        ("published", True),
    ]
    assert [planned.pk, draft.pk, past.pk] == list(Event.objects.order_by("pk").values_list("pk", flat=True))


def test_an_account_that_is_closed_creates_nothing(make_user, now):
    organizer = make_user()
    User.objects.filter(pk=organizer.pk).update(is_active=False)

    with pytest.raises(DeadToken):
        scheduling.create(organizer=organizer, now=now, fields={"title": "t", "location": "l", "date": now + HOUR})

    assert Event.objects.count() == 0


def test_nobody_is_brought_into_an_event_that_goes_with_its_organizer(make_event, register, mails, now):
    event = make_event(capacity=1, waitlist=True)
    register(event, event.organizer)
    waiting = register(event)

    account_closing.close(user=event.organizer, password="correct-horse-9", now=now)

    assert mails(waiting.attendee) == ["registration_waitlisted", "event_cancelled"]
