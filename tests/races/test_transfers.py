"""A seat on its way to a friend: whoever comes at the same moment, it is one seat and one person's."""

from collections import Counter
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from jointoit.accounts.callers import SERVICE, Caller
from jointoit.checkin import door
from jointoit.events import booking, questions, roles, seating
from jointoit.events.invariants import violations
from jointoit.events.models import Event, Question, Registration
from jointoit.journal.models import Fact
from jointoit.organizing import transfers
from jointoit.organizing.models import Transfer
from tests.checkin.conftest import shown
from tests.races.conftest import SCALE

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 6 * SCALE


def test_a_transfer_and_a_cancellation_and_two_accepts_leave_one_seat(make_event, make_user, register, race, now):
    outcomes: Counter[str] = Counter()
    for number in range(ROUNDS):
        event = make_event(capacity=1, waitlist=True, allow_transfers=True)
        held, waiting = register(event), register(event)
        friend = make_user(email=f"friend{number}@example.net", email_verified=True)
        offer = {"caller": Caller(held.attendee), "registration_id": held.pk, "email": friend.email, "now": now}
        transfer = transfers.offer(**offer)
        accept = partial(transfers.accept, user=friend, transfer_id=transfer.pk, now=now)
        cancel = partial(
            booking.set_status, registration_id=held.pk, caller=Caller(held.attendee), status="cancelled", now=now
        )

        first, second, _ = race([accept, accept, cancel])

        live = Registration.objects.live().filter(event=event, status="confirmed")
        moved = isinstance(first, Registration) or isinstance(second, Registration)
        outcomes["moved" if moved else "promoted"] += 1
        assert [each.attendee_id for each in live] == [friend.pk if moved else waiting.attendee_id]
        assert Event.objects.get(pk=event.pk).seats_taken == 1
        assert [scanned(held, event), scanned(live.get(), event)] == ["cancelled", None]
    assert list(violations(now=now)) == []
    assert Transfer.objects.filter(settled_at=None).count() == outcomes["promoted"]


def scanned(registration: Registration, event: Event) -> str | None:
    """What stands against the first ticket of a registration, once the door is open."""
    row, _ = door.admit(
        caller=Caller(event.organizer), event_id=event.pk, scan=shown(registration), now=event.date, dry_run=True
    )
    reason: str | None = row["reason"]
    return reason


def test_without_the_lock_both_accepts_would_take_the_seat(make_event, make_user, register, race, now):
    """The control: what is held by nobody is taken twice, and only the wall in the database says no."""
    event = make_event(capacity=1, allow_transfers=True)
    held = register(event)
    friend = make_user(email="friend@example.net", email_verified=True)
    given = Registration.objects.select_related("attendee", "event").get(pk=held.pk)

    def accept() -> Any:
        with transaction.atomic():
            return transfers.move(given, friend, now=now)

    with pytest.raises(IntegrityError, match="registration_one_live_per_person"):
        race([accept, accept])


def test_nobody_is_registered_without_the_answer_to_a_question_that_was_just_added(make_event, make_user, race, now):
    for _ in range(ROUNDS):
        event = make_event()
        fields = {"label": "Food?", "type": "text", "required": True}
        ask = partial(questions.add, caller=SERVICE, event_id=event.pk, fields=fields, now=now)
        register = [partial(booking.register, event_id=event.pk, attendee=make_user(), now=now) for _ in range(4)]

        race([*register, ask])

        assert registered_after_the_question(event) == 0


def test_without_the_revision_a_look_from_before_the_question_would_do(make_event, make_user, now):
    """The control: a question that changes nothing that the claim looks at is passed by."""
    fields = {"label": "Food?", "type": "text", "required": True}

    def claim(add: Any) -> bool:
        event = make_event()
        seen = booking.candidate(event_id=event.pk, attendee=make_user(), now=now)
        add(event)
        return seating.claim_seat(seen, booking.promise_of_status(seen), actor=roles.attendee(seen.attendee))

    def ask_without_a_revision(event: Event) -> None:
        Question.objects.create(event=event, position=1, **fields)
        Event.objects.filter(pk=event.pk).update(question_count=1)

    def ask(event: Event) -> None:
        questions.add(caller=SERVICE, event_id=event.pk, fields=fields, now=now)

    assert [claim(ask_without_a_revision), claim(ask)] == [True, False]


def registered_after_the_question(event: Event) -> int:
    """By the order of the facts, which is that in which the event was held."""
    asked = Fact.objects.get(type="event.question_asked", event_id=event.pk)
    return Fact.objects.filter(event_id=event.pk, type="registration.confirmed", id__gt=asked.pk).count()
