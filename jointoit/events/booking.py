"""Who has a seat and who is next: the only writer of registrations and of the seat counters.

Asking is a look without a lock and one statement that takes the seat if nothing moved since (`seating`). Every other
verb is one short transaction that first holds the event row (`FOR NO KEY UPDATE`, which lets foreign keys to the
event be inserted meanwhile), so steps on one event happen one after the other and steps on different events side by
side. The locks are always taken in the order event, registration, outbox. The counters' CHECK constraint and the unique
index on live registrations are the last line of defence.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from jointoit.accounts.callers import Caller, ScopeMissing
from jointoit.accounts.models import ApiKey, User
from jointoit.accounts.tokens import DeadToken
from jointoit.errors import ManyInvalid, NotFound
from jointoit.events import answers, notifications, roles, seating
from jointoit.events.models import Event, Registration
from jointoit.events.refusals import (
    AlreadyRegistered,
    Busy,
    EmailNotVerified,
    EventCancelled,
    EventFull,
    EventOver,
    EventStarted,
    ImpossibleStep,
    NotYours,
    RegistrationClosed,
    RegistrationNotOpen,
    TooLateToCancel,
)
from jointoit.journal import writer as journal
from jointoit.journal.writer import Actor
from jointoit.mail import messages, outbox

Status = Registration.Status
LOOKS: Final = 10  # how often one request looks again at an event that changes under its hands
Precondition = Callable[[Registration], None]


def register(
    *,
    event_id: int,
    attendee: User,
    now: datetime,
    key: ApiKey | None = None,
    answered: Mapping[str, Any] | None = None,
) -> Registration:
    """Ask for a seat; whoever asks first gets it. `key` is that of the attendee's through which it is asked.

    `answered` are the answers to the event's questions, by the ids of the questions.

    The answer is confirmed, pending where the organizer approves, or waitlisted where the event is full and keeps a
    list. The mail about it is promised in the same transaction.

    Raises ScopeMissing for a key that is not for the event, DeadToken for an account that is closed, NotFound,
    AlreadyRegistered, EventCancelled, EventOver, EventStarted, RegistrationNotOpen, RegistrationClosed,
    EmailNotVerified, EventFull, ManyInvalid for answers, QuestionsChanged where one was added meanwhile, and Busy where
    the event never stood still.
    """
    if not Caller(attendee, key).reaches(event_id):
        raise ScopeMissing
    actor = roles.attendee(attendee, key)
    for look in range(LOOKS):
        registration = candidate(event_id=event_id, attendee=attendee, now=now)
        if answered or registration.event.question_count:
            give_answers(registration, answered or {}, again=look > 0)
        if seating.claim_seat(registration, promise_of_status(registration), actor=actor):
            outbox.notify_on_commit()
            return registration
    raise Busy


def give_answers(registration: Registration, answered: Mapping[str, Any], *, again: bool) -> None:
    """Raises ManyInvalid; where the same answers were good a moment ago, QuestionsChanged."""
    try:
        registration.answers = answers.checked(answers.asked(registration.event), answered)
    except ManyInvalid:
        if again:
            raise answers.QuestionsChanged from None
        raise


def candidate(*, event_id: int, attendee: User, now: datetime) -> Registration:
    """The registration as it would be, by what holds at this moment. Raises what `register` raises."""
    seen = seating.load_candidate(event_id=event_id, attendee=attendee)
    if seen is None:
        raise DeadToken
    registration, live = seen
    if not roles.sees(Caller(attendee), registration.event):
        raise NotFound
    if live:
        raise AlreadyRegistered(registration=Registration(pk=live).get_absolute_url())
    refuse(registration.event, now=now)
    if registration.event.verified_only and not registration.attendee.email_verified:
        raise EmailNotVerified(resend=f"{settings.PUBLIC_URL}{reverse('verify-email-resend')}")
    registration.status = first_status(registration.event)
    registration.has_event_uid = registration.status == Status.CONFIRMED
    registration.registered_at = registration.updated_at = now
    return registration


def refuse(event: Event, *, now: datetime) -> None:
    """Raise what stands against a new registration, the most telling reason first."""
    if event.status == Event.Status.CANCELLED:
        raise EventCancelled
    if event.is_over(now):
        raise EventOver
    if event.has_started(now) and event.registration_ends_at <= event.date:
        raise EventStarted
    if event.status == Event.Status.DRAFT or (event.registration_opens_at and now < event.registration_opens_at):
        raise RegistrationNotOpen
    if now >= event.registration_ends_at:
        raise RegistrationClosed


def first_status(event: Event) -> Status:
    """Where somebody who asks now would stand. Raises EventFull."""
    return Status.PENDING if event.requires_approval else seat_or_queue(event)


def set_status(
    *,
    registration_id: int,
    caller: Caller,
    status: str | None,
    now: datetime,
    precondition: Precondition | None = None,
    answered: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Take the step to `status`; to None or to where it already is, nothing happens.

    With `answered` the attendee changes answers as well. `reason` is what a manager who declines or cancels tells.

    Who manages the event confirms a pending registration and cancels any live one; the attendee cancels their own.
    Confirming where every seat is taken puts the registration on the waiting list, if the event keeps one.

    Raises NotFound, NotYours for a step that is only a manager's, ImpossibleStep for one that nobody can take,
    EventOver, EventFull, TooLateToCancel, EventStarted and ManyInvalid for answers, and what `precondition` raises when
    it is given the registration as it is once the event is held.
    """
    with transaction.atomic():
        registration, manager = lock_registration(registration_id, caller)
        if precondition:
            precondition(registration)
        if answered:
            change_answers(registration, caller, answered, now=now)
        if status in (None, registration.status):
            return
        if status == Status.CANCELLED:
            cancel(registration, caller, manager, now=now, reason=reason)
        elif status == Status.CONFIRMED and registration.status == Status.PENDING:
            if manager is None:
                raise NotYours
            approve(registration, actor=manager, now=now)
        else:
            raise ImpossibleStep


