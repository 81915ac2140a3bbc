"""The life of an event: created, published, changed, cancelled, deleted. Seats are `jointoit.events.booking`'s."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from jointoit.accounts.callers import Caller, ScopeMissing
from jointoit.accounts.models import User
from jointoit.accounts.tokens import DeadToken
from jointoit.errors import Conflict, Invalid
from jointoit.events import booking, facts, notifications, reminders, roles, seating
from jointoit.events.models import Event
from jointoit.events.refusals import EventCancelled, EventHidden, EventOver, EventStarted, NotYourEvent, TooManyEvents
from jointoit.journal.writer import SYSTEM, Actor
from jointoit.mail.messages import EventChanged

Status = Event.Status
Precondition = Callable[[Event], None]

#: A change of one of these is told to everybody who is registered.
TOLD = ("date", "ends_at", "location", "timezone")


class InThePast(Invalid):
    code = "in_the_past"
    message = "An event must start in the future."
    remedy = "Send a `date` in the future, with its offset or `Z`."
    shown_field = "date"


class EndsBeforeItStarts(Invalid):
    code = "ends_before_start"
    message = "An event must end after it starts."
    remedy = "Send an `ends_at` after `date`; look at the offsets of both."
    shown_field = "ends_at"


class ClosesBeforeItOpens(Invalid):
    code = "closes_before_opening"
    message = "Registration must open before it closes; without a time to close, before the event starts."
    remedy = "Send times in their order, with their offsets."
    shown_field = "registration_closes_at"


class DoorClosesBeforeItOpens(ClosesBeforeItOpens):
    message = "Check-in must open before it closes."


class CapacityBelowConfirmed(Conflict):
    code = "capacity_below_confirmed"
    shown = {"seats_taken": 41}
    message = "More people are confirmed than that; cancel some of them first."
    remedy = "Choose a `capacity` of `seats_taken` or more, or cancel registrations first."


class EventImpossibleStep(Conflict):
    code = "event_impossible_step"
    message = "The event cannot take this step from the status it has."
    remedy = "Read the event again: drafts are published, published events are cancelled, and there is no way back."


def create(*, organizer: User, now: datetime, fields: Mapping[str, Any], caller: Caller | None = None) -> Event:
    """Create an event, published unless `fields` ask for a draft; by the organizer, unless a caller is told.

    The organizer is held meanwhile: an account that closes calls off all that it planned, and nothing may slip in.
    Raises ScopeMissing for a key that is for some events, DeadToken for a closed account, Invalid for times that cannot
    be, TooManyEvents.
    """
    if caller and caller.is_for_some_events:
        raise ScopeMissing
    event = Event(organizer=organizer, created_at=now, updated_at=now, **fields)
    refuse(event, fields, now=now)
    with transaction.atomic():
        if not User.objects.lock(organizer.pk).filter(is_active=True).first():
            raise DeadToken
        refuse_more(organizer, now=now)
        event.save(force_insert=True)
        actor = roles.owner(caller or Caller(organizer), event) or SYSTEM
        facts.record_event("created", event, actor=actor, now=now, after=facts.told(event, facts.TOLD))
    return event


def refuse_more(organizer: User, *, now: datetime) -> None:
    """Raise TooManyEvents where an account, whose row is held, has all the open events and drafts that it may have."""
    events = Event.objects.existing().filter(organizer=organizer)
    is_open = (
        Q(status=Status.DRAFT) | Q(status=Status.PUBLISHED, date__gt=now) | Q(status=Status.PUBLISHED, ends_at__gt=now)
    )
    if events.filter(is_open).count() >= settings.MAX_OPEN_EVENTS:
        raise TooManyEvents


def change(
    *,
    event_id: int,
    caller: Caller,
    fields: Mapping[str, Any],
    now: datetime,
    precondition: Precondition | None = None,
    reason: str = "",
) -> Event:
    """Change what `fields` name; a `status` among them is a step: publish or cancel, for a reason that is told.

    More capacity brings in those who wait, in the same transaction. A published event whose date, end, place or time
    zone moves tells everybody registered, unless it was over before and after.

    Raises NotFound, NotYourEvent, Invalid, EventCancelled, EventOver, EventImpossibleStep, EventHidden,
    CapacityBelowConfirmed, and what `precondition` raises when it is given the event as it is once it is held.
    """
    with transaction.atomic():
        event, actor = lock(event_id, caller, precondition)
        values = {name: value for name, value in fields.items() if getattr(event, name) != value}
        step = values.pop("status", None)
        if values:
            apply(event, values, actor=actor, now=now)
        if step:
            take_step(event, step, actor=actor, now=now, reason=reason)
    return event


def publish(*, event_id: int, caller: Caller, now: datetime, precondition: Precondition | None = None) -> Event:
    """Show a draft to everybody; a published event stays as it is.

    Raises NotFound, NotYourEvent, EventCancelled, EventStarted, EventHidden.
    """
    published = {"status": Status.PUBLISHED}
    return change(event_id=event_id, caller=caller, fields=published, now=now, precondition=precondition)


def cancel(
    *, event_id: int, caller: Caller, now: datetime, precondition: Precondition | None = None, reason: str = ""
) -> Event:
    """Call an event off: it stays visible, its live registrations end, and each person is told; twice is once.

    `reason` stands in the mails, and nowhere else.

    Raises NotFound, NotYourEvent, EventOver, EventImpossibleStep for a draft (delete it instead).
    """
    cancelled = {"status": Status.CANCELLED}
    return change(event_id=event_id, caller=caller, fields=cancelled, now=now, precondition=precondition, reason=reason)


def delete(*, event_id: int, caller: Caller, now: datetime, precondition: Precondition | None = None) -> None:
    """Take an event away; its live registrations end, stay readable, and each person is told.

    One that is over is tidied up: it tells nobody, and its registrations stay as they are.
    Raises NotFound, NotYourEvent for everybody but the owner.
    """
    with transaction.atomic():
        event, actor = lock(event_id, caller, precondition, by_owner=True)
        event.deleted_at = now
        save_change(event, ["deleted_at"], now=now)
        facts.record_event("deleted", event, actor=actor, now=now, before={"status": event.status})
        reminders.take_back(event)
        if not event.is_over(now):
            booking.cancel_all(event, actor=actor, now=now)


def cancel_future_events(*, organizer: User, now: datetime) -> None:
    """Call off whatever a person has planned whose account goes away; their drafts are deleted."""
    planned = Event.objects.existing().filter(organizer=organizer, date__gt=now).exclude(status=Status.CANCELLED)
    for pk, status in planned.order_by("pk").values_list("pk", "status"):
        if status == Status.DRAFT:
            delete(event_id=pk, caller=Caller(organizer), now=now)
        else:
            cancel(event_id=pk, caller=Caller(organizer), now=now)


# ── Steps inside a transaction that holds the event ───────────────────────────────────────────────────────────────────


def lock(
    event_id: int, caller: Caller, precondition: Precondition | None = None, *, by_owner: bool = False
) -> tuple[Event, Actor]:
    """Return the event, held, and as whom the caller acts; no right that this looks at is withdrawn meanwhile.

    Raises NotFound, NotYourEvent, and what `precondition` raises.
    """
    event = booking.lock_seen(event_id, caller)
    actor = roles.owner(caller, event) if by_owner else roles.manager(caller, event, hold=True)
    if actor is None:
        raise NotYourEvent
    if precondition:
        precondition(event)
    return event, actor


def apply(event: Event, values: Mapping[str, Any], *, actor: Actor, now: datetime) -> None:
    before, told_before = notifications.event_payload(event), facts.told(event, values)
    was_over = event.is_over(now)
    if event.erased_at and not {"date", "ends_at"}.isdisjoint(values):  # nobody is known any more whom to tell
        raise EventOver
    for name, value in values.items():
        setattr(event, name, value)
    refuse(event, values, now=now)
    save_change(event, list(values), now=now)
    after = facts.told(event, values)
    facts.record_event("changed", event, actor=actor, now=now, before=told_before, after=after)
    if event.is_live and any(name in values for name in TOLD) and not (was_over and event.is_over(now)):
        reminders.take_back(event)
        notifications.notify_all(EventChanged, seating.live_attendees(event), event=event, before=before)
    if "organizer_news" in values and event.organizer_news not in notifications.ASKS_AT_ONCE:
        notifications.withdraw_requests(event)
    booking.promote_waitlist(event, now=now)


def take_step(event: Event, status: str, *, actor: Actor, now: datetime, reason: str) -> None:
    if event.hidden_status:
        raise EventHidden
    if event.status == Status.CANCELLED:
        raise EventCancelled
    if (event.status, status) == (Status.DRAFT, Status.PUBLISHED):
        if event.has_started(now):
            raise EventStarted
        save_status(event, status, actor=actor, now=now)
    elif (event.status, status) == (Status.PUBLISHED, Status.CANCELLED):
        if event.is_over(now):
            raise EventOver
        save_status(event, status, actor=actor, now=now)
        reminders.take_back(event)
        booking.cancel_all(event, actor=actor, now=now, reason=reason)
    else:
        raise EventImpossibleStep


def save_status(event: Event, status: str, *, actor: Actor, now: datetime) -> None:
    before, event.status = event.status, status
    save_change(event, ["status"], now=now)
    facts.record_event(status, event, actor=actor, now=now, before={"status": before}, after={"status": status})


def save_change(event: Event, names: list[str], *, now: datetime) -> None:
    """Write the named columns, with what follows from them, as the next revision."""
    event.revision += 1
    event.updated_at = now
    folded = [f"{name}_folded" for name in ("title", "location") if name in names]
    event.save(update_fields=[*names, *folded, "revision", "updated_at"])


def refuse(event: Event, changed: Collection[str], *, now: datetime) -> None:
    """Raise what stands against an event that is as `changed` names left it, and not saved: Invalid or Conflict."""
    if changed and event.status == Status.CANCELLED:
        raise EventCancelled
    if "date" in changed and event.date <= now:
        raise InThePast(field="date")
    if event.ends_at and event.ends_at <= event.date:
        raise EndsBeforeItStarts(field="ends_at")
    opens, closes = event.registration_opens_at, event.registration_closes_at
    if opens and closes and closes <= opens:
        raise ClosesBeforeItOpens(field="registration_closes_at")
    if opens and event.registration_ends_at <= opens:  # by then nobody can register any more
        raise ClosesBeforeItOpens(field="registration_opens_at")
    if event.door_closes <= event.door_opens:
        raise DoorClosesBeforeItOpens(field="checkin_opens_at" if event.checkin_opens_at else "checkin_closes_at")
    if event.capacity is not None and event.capacity < event.seats_taken:
        raise CapacityBelowConfirmed(seats_taken=event.seats_taken)
