"""What organizers hear of who asks, comes and cancels: counted from the journal, told as `organizer_news` says.

Registering does nothing for it: the sweeper follows the feed of facts and counts each once (`count`), and a mail leaves
in the transaction that begins the count anew (`tell`). Requests that are told at once are `events.notifications`'.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from jointoit.accounts.notifications import person
from jointoit.api import database
from jointoit.api.lists.prepared import Row
from jointoit.events import notifications
from jointoit.events.models import Event
from jointoit.journal import feed
from jointoit.journal.feed import AHEAD, FACTS
from jointoit.mail import outbox
from jointoit.mail.messages import OrganizerNews
from jointoit.organizing.models import EventNews, NewsPosition

News = Event.News
BATCH: Final = 1_000
MORNING: Final = 7  # o'clock, in the organizer's time zone
#: Where everything is told at once, one mail tells of all that happened within so long.
GATHER: Final = timedelta(minutes=10)

COUNTED: Final = {
    "registration.pending": "asked",
    "registration.confirmed": "came",
    "registration.waitlisted": "queued",
    "registration.cancelled": "cancelled",
}
#: What attendees did themselves, or with their keys; of what the team does the organizer is not told.
NEWS: Final = f"""
    SELECT {FACTS} FROM journal_fact AS fact
    WHERE fact.type IN ({", ".join(f"'{name}'" for name in COUNTED)})
      AND (fact.actor_kind = 'attendee' OR fact.actor_kind = 'key' AND EXISTS (
          SELECT FROM accounts_apikey AS key JOIN events_registration AS own ON own.attendee_id = key.user_id
          WHERE key.id = fact.actor_id AND own.id = fact.registration_id))
      AND {AHEAD}
    ORDER BY fact.transaction, fact.id LIMIT {BATCH + 1}
"""
ADD: Final = """
    INSERT INTO organizing_eventnews AS known (event_id, asked, came, queued, cancelled, since, fact)
    SELECT * FROM unnest(%s::bigint[], %s::int[], %s::int[], %s::int[], %s::int[], %s::timestamptz[], %s::bigint[])
    ON CONFLICT (event_id) DO UPDATE
    SET asked = known.asked + excluded.asked, came = known.came + excluded.came,
        queued = known.queued + excluded.queued, cancelled = known.cancelled + excluded.cancelled,
        since = coalesce(known.since, excluded.since), fact = excluded.fact
"""


def tell_due(now: datetime) -> None:
    """Count what happened and tell what is due; a chore of every sweeper.

    An event that is spoiled keeps no other waiting; it is tried again in the next round.
    """
    while count() == BATCH:
        pass
    untold = EventNews.objects.exclude(since=None).order_by("pk")
    times = untold.values_list("pk", "event__organizer_news", "event__organizer__timezone", "since", "told_at")
    for pk, mode, zone, since, told_at in times.iterator():
        assert since  # by the condition
        with database.postponing("news_postponed", event_id=pk):
            if is_due(mode, zone=zone, since=since, told_at=told_at, now=now):
                tell(event_id=pk, now=now)


def count() -> int:
    """Count the next facts; returns how many there were. Who finds another at it does nothing."""
    with transaction.atomic():
        rows = feed.follow(NewsPosition, NEWS, size=BATCH)
        add(rows)
    return len(rows)


def add(rows: Iterable[Row]) -> None:
    by_event: dict[int, dict[str, Any]] = defaultdict(lambda: dict.fromkeys(COUNTED.values(), 0))
    for row in rows:
        found = by_event[row["event_id"]]
        found[COUNTED[row["type"]]] += 1
        found.setdefault("since", row["at"])
        found["fact"] = row["id"]
    if by_event:
        names = (*COUNTED.values(), "since", "fact")
        known = sorted(by_event.items())
        columns = [[found[name] for _, found in known] for name in names]
        with connection.cursor() as cursor:
            cursor.execute(ADD, [[pk for pk, _ in known], *columns])


def tell(*, event_id: int, now: datetime) -> None:
    """Promise one mail about all that was counted, and begin anew. Who finds another at it does nothing."""
    with transaction.atomic():
        untold = EventNews.objects.exclude(since=None).select_related("event__organizer")
        news = untold.select_for_update(skip_locked=True, of=("self",)).filter(pk=event_id).first()
        if news is None:
            return
        if message := message_of(news):
            outbox.enqueue(message, key=f"event:{event_id}:news:{news.fact}:")
        EventNews.objects.filter(pk=event_id).update(asked=0, came=0, queued=0, cancelled=0, since=None, told_at=now)


def is_due(mode: str, *, zone: str, since: datetime, told_at: datetime | None, now: datetime) -> bool:
    if mode == News.NONE:
        return True
    if mode == News.EACH:
        return told_at is None or told_at + GATHER <= now
    return since < last_morning(now, zone)


def last_morning(now: datetime, zone: str) -> datetime:
    local = now.astimezone(ZoneInfo(zone))
    morning = local.replace(hour=MORNING, minute=0, second=0, microsecond=0, fold=0)
    return morning if morning <= local else morning - timedelta(days=1)


def message_of(news: EventNews) -> OrganizerNews | None:
    """None where there is nothing that is to be told, nobody comes any more, or nobody is there to be told."""
    event = news.event
    asked = 0 if event.organizer_news in notifications.ASKS_AT_ONCE else news.asked
    if (
        event.organizer_news == News.NONE
        or not event.is_live
        or not event.organizer.is_active
        or not (asked or news.came or news.queued or news.cancelled)
    ):
        return None
    return OrganizerNews(
        to=person(event.organizer),
        event=notifications.event_payload(event),
        asked=asked,
        came=news.came,
        queued=news.queued,
        cancelled=news.cancelled,
        seats_taken=event.seats_taken,
        capacity=event.capacity,
        waiting=event.waiting,
    )
