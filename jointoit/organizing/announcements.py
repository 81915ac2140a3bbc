"""News from a manager to those who come, through the outbox: each person once, or nobody."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import CharField, Count, Exists, F, Func, OuterRef, Q, QuerySet, Value

from jointoit.accounts.callers import Caller
from jointoit.checkin.models import STANDS, Scan
from jointoit.errors import TooOften
from jointoit.events import notifications, scheduling
from jointoit.events.models import Event, Registration
from jointoit.journal import writer as journal
from jointoit.mail import outbox
from jointoit.mail.messages import News
from jointoit.mail.models import OutboxMail
from jointoit.organizing.models import Announcement

PER_DAY: Final = 3
#: By the status, or by whether somebody with a seat was let in.
GROUPS: Final = ("confirmed", "pending", "waitlisted", "admitted", "absent")


def announce(
    *, caller: Caller, event_id: int, subject: str, text: str, to: Collection[str], now: datetime
) -> Announcement:
    """Write to everybody who is in one of the groups `to`.

    Raises NotFound, NotYourEvent, and TooOften after three within 24 hours.
    """
    with transaction.atomic():
        event, actor = scheduling.lock(event_id, caller, None)
        refuse(event, now=now)
        announcement = Announcement.objects.create(
            event=event, author=caller.user, subject=subject, text=text, to=list(to), recipients=0, created_at=now
        )
        announcement.recipients = outbox.enqueue_many(mails(announcement, event))
        outbox.forget_about(f"announcement:{announcement.pk}:")  # they name the organizer, and are told here anyway
        announcement.save(update_fields=["recipients"])
        told = {"announcement": announcement.pk, "recipients": announcement.recipients}
        journal.record([journal.fact("event.announced", actor=actor, at=now, event_id=event.pk, after=told)])
    return announcement


def refuse(event: Event, *, now: datetime) -> None:
    times = event.announcements.filter(created_at__gt=now - timedelta(days=1)).order_by("created_at")
    written = list(times.values_list("created_at", flat=True))
    if len(written) >= PER_DAY:
        again = written[-PER_DAY] + timedelta(days=1)
        sentence = f"People who come get at most {PER_DAY} announcements of an event a day."
        raise TooOften(sentence, retry_after=max(1, int((again - now).total_seconds())))


def recipients(event: Event, to: Collection[str]) -> QuerySet[Registration]:
    is_in = Exists(Scan.objects.filter(STANDS, registration=OuterRef("pk")))
    chosen = Q(status__in=to)
    if "admitted" in to:
        chosen |= Q(is_in, status=Registration.Status.CONFIRMED)
    if "absent" in to:
        chosen |= Q(~is_in, status=Registration.Status.CONFIRMED)
    return Registration.objects.filter(chosen, event=event)


def mails(announcement: Announcement, event: Event) -> Iterator[tuple[News, str]]:
    of_event = notifications.event_payload(event)
    people = recipients(event, announcement.to).select_related("attendee").order_by("pk")
    for registration in people.iterator(chunk_size=outbox.CHUNK):
        registration.event = event
        words = {"subject": announcement.subject, "text": announcement.text}
        message = notifications.message(News, registration, of_event, **words)
        assert isinstance(message, News)
        yield message, f"announcement:{announcement.pk}:{registration.pk}"


def progress(announcements: Collection[Any]) -> dict[int, dict[str, int]]:
    """How many mails of each were sent, wait, and will not arrive, by the announcement's id."""
    found: dict[int, dict[str, int]] = {pk: {} for pk in announcements}
    theirs = Q(pk__in=[])
    for pk in announcements:
        theirs |= Q(dedupe_key__startswith=f"announcement:{pk}:")
    number = Func(F("dedupe_key"), Value(":"), Value(2), function="split_part", output_field=CharField())
    mails = OutboxMail.objects.filter(theirs).order_by().annotate(announcement=number)
    for pk, state, mails_so in mails.values_list("announcement", "state").annotate(Count("pk")):
        found[int(pk)][state] = mails_so
    return {pk: by_fate(states) for pk, states in found.items()}


def by_fate(states: dict[str, int]) -> dict[str, int]:
    State = OutboxMail.State  # noqa: N806
    sent, waiting = states.get(State.SENT, 0), states.get(State.PENDING, 0)
    return {"sent": sent, "waiting": waiting, "failed": sum(states.values()) - sent - waiting}
