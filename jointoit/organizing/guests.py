"""People whom the organizer brings in: those who phoned, and those who stand at the door."""

from datetime import datetime
from typing import Any

from django.db import transaction

from jointoit.accounts import names, signup
from jointoit.accounts.callers import Caller
from jointoit.accounts.models import User
from jointoit.events import answers, booking, notifications, scheduling
from jointoit.events.models import Event, Registration
from jointoit.events.refusals import AlreadyRegistered, EventCancelled, EventFull, EventOver
from jointoit.journal import writer as journal
from jointoit.mail import outbox
from jointoit.mail.messages import RegistrationAdded

Status = Registration.Status


def add(
    *,
    caller: Caller,
    event_id: int,
    email: str,
    now: datetime,
    first_name: str = "",
    last_name: str = "",
    status: str | None = None,
    answered: dict[str, Any] | None = None,
) -> Registration:
    """Register somebody by their address, also where registration is closed, but never beyond the capacity.

    Where nobody has the address an account without a password is made; a reset gives it one. The mail says who did it.

    Raises NotFound, NotYourEvent, EventCancelled, EventOver, EventFull, AlreadyRegistered, ManyInvalid.
    """
    with transaction.atomic():
        names.refuse_links(User(), first_name=first_name, last_name=last_name)
        person = signup.guest(email, first_name=first_name, last_name=last_name)
        event, actor = scheduling.lock(event_id, caller, None)
        refuse(event, now=now)
        live = Registration.objects.live().filter(event=event, attendee=person).first()
        if live:
            raise AlreadyRegistered("This person is registered for the event.", registration=live.get_absolute_url())
        kept = answers.checked(answers.asked(event), answered or {})
        registration = Registration(
            event=event, attendee=person, status=standing(event, status), answers=kept,
            registered_at=now, updated_at=now,
        )  # fmt: skip
        seat(registration, now=now)
        journal.record([
            journal.fact(
                "registration.added", actor=actor, at=now, event_id=event.pk, registration_id=registration.pk,
                after={"status": registration.status},
            )
        ])  # fmt: skip
        by = caller.user.get_full_name() if caller.user else ""
        position = event.waiting if registration.status == Status.WAITLISTED else None
        notifications.notify(RegistrationAdded, registration, by=by, position=position)
        outbox.forget_about(notifications.key(RegistrationAdded, registration))  # it names who did it
    return registration


def refuse(event: Event, *, now: datetime) -> None:
    if event.status == Event.Status.CANCELLED:
        raise EventCancelled
    if event.is_over(now):
        raise EventOver


def standing(event: Event, status: str | None) -> str:
    """Where the person stands: as asked, or in a seat, or at the end of the waiting list. Raises EventFull."""
    possible = booking.seat_or_queue(event)
    if status == Status.CONFIRMED and possible != Status.CONFIRMED:
        raise EventFull
    return Status.PENDING if status == Status.PENDING else possible


def seat(registration: Registration, *, now: datetime) -> None:
    event = registration.event
    registration.has_event_uid = registration.status == Status.CONFIRMED
    event.seats_taken += registration.has_event_uid
    if registration.status == Status.WAITLISTED:
        event.waiting += 1
        event.queue_tail += 1
        registration.queue_number = event.queue_tail
        registration.position = event.waiting
    registration.save(force_insert=True)
    event.save(update_fields=["seats_taken", "waiting", "queue_tail"])
