"""Who has a seat and who is next: the only writer of registrations and of the seat counters.

Every verb is one short transaction that first holds the event row (`FOR NO KEY UPDATE`, which lets foreign keys to the
event be inserted meanwhile), so steps on one event happen one after the other and steps on different events side by
side. The locks are always taken in the order event, registration, outbox. The counters' CHECK constraint and the unique
index on live registrations stand behind it as the last wall.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import F

from jointoit.accounts.models import User
from jointoit.errors import Conflict, Forbidden, NotFound
from jointoit.events import telling
from jointoit.events.models import Event, Registration
from jointoit.mail import messages

Status = Registration.Status
Precondition = Callable[[Registration], None]


class AlreadyRegistered(Conflict):
    code = "already_registered"
    message = "You are registered for this event."


class EventFull(Conflict):
    code = "event_full"
    message = "Every seat of this event is taken."


class EventCancelled(Conflict):
    code = "event_cancelled"
    message = "This event is cancelled."


class EventStarted(Conflict):
    code = "event_started"
    message = "This event has begun."


class RegistrationNotOpen(Conflict):
    code = "registration_not_open"
    message = "Registration for this event has not opened yet."


class RegistrationClosed(Conflict):
    code = "registration_closed"
    message = "Registration for this event is closed."


class ImpossibleStep(Conflict):
    code = "impossible_step"
    message = "The registration cannot take this step from the status it has."


class NotYours(Forbidden):
    code = "not_yours_to_decide"
    message = "This step belongs to the organizer."


def register(*, event_id: int, attendee: User, now: datetime) -> Registration:
    """Ask for a seat; whoever asks first gets it.

    The answer is confirmed, pending where the organizer approves, or waitlisted where the event is full and keeps a
    list. The mail about it is promised in the same transaction.

    Raises NotFound, AlreadyRegistered, EventCancelled, EventStarted, RegistrationNotOpen, RegistrationClosed and
    EventFull.
    """
    refuse_without_lock(event_id=event_id, attendee=attendee, now=now)
    with transaction.atomic():
        event = hold(event_id)
        refuse(event, attendee=attendee, now=now)
        registration = Registration(event=event, attendee=attendee, registered_at=now, updated_at=now)
        if event.requires_approval:
            registration.status = Status.PENDING
        else:
            seat_or_queue(event, registration)
        registration.save(force_insert=True)
        event.save(update_fields=["seats_taken", "waiting", "queue_tail"])
        tell_where_they_stand(registration)
    return registration


def refuse_without_lock(*, event_id: int, attendee: User, now: datetime) -> None:
    """Turn away who has no chance without making anybody wait for the event row."""
    event = Event.objects.visible_to(attendee).filter(pk=event_id).first()
    if event is None:
        raise NotFound
    refuse(event, attendee=attendee, now=now)


def refuse(event: Event, *, attendee: User, now: datetime) -> None:
    """Raise what stands against a new registration of `attendee`, the most telling reason first."""
    if event.deleted_at:
        raise NotFound
    if existing := event.registrations.live().filter(attendee=attendee).first():
        raise AlreadyRegistered(registration=existing.get_absolute_url())
    if event.status == Event.Status.CANCELLED:
        raise EventCancelled
    if event.has_started(now):
        raise EventStarted
    if event.status == Event.Status.DRAFT or (event.registration_opens_at and now < event.registration_opens_at):
        raise RegistrationNotOpen
    if event.registration_closes_at and now >= event.registration_closes_at:
        raise RegistrationClosed
    if event.is_full and not event.waitlist and not event.requires_approval:
        raise EventFull


def set_status(
    *, registration_id: int, actor: User, status: str | None, now: datetime, precondition: Precondition | None = None
) -> None:
    """Take the step to `status` in the name of `actor`; to None or to where it already is, nothing happens.

    The organizer confirms a pending registration and cancels any live one; the attendee cancels their own. Confirming
    where every seat is taken puts the registration on the waiting list, if the event keeps one.

    Raises NotFound, NotYours for a step that is only the organizer's, ImpossibleStep for one that nobody can take,
    EventFull, and what `precondition` raises when it is given the registration as it is once the event is held.
    """
    with transaction.atomic():
        registration = hold_registration(registration_id, actor)
        if precondition:
            precondition(registration)
        if status in (None, registration.status):
            return
        if status == Status.CANCELLED:
            by_organizer = registration.event.is_managed_by(actor)
            free(registration, now=now, told=cancellation(registration, by_organizer=by_organizer))
        elif status == Status.CONFIRMED and registration.status == Status.PENDING:
            if not registration.event.is_managed_by(actor):
                raise NotYours
            approve(registration, now=now)
        else:
            raise ImpossibleStep


def remove(*, registration_id: int, actor: User, now: datetime, precondition: Precondition | None = None) -> None:
    """Cancel in the organizer's name; the row stays readable. Raises NotFound, NotYours."""
    with transaction.atomic():
        registration = hold_registration(registration_id, actor)
        if not registration.event.is_managed_by(actor):
            raise NotYours
        if precondition:
            precondition(registration)
        if registration.status != Status.CANCELLED:
            free(registration, now=now, told=cancellation(registration, by_organizer=True))


