from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from jointoit.accounts.callers import Caller
from jointoit.errors import NotFound
from jointoit.events import booking
from jointoit.events.models import Event, Registration
from jointoit.events.refusals import (
    AlreadyRegistered,
    EventCancelled,
    EventFull,
    EventStarted,
    ImpossibleStep,
    NotYours,
    RegistrationClosed,
    RegistrationNotOpen,
)
from jointoit.events.registration_queries import visible_detail

Status = Registration.Status
HOUR = timedelta(hours=1)


def seats(event: Event) -> tuple[int, int]:
    event.refresh_from_db()
    return event.seats_taken, event.waiting


def position(registration: Registration) -> int | None:
    """Its place on the waiting list, as its attendee reads it."""
    place = visible_detail(registration.pk, caller=Caller(registration.attendee))["position"]
    assert place is None or isinstance(place, int)
    return place


# ── Asking ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_whoever_asks_while_there_are_seats_is_confirmed_and_told(make_event, make_user, register, mails):
    event, guest = make_event(capacity=2), make_user()

    registration = register(event, guest)

    assert (registration.status, seats(event), mails(guest)) == ("confirmed", (1, 0), ["registration_confirmed"])


def test_without_a_capacity_there_is_always_a_seat(make_event, register):
    event = make_event(capacity=None)

    assert [register(event).status for _ in range(3)] == ["confirmed"] * 3
    assert seats(event) == (3, 0)


def test_the_last_seat_goes_to_the_first_to_ask(make_event, register):
    event = make_event(capacity=1)
    first = register(event)

    with pytest.raises(EventFull):
        register(event)

    assert (first.status, seats(event)) == ("confirmed", (1, 0))


def test_a_full_event_with_a_list_lets_people_wait_in_order(make_event, make_user, register, mails):
    event, late = make_event(capacity=1, waitlist=True), make_user()
    register(event)

    waiting = [register(event), register(event, late)]

    assert [(r.status, r.position, position(r)) for r in waiting] == [("waitlisted", 1, 1), ("waitlisted", 2, 2)]
    assert (seats(event), mails(late)) == ((1, 2), ["registration_waitlisted"])


def test_where_approval_is_required_nobody_has_a_seat_yet(make_event, make_user, register, mails):
    event, guest = make_event(capacity=1, requires_approval=True), make_user()

    registration = register(event, guest)

    assert (registration.status, seats(event), mails(guest)) == ("pending", (0, 0), ["registration_pending"])


def test_asking_twice_takes_one_seat_and_names_the_registration(make_event, make_user, register):
    event, guest = make_event(capacity=5), make_user()
    registration = register(event, guest)

    with pytest.raises(AlreadyRegistered) as refusal:
        register(event, guest)

    assert refusal.value.facts == {"registration": registration.get_absolute_url()}
    assert seats(event) == (1, 0)


def test_whoever_cancelled_may_ask_again(make_event, make_user, register, now):
    event, guest = make_event(capacity=1), make_user()
    first = register(event, guest)
    booking.set_status(registration_id=first.pk, caller=Caller(guest), status=Status.CANCELLED, now=now)

    second = register(event, guest)

    assert (second.status, second.pk == first.pk, seats(event)) == ("confirmed", False, (1, 0))


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"status": "cancelled"}, EventCancelled),
        ({"date": -HOUR}, EventStarted),
        ({"registration_opens_at": HOUR}, RegistrationNotOpen),
        ({"registration_closes_at": -HOUR}, RegistrationClosed),
        ({"status": "draft"}, NotFound),
        ({"deleted_at": -HOUR}, NotFound),
    ],
)
def test_a_closed_door_says_why(make_event, register, now, fields: dict[str, Any], refusal):
    times = {name: now + value if isinstance(value, timedelta) else value for name, value in fields.items()}
    event = make_event(**times)

    with pytest.raises(refusal):
        register(event)

    assert (seats(event), event.registrations.count()) == ((0, 0), 0)


def test_the_door_opens_and_closes_on_the_minute(make_event, register, now):
    event = make_event(registration_opens_at=now, registration_closes_at=now + HOUR)

    with pytest.raises(RegistrationClosed):
        register(event, now=now + HOUR)

    assert register(event, now=now).status == "confirmed"


def test_a_missing_event_is_not_found(make_user, now):
    with pytest.raises(NotFound):
        booking.register(event_id=4711, attendee=make_user(), now=now)


# ── Stepping ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_cancelled_seat_goes_to_the_first_in_the_queue(make_event, register, statuses, now):
    event = make_event(capacity=1, waitlist=True)
    held, first, second = register(event), register(event), register(event)

    booking.set_status(registration_id=held.pk, caller=Caller(held.attendee), status=Status.CANCELLED, now=now)

    assert statuses(held, first, second) == ["cancelled", "confirmed", "waitlisted"]
    assert seats(event) == (1, 1)


def test_a_promotion_is_told_once_to_the_one_who_moved_up(make_event, register, mails, now):
    event = make_event(capacity=1, waitlist=True)
    held, first, second = register(event), register(event), register(event)

    booking.remove(registration_id=held.pk, caller=Caller(event.organizer), now=now)

    assert mails(held.attendee) == ["registration_confirmed", "registration_cancelled_by_organizer"]
    assert mails(first.attendee) == ["registration_waitlisted", "registration_promoted"]
    assert mails(second.attendee) == ["registration_waitlisted"]