def remove(*, registration_id: int, caller: Caller, now: datetime, precondition: Precondition | None = None) -> None:
    """Cancel in the organizer's name; the row stays readable. Raises NotFound, NotYours, EventOver."""
    with transaction.atomic():
        registration, manager = lock_registration(registration_id, caller)
        if manager is None:
            raise NotYours(
                "Only who manages the event deletes a registration; to give up your own, PATCH its status to cancelled."
            )
        if precondition:
            precondition(registration)
        if registration.status != Status.CANCELLED:
            cancel(registration, caller, manager, now=now)


def promote_waitlist(event: Event, *, now: datetime) -> None:
    """Hand free seats to those who wait, in the order of asking; the caller holds the event.

    Where nothing needs approval (any more), those who are pending still come next, before anybody who asks later.
    Once an event has begun and takes nobody, nobody is brought in any more: the mail would come too late.
    """
    if not event.is_live or now >= event.promotes_until:
        return
    seats = event.waiting if event.seats_left is None else min(event.seats_left, event.waiting)
    for promoted in seating.promote(event, seats, now=now):
        notifications.notify_all(messages.RegistrationPromoted, promoted, event=event)
        event.seats_taken += len(promoted)
        event.waiting -= len(promoted)
    if seats:
        event.save(update_fields=["seats_taken", "waiting"])
    if not event.requires_approval:
        decide_pending(event, now=now)


def decide_pending(event: Event, *, now: datetime) -> None:
    """Give those who asked for approval a seat or a place in the queue, in the order of asking, while there are any."""
    if event.is_full and not event.waitlist:
        return
    for registration in event.registrations.filter(status=Status.PENDING).select_related("attendee").order_by("pk"):
        if event.is_full and not event.waitlist:
            return
        registration.event = event
        approve(registration, actor=journal.SYSTEM, now=now)


def cancel_all(event: Event, *, actor: Actor, now: datetime, reason: str = "") -> None:
    """Cancel every live registration of an event that will not take place, and tell each person, with the reason.

    The caller holds the event and has raised its revision, which makes these mails the newest for every calendar.
    """
    notifications.withdraw_requests(event)
    notifications.notify_all(messages.EventCancelled, seating.live_attendees(event), event=event, reason=reason)
    seating.cancel_all(event, actor=actor, now=now)
    event.seats_taken = event.waiting = 0
    event.save(update_fields=["seats_taken", "waiting"])