def fill(event: Event, *, now: datetime) -> None:
    """Hand free seats to those who wait, in the order of asking; the caller holds the event.

    Once an event has begun nobody is brought in any more: the mail would come too late.
    """
    if not event.is_live or event.has_started(now):
        return
    free_seats = event.waiting if event.seats_left is None else min(event.seats_left, event.waiting)
    queue = event.registrations.filter(status=Status.WAITLISTED).order_by("queue_number")[:free_seats]
    promoted = list(queue.select_related("attendee"))
    if not promoted:
        return
    pks = [registration.pk for registration in promoted]
    Registration.objects.filter(pk__in=pks).update(
        status=Status.CONFIRMED, queue_number=None, updated_at=now, revision=F("revision") + 1
    )
    for registration in promoted:
        registration.event, registration.status = event, Status.CONFIRMED
        registration.revision += 1
    event.seats_taken += len(promoted)
    event.waiting -= len(promoted)
    event.save(update_fields=["seats_taken", "waiting"])
    telling.tell_all(messages.RegistrationPromoted, promoted)


def cancel_all(event: Event, *, now: datetime) -> None:
    """Cancel every live registration of an event that will not take place, telling each.

    The caller holds the event and has raised its revision, which makes these mails the newest for every calendar.
    """
    telling.tell_all(messages.EventCancelled, live_attendees(event))
    event.registrations.live().update(
        status=Status.CANCELLED, queue_number=None, updated_at=now, revision=F("revision") + 1
    )
    event.seats_taken = event.waiting = 0
    event.save(update_fields=["seats_taken", "waiting"])


def leave_all(*, attendee: User, now: datetime) -> None:
    """Free everything a person holds whose account goes away; those who wait move up."""
    held = Registration.objects.live().filter(attendee=attendee)
    for event_id, pk in held.order_by("event_id").values_list("event_id", "pk"):
        with transaction.atomic():
            event = hold(event_id)
            registration = event.registrations.live().filter(pk=pk).select_related("attendee").first()
            if registration:
                registration.event = event
                free(registration, now=now, told=None)


# ── Steps inside a transaction that holds the event ───────────────────────────────────────────────────────────────────


def hold(event_id: int) -> Event:
    """Lock the event row until the transaction ends; deleted events are held as well. Raises NotFound."""
    try:
        return Event.objects.select_for_update(no_key=True).get(pk=event_id)
    except Event.DoesNotExist:
        raise NotFound from None


def hold_registration(registration_id: int, actor: User) -> Registration:
    """Return the registration as it is once its event is held. Raises NotFound where `actor` may not see it."""
    event_id = Registration.objects.visible_to(actor).filter(pk=registration_id).values_list("event_id", flat=True)
    if not event_id:
        raise NotFound
    event = hold(event_id[0])
    registration = Registration.objects.select_related("attendee").get(pk=registration_id)
    registration.event = event
    return registration


def seat_or_queue(event: Event, registration: Registration) -> None:
    """Give the last step of asking: a seat where one is free, else the end of the waiting list. Raises EventFull."""
    if not event.is_full:
        registration.status = Status.CONFIRMED
        event.seats_taken += 1
    elif event.waitlist:
        registration.status = Status.WAITLISTED
        event.waiting += 1
        event.queue_tail += 1
        registration.queue_number = event.queue_tail
    else:
        raise EventFull


def approve(registration: Registration, *, now: datetime) -> None:
    event = registration.event
    seat_or_queue(event, registration)
    save_step(registration, now=now)
    event.save(update_fields=["seats_taken", "waiting", "queue_tail"])
    tell_where_they_stand(registration)


def tell_where_they_stand(registration: Registration) -> None:
    if registration.status == Status.PENDING:
        telling.tell(messages.RegistrationPending, registration)
    elif registration.status == Status.CONFIRMED:
        telling.tell(messages.RegistrationConfirmed, registration)
    else:
        telling.tell(messages.RegistrationWaitlisted, registration, position=registration.event.waiting)


def free(registration: Registration, *, now: datetime, told: type[messages.SeatMessage] | None) -> None:
    """Cancel a live registration, tell its person, and hand the seat on in the same transaction."""
    event = registration.event
    held_seat = registration.status == Status.CONFIRMED
    event.seats_taken -= held_seat
    event.waiting -= registration.status == Status.WAITLISTED
    registration.status, registration.queue_number = Status.CANCELLED, None
    save_step(registration, now=now)
    event.save(update_fields=["seats_taken", "waiting"])
    if told:
        telling.tell_of_end(told, registration, held_seat=held_seat)
    fill(event, now=now)


def save_step(registration: Registration, *, now: datetime) -> None:
    registration.revision += 1
    registration.updated_at = now
    registration.save(update_fields=["status", "queue_number", "revision", "updated_at"])


def cancellation(registration: Registration, *, by_organizer: bool) -> type[messages.SeatMessage]:
    """Which mail tells of a cancellation; for one's own event, one is told as an attendee."""
    if not by_organizer or registration.attendee_id == registration.event.organizer_id:
        return messages.RegistrationCancelledByAttendee
    if registration.status == Status.PENDING:
        return messages.RegistrationDeclined
    return messages.RegistrationCancelledByOrganizer


def live_attendees(event: Event) -> Iterable[Registration]:
    """Everybody to be told of news about the event, with their accounts, a few at a time."""
    for registration in event.registrations.live().select_related("attendee").order_by("pk").iterator(chunk_size=1000):
        registration.event = event
        yield registration