def test_leaving_the_queue_moves_the_others_up(make_event, register, now):
    event = make_event(capacity=1, waitlist=True)
    _, leaver, stayer = register(event), register(event), register(event)

    booking.set_status(registration_id=leaver.pk, caller=Caller(leaver.attendee), status=Status.CANCELLED, now=now)

    assert position(stayer) == 1
    assert seats(event) == (1, 1)


def test_the_organizer_approves_a_pending_registration(make_event, register, statuses, mails, now):
    event = make_event(capacity=1, requires_approval=True)
    registration = register(event)

    booking.set_status(
        registration_id=registration.pk, caller=Caller(event.organizer), status=Status.CONFIRMED, now=now
    )

    assert (statuses(registration), seats(event)) == (["confirmed"], (1, 0))
    assert mails(registration.attendee) == ["registration_pending", "registration_confirmed"]


def test_approval_cannot_oversell(make_event, register, statuses, now):
    event = make_event(capacity=1, requires_approval=True)
    first, second = register(event), register(event)
    booking.set_status(registration_id=second.pk, caller=Caller(event.organizer), status=Status.CONFIRMED, now=now)

    with pytest.raises(EventFull):
        booking.set_status(registration_id=first.pk, caller=Caller(event.organizer), status=Status.CONFIRMED, now=now)

    assert (statuses(first, second), seats(event)) == (["pending", "confirmed"], (1, 0))


def test_approved_for_a_full_event_with_a_list_means_waiting(make_event, register, statuses, now):
    event = make_event(capacity=1, requires_approval=True, waitlist=True)
    first, second = register(event), register(event)

    for registration in (first, second):
        booking.set_status(
            registration_id=registration.pk, caller=Caller(event.organizer), status=Status.CONFIRMED, now=now
        )

    assert (statuses(first, second), seats(event)) == (["confirmed", "waitlisted"], (1, 1))


def test_a_declined_request_is_told_as_such(make_event, register, mails, now):
    event = make_event(requires_approval=True)
    registration = register(event)

    booking.set_status(
        registration_id=registration.pk, caller=Caller(event.organizer), status=Status.CANCELLED, now=now
    )

    assert mails(registration.attendee) == ["registration_pending", "registration_declined"]


def test_nobody_approves_themselves(make_event, register, statuses, now):
    registration = register(make_event(requires_approval=True))

    with pytest.raises(NotYours):
        booking.set_status(
            registration_id=registration.pk, caller=Caller(registration.attendee), status=Status.CONFIRMED, now=now
        )

    assert statuses(registration) == ["pending"]


@pytest.mark.parametrize(
    ("start", "step"), [("cancelled", "confirmed"), ("confirmed", "pending"), ("confirmed", "waitlisted")]
)
def test_an_impossible_step_is_refused_to_everybody(make_event, register, statuses, now, start: str, step: str):
    event = make_event()
    registration = register(event)
    booking.set_status(registration_id=registration.pk, caller=Caller(event.organizer), status=start, now=now)

    for actor in (event.organizer, registration.attendee):
        with pytest.raises(ImpossibleStep):
            booking.set_status(registration_id=registration.pk, caller=Caller(actor), status=step, now=now)

    assert statuses(registration) == [start]


def test_the_organizer_cannot_let_somebody_jump_the_queue(make_event, register, now):
    event = make_event(capacity=1, waitlist=True)
    register(event)
    waiting = register(event)

    with pytest.raises(ImpossibleStep):
        booking.set_status(registration_id=waiting.pk, caller=Caller(event.organizer), status=Status.CONFIRMED, now=now)


def test_cancelling_twice_is_cancelling_once(make_event, register, mails, now):
    registration = register(make_event())

    for _ in range(2):
        booking.set_status(
            registration_id=registration.pk, caller=Caller(registration.attendee), status=Status.CANCELLED, now=now
        )

    assert mails(registration.attendee) == ["registration_confirmed", "registration_cancelled_by_attendee"]


def test_a_stranger_does_not_learn_that_a_registration_exists(make_event, make_user, register, now):
    registration = register(make_event())

    for verb in (booking.remove, lambda **kwargs: booking.set_status(status=Status.CANCELLED, **kwargs)):
        with pytest.raises(NotFound):
            verb(registration_id=registration.pk, caller=Caller(make_user()), now=now)


def test_an_attendee_cannot_remove_but_cancel(make_event, register, statuses, now):
    registration = register(make_event())

    with pytest.raises(NotYours):
        booking.remove(registration_id=registration.pk, caller=Caller(registration.attendee), now=now)

    assert statuses(registration) == ["confirmed"]


def test_a_closed_account_frees_its_seats(make_event, make_user, register, statuses, now):
    guest, event = make_user(), make_event(capacity=1, waitlist=True)
    held, next_one = register(event, guest), register(event)

    booking.leave_all(attendee=guest, now=now)

    assert (statuses(held, next_one), seats(event)) == (["cancelled", "confirmed"], (1, 0))


def test_nobody_is_brought_in_once_the_event_has_begun(make_event, register, statuses, now):
    event = make_event(capacity=1, waitlist=True)
    held, waiting = register(event), register(event)

    booking.remove(registration_id=held.pk, caller=Caller(event.organizer), now=event.date)

    assert statuses(held, waiting) == ["cancelled", "waitlisted"]


def prepared() -> tuple[int, int]:
    """How many statements this connection has prepared, and how often it has run them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), sum(generic_plans + custom_plans) FROM pg_prepared_statements")
        statements, runs = cursor.fetchone()
    return statements, runs


def test_asking_for_a_seat_runs_two_statements_that_are_prepared_already(make_event, register):
    event = make_event()
    register(event)
    statements, runs = prepared()

    register(event)

    assert prepared() == (statements, runs + 2)
