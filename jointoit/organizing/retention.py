"""Forgets who was registered for events that are long over, and what they answered (RETENTION_DAYS); numbers stay.

Each registration goes to somebody who is nobody, another one for each, so that every count, every rule and every query
holds as before (docs/decisions/0028-retention.md).
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet

from jointoit.accounts import anonymous
from jointoit.events import booking
from jointoit.events.models import LONGEST, Event
from jointoit.mail import outbox
from jointoit.organizing.models import Transfer

BATCH: Final = 1_000  # registrations in one transaction, which holds the event
MOST: Final = 50  # batches in one round, which keeps the sweeper from its other work
#: The place of a registration among those of its event never changes, since none is added and none is deleted.
ERASE: Final = """
    WITH placed AS (
        SELECT id, attendee_id, row_number() OVER (ORDER BY id) AS place
        FROM events_registration WHERE event_id = %(event)s
    ), chosen AS (
        SELECT placed.id, nobody.id AS attendee_id
        FROM placed JOIN accounts_user AS nobody ON upper(nobody.username) = upper(%(name)s || placed.place)
        WHERE placed.attendee_id <> nobody.id ORDER BY placed.id LIMIT %(batch)s
    )
    UPDATE events_registration AS registration SET attendee_id = chosen.attendee_id, answers = '{}'
    FROM chosen WHERE registration.id = chosen.id RETURNING registration.id
"""


def never() -> bool:
    return False


def erase_due(now: datetime, stop: Callable[[], bool] = never) -> None:
    """Erase what is due, the events in their order, and not more than MOST batches; a chore of every sweeper."""
    left = MOST
    for pk in list(due(now).order_by("pk").values_list("pk", flat=True)[:MOST]):
        more = True
        while more and left and not stop():
            more, left = erase_some(event_id=pk, now=now), left - 1


def due(now: datetime) -> QuerySet[Event]:
    """The events that have been over for RETENTION_DAYS, deleted ones too."""
    if settings.RETENTION is None:
        return Event.objects.none()
    until = now - settings.RETENTION
    return Event.objects.filter(Q(ends_at__lte=until) | Q(ends_at=None, date__lte=until - LONGEST), erased_at=None)


def erase_some(*, event_id: int, now: datetime) -> bool:
    """Erase up to BATCH registrations of one event; whether there may be more."""
    with transaction.atomic():
        event = booking.lock(event_id)
        if not due(now).filter(pk=event_id).exists():
            return False  # done by another sweeper, or moved
        anonymous.ensure(event.registrations.count())
        with connection.cursor() as cursor:
            cursor.execute(ERASE, {"event": event_id, "name": anonymous.NAME, "batch": BATCH})
            erased = [pk for (pk,) in cursor]
        outbox.erase(f"registration:{pk}" for pk in erased)
        if len(erased) == BATCH:
            return True
        outbox.erase(f"announcement:{pk}" for pk in event.announcements.values_list("pk", flat=True))
        Transfer.objects.filter(registration__event=event).delete()
        Event.objects.filter(pk=event_id).update(erased_at=now)
    return False