def reissue_ticket(registration: Registration, *, actor: Actor, now: datetime) -> None:
    """Replace the ticket of a confirmed registration whose event the caller holds; the earlier one is void at once.

    The mail with the new one takes the place of those with the old one that still wait.
    """
    before = registration.ticket_issue
    registration.ticket_issue += 1
    registration.revision += 1
    registration.updated_at = now
    registration.save(update_fields=["ticket_issue", "revision", "updated_at"])
    journal.record([
        journal.fact(
            "ticket.reissued", actor=actor, at=now, event_id=registration.event_id, registration_id=registration.pk,
            before={"issue": before}, after={"issue": registration.ticket_issue},
        )
    ])  # fmt: skip
    for kind in (messages.RegistrationConfirmed, messages.RegistrationPromoted, messages.TicketReissued):
        outbox.supersede(notifications.about(registration.pk), kind=kind)
    notifications.notify(messages.TicketReissued, registration)


def leave_all(*, attendee: User, now: datetime) -> None:
    """Free everything a person holds whose account goes away; those who wait move up."""
    held = Registration.objects.live().filter(attendee=attendee)
    for event_id, pk in held.order_by("event_id").values_list("event_id", "pk"):
        with transaction.atomic():
            event = lock(event_id)
            registration = event.registrations.live().filter(pk=pk).select_related("attendee").first()
            if registration:
                registration.event = event
                release_seat(registration, actor=roles.attendee(attendee), now=now, notice=None)


def forget_answers(attendee: User) -> None:
    """Erase what somebody answered whose account goes away, whatever became of the registrations."""
    Registration.objects.filter(attendee=attendee).update(answers={})


# ── Steps inside a transaction that holds the event ───────────────────────────────────────────────────────────────────


def lock(event_id: int) -> Event:
    """Lock the event row until the transaction ends; deleted events are held as well. Raises NotFound."""
    try:
        return Event.objects.select_for_update(no_key=True).get(pk=event_id)
    except Event.DoesNotExist:
        raise NotFound from None


def lock_seen(event_id: int, caller: Caller) -> Event:
    """As `lock`. Raises NotFound where the event does not exist for the caller."""
    event = lock(event_id)
    if not roles.sees(caller, event):
        raise NotFound
    return event


def lock_all_of(person: User) -> None:
    """Lock every event that the person organizes or is registered for, in the order of their ids."""
    theirs = Q(organizer=person) | Exists(Registration.objects.live().filter(event=OuterRef("pk"), attendee=person))
    list(Event.objects.filter(theirs).order_by("pk").select_for_update(no_key=True).values_list("pk"))


def lock_registration(registration_id: int, caller: Caller) -> tuple[Registration, Actor | None]:
    """Return the registration as it is once its event is held, and who manages the event, if the caller does.

    Raises NotFound for everybody but its attendee and who manages the event.
    """
    seen = Registration.objects.select_related("event").filter(pk=registration_id).first()
    if seen is None or not (roles.is_own(seen, caller) or roles.manager(caller, seen.event)):
        raise NotFound  # before anything is held: a stranger holds up nobody
    event = lock(seen.event_id)
    registration = Registration.objects.select_related("attendee").get(pk=registration_id)
    registration.event = event
    manager = roles.manager(caller, event, hold=True)
    if manager is None and not roles.is_own(registration, caller):
        raise NotFound
    return registration, manager


def change_answers(registration: Registration, caller: Caller, answered: Mapping[str, Any], *, now: datetime) -> None:
    """As the attendee, until the event starts."""
    if not roles.is_own(registration, caller):
        raise NotYours("Only the attendee answers the questions of an event.")
    if registration.event.has_started(now):
        raise EventStarted
    asked = answers.asked(registration.event)
    registration.answers = answers.checked(asked, answered, present=registration.answers)
    registration.revision += 1
    registration.updated_at = now
    registration.save(update_fields=["answers", "revision", "updated_at"])


