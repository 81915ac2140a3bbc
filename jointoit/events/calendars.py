"""Calendars to subscribe to: one's own registrations, and what somebody organizes.

Entries have the UID and SEQUENCE of the mails and of the event's own file, so that who takes several has each once.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Case, Q, When
from django.utils.translation import gettext as _

from jointoit.accounts import calendar_addresses
from jointoit.accounts.models import User
from jointoit.errors import NotFound
from jointoit.events.models import Event, Registration
from jointoit.events.notifications import event_payload
from jointoit.mail import calendar
from jointoit.mail.calendar import Entry

Status = Registration.Status
#: What was called off stays so long, so that every calendar hears of it.
CANCELLED_FOR: Final = timedelta(days=30)
#: What began longer ago than this is left out.
PAST: Final = timedelta(days=365)
MOST: Final = 500  # entries
STATUSES: Final = {
    Status.CONFIRMED: "CONFIRMED",
    Status.PENDING: "TENTATIVE",
    Status.WAITLISTED: "TENTATIVE",
    Status.CANCELLED: "CANCELLED",
}


def personal(secret: str, *, now: datetime) -> bytes:
    """The registrations of whoever has the address with this secret. Raises NotFound."""
    rows = own_registrations(calendar_addresses.holder_of(secret), now=now)
    return calendar.feed(map(entry_of, rows), name=_("My seats"), description=_("What I am registered for."))


def own_registrations(holder: User, *, now: datetime) -> Iterable[Registration]:
    """Of each event the registration that counts: the one that is live, else the last that was cancelled."""
    is_cancelled = Q(status=Status.CANCELLED)
    return (
        Registration.objects.filter(attendee=holder, event__date__gt=now - PAST, event__hidden_status=None)
        .exclude(is_cancelled & Q(updated_at__lte=now - CANCELLED_FOR))
        .select_related("event__organizer")
        .order_by("-event__date", "event_id", Case(When(is_cancelled, then=1), default=0), "-pk")
        .distinct("event__date", "event_id")[:MOST]
    )


def entry_of(registration: Registration) -> Entry:
    """Who has not been confirmed yet will be under the event's UID."""
    event = registration.event
    is_known_by_own = not registration.has_event_uid and registration.status in (Status.CONFIRMED, Status.CANCELLED)
    return Entry(
        event=event_payload(event),
        status=STATUSES[Status(registration.status)],
        changed_at=max(registration.updated_at, event.updated_at),
        uid=calendar.own_uid(registration.pk) if is_known_by_own else "",
        sequence=event.revision + (registration.revision if is_known_by_own else 0),
    )


def of_organizer(organizer_id: int, *, now: datetime) -> bytes:
    """What somebody organizes, for anybody. Raises NotFound where nothing was ever to be seen of it."""
    public = Event.objects.existing().filter(organizer=organizer_id).exclude(status=Event.Status.DRAFT)
    called_off = Q(status=Event.Status.CANCELLED, updated_at__lte=now - CANCELLED_FOR)
    shown = public.filter(date__gt=now - PAST).exclude(called_off).select_related("organizer").order_by("-date", "-pk")
    organizer = User.objects.filter(pk=organizer_id).first()
    if organizer is None or not public.exists():
        raise NotFound
    name = organizer.get_full_name()
    entries = (
        Entry(
            event=event_payload(event),
            status="CANCELLED" if event.status == Event.Status.CANCELLED else "CONFIRMED",
            changed_at=event.updated_at,
        )
        for event in shown[:MOST]
    )
    return calendar.feed(entries, name=name, description=_("Events by %(name)s") % {"name": name})
