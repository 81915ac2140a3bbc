"""Reminders: one for each confirmed seat, some time before the start; where the date moves away, one for the new date.

Events and registrations carry a mark, so that a round costs one look at the events that begin soon. Whoever gets or is
promoted to a seat within that time has just been told and is not reminded. Safe in many sweepers at once: a step holds
the event, as every verb does.
"""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from jointoit.api import database
from jointoit.events import booking, notifications
from jointoit.events.models import Event, Registration
from jointoit.mail import links, outbox
from jointoit.mail.messages import EventReminder

CHUNK = 1_000  # registrations in one transaction, which holds the event for some tenths of a second


def promise_due(now: datetime) -> None:
    """Promise the reminders of all events that begin within REMINDER_BEFORE; a chore of every sweeper.

    An event that is held, or spoiled, keeps no other waiting; it is tried again in the next round.
    """
    soon = Event.objects.existing().filter(status=Event.Status.PUBLISHED, reminded_at=None, date__gt=now)
    for pk in soon.filter(date__lte=now + settings.REMINDER_BEFORE).order_by("date").values_list("pk", flat=True):
        with database.postponing("reminders_postponed", event_id=pk):
            while promise_some(event_id=pk, now=now):
                pass


def promise_some(*, event_id: int, now: datetime) -> bool:
    """Promise up to CHUNK reminders of one event; say whether more are to be promised."""
    with transaction.atomic():
        event = booking.lock(event_id)
        if event.reminded_at or not event.is_live or not now < event.date <= now + settings.REMINDER_BEFORE:
            return False
        chunk = unreminded(event)
        Registration.objects.filter(pk__in=[registration.pk for registration in chunk]).update(reminded_at=now)
        notifications.notify_all(EventReminder, chunk, event=event, expires_at=event.date)
        if len(chunk) == CHUNK:
            return True
        Event.objects.filter(pk=event_id).update(reminded_at=now)
    return False


def unreminded(event: Event) -> list[Registration]:
    """Some who have had their seat since before reminders were due, with their accounts.

    A reminder from before that time was for an earlier date, from which the event was moved since.
    """
    due = event.date - settings.REMINDER_BEFORE
    known = event.registrations.filter(Q(reminded_at=None) | Q(reminded_at__lt=due), updated_at__lte=due)
    some = known.filter(status=Registration.Status.CONFIRMED, wants_reminder=True).select_related("attendee")
    chunk = list(some.order_by("pk")[:CHUNK])
    for registration in chunk:
        registration.event = event
    return chunk


def take_back(event: Event) -> None:
    """Withdraw what still waits to be sent and says what does not hold any more; those people are reminded anew.

    The caller holds the event. Who was reminded already is reminded again where the new date is farther away than
    reminders are; of anything else they have been told by the mail about the change.
    """
    withdrawn = outbox.withdraw(EventReminder, event_id=event.pk)
    Registration.objects.filter(pk__in=withdrawn).update(reminded_at=None)
    Event.objects.filter(pk=event.pk).update(reminded_at=None)


def stop(*, token: str) -> None:
    """Remind of one seat no more, and withdraw the reminder that waits; asking twice is asking once.

    `token` is that of a reminder's link. Raises links.BadToken.
    """
    pk = links.registration_of(token)
    with transaction.atomic():
        booking.lock(Registration.objects.values_list("event_id", flat=True).get(pk=pk))
        Registration.objects.filter(pk=pk).update(wants_reminder=False)
        outbox.supersede(notifications.about(pk), kind=EventReminder)