def cancel(
    registration: Registration, caller: Caller, manager: Actor | None, *, now: datetime, reason: str = ""
) -> None:
    """Cancel as the attendee, whose own it is, or as who manages the event. Raises EventOver, TooLateToCancel."""
    if registration.event.is_over(now):
        raise EventOver
    if manager is None and registration.event.cancel_until and now >= registration.event.cancel_until:
        raise TooLateToCancel
    if manager is None or roles.is_own(registration, caller):
        actor = roles.attendee(registration.attendee, caller.key)
        release_seat(registration, actor=actor, now=now, notice=messages.RegistrationCancelledByAttendee)
    elif registration.status == Status.PENDING:
        release_seat(registration, actor=manager, now=now, notice=messages.RegistrationDeclined, reason=reason)
    else:
        notice = messages.RegistrationCancelledByOrganizer
        release_seat(registration, actor=manager, now=now, notice=notice, reason=reason)


def seat_or_queue(event: Event) -> Status:
    """Give the last step of asking: a seat where one is free, else the end of the waiting list. Raises EventFull."""
    if not event.is_full:
        return Status.CONFIRMED
    if event.waitlist:
        return Status.WAITLISTED
    raise EventFull


def approve(registration: Registration, *, actor: Actor, now: datetime) -> None:
    """Give a pending registration a seat or a place in the queue. Raises EventOver, EventFull."""
    event, before = registration.event, registration.status
    if event.is_over(now):
        raise EventOver
    registration.status = seat_or_queue(event)
    if registration.status == Status.CONFIRMED:
        event.seats_taken += 1
        registration.has_event_uid = True
    else:
        event.waiting += 1
        event.queue_tail += 1
        registration.queue_number = event.queue_tail
    save_step(registration, f"registration.{registration.status}", before=before, actor=actor, now=now)
    event.save(update_fields=["seats_taken", "waiting", "queue_tail"])
    notifications.withdraw_request(registration)
    kind, facts = notice_of_status(registration)
    notifications.notify(kind, registration, **facts)


def promise_of_status(registration: Registration) -> outbox.Promise:
    kind, facts = notice_of_status(registration)
    return notifications.promise(kind, registration, **facts)


def notice_of_status(registration: Registration) -> tuple[type[messages.SeatMessage], dict[str, Any]]:
    """Which mail says where a registration stands; the statement that takes the place writes its true position."""
    if registration.status == Status.PENDING:
        return messages.RegistrationPending, {}
    if registration.status == Status.CONFIRMED:
        return messages.RegistrationConfirmed, {}
    return messages.RegistrationWaitlisted, {"position": registration.event.waiting}


def release_seat(
    registration: Registration,
    *,
    actor: Actor,
    now: datetime,
    notice: type[messages.SeatMessage] | None,
    **told: str,
) -> None:
    """Cancel a live registration, tell its person, and hand the seat on in the same transaction."""
    event, before = registration.event, registration.status
    held_seat = before == Status.CONFIRMED
    event.seats_taken -= held_seat
    event.waiting -= before == Status.WAITLISTED
    registration.status, registration.queue_number = Status.CANCELLED, None
    kind = "registration.declined" if notice is messages.RegistrationDeclined else "registration.cancelled"
    save_step(registration, kind, before=before, actor=actor, now=now)
    event.save(update_fields=["seats_taken", "waiting"])
    if before == Status.PENDING:
        notifications.withdraw_request(registration)
    if notice:
        notifications.notify_of_end(notice, registration, held_seat=held_seat, **told)
    promote_waitlist(event, now=now)


def save_step(registration: Registration, kind: str, *, before: str, actor: Actor, now: datetime) -> None:
    """Write the row and the fact of a step from the status `before`."""
    registration.revision += 1
    registration.updated_at = now
    registration.save(update_fields=["status", "queue_number", "revision", "updated_at", "has_event_uid"])
    journal.record([
        journal.fact(
            kind, actor=actor, at=now, event_id=registration.event_id, registration_id=registration.pk,
            before={"status": before}, after={"status": registration.status},
        )
    ])  # fmt: skip
