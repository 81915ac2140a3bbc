"""What is raced, and the same without what keeps it right: the controls, which must fail."""

from datetime import datetime

from django.db import transaction

from jointoit.accounts.models import User
from jointoit.events import booking
from jointoit.events.models import Event, Registration
from jointoit.events.refusals import EventFull


def register(*, event_id: int, attendee: User, now: datetime) -> Registration:
    return booking.register(event_id=event_id, attendee=attendee, now=now)


def register_without_the_lock(*, event_id: int, attendee: User, now: datetime) -> Registration:
    """The same steps in the same order, without holding the event; as it is often written."""
    with transaction.atomic():
        event = Event.objects.get(pk=event_id)
        assert event.capacity is not None
        if event.registrations.filter(status="confirmed").count() >= event.capacity:
            raise EventFull
        return Registration.objects.create(
            event=event, attendee=attendee, status="confirmed", registered_at=now, updated_at=now
        )


def promote_without_the_lock(registration: Registration) -> None:
    """Look for the first in the queue, then promote, without holding the event: two may find the same one."""
    with transaction.atomic():
        Registration.objects.filter(pk=registration.pk).update(status="cancelled")
        first = registration.event.registrations.filter(status="waitlisted").order_by("queue_number").first()
        assert first is not None
        Registration.objects.filter(pk=first.pk).update(status="confirmed", queue_number=None)
