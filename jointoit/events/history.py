"""The journal's tie to registrations: that it replays to what they are, and how long it is kept."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction

from jointoit.events.models import OVER_AT
from jointoit.journal import feed
from jointoit.journal.models import Fact

#: Whether the facts of `event` are kept: until it has been over for JOURNAL_DAYS.
KEPT: Final = f"{OVER_AT} > %(now)s - %(kept)s"
BATCH: Final = 1_000
#: What the rows say and their last fact does not. A release that is under way leaves such: the code before it writes
#: no facts.
MISSING: Final = f"""
    SELECT registration.id, registration.event_id, registration.status, registration.updated_at, last.status AS before
    FROM events_registration AS registration
    JOIN events_event AS event ON event.id = registration.event_id AND {KEPT}
    LEFT JOIN LATERAL (
        SELECT after->>'status' AS status FROM journal_fact AS fact
        WHERE fact.registration_id = registration.id AND jsonb_exists(fact.after, 'status') ORDER BY id DESC LIMIT 1
    ) AS last ON true
    WHERE last.status IS DISTINCT FROM registration.status
"""
COMPLETE: Final = f"""
    WITH missing AS (SELECT * FROM ({MISSING}) AS missing ORDER BY id LIMIT %(batch)s)
    INSERT INTO journal_fact (type, at, actor_kind, event_id, registration_id, before, after)
    SELECT 'registration.' || status, updated_at, 'system', event_id, id,
           CASE WHEN before IS NOT NULL THEN jsonb_build_object('status', before) END,
           jsonb_build_object('status', status)
    FROM missing
"""
OVER: Final = f"""
    SELECT id FROM events_event AS event
    WHERE NOT ({KEPT}) AND EXISTS (SELECT FROM journal_fact WHERE event_id = event.id) ORDER BY id LIMIT %(batch)s
"""


def kept() -> Any:  # django-stubs do not know that psycopg writes a timedelta
    """A fact says who registered: none outlives what is kept of that."""
    days = timedelta(days=settings.JOURNAL_DAYS)
    return days if settings.RETENTION is None else min(days, settings.RETENTION)


def complete(*, now: datetime) -> int:
    """Write what rows say and the journal does not, as facts of the service; returns how many.

    The events are not held: run it once nothing older than this code writes any more.
    """
    total = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(COMPLETE, {"now": now, "kept": kept(), "batch": BATCH})
            total += int(cursor.rowcount)
            if cursor.rowcount < BATCH:
                return total


def prune(now: datetime) -> None:
    """Forget events that have been over for JOURNAL_DAYS, each whole: a history is there or it is not."""
    with connection.cursor() as cursor:
        cursor.execute(OVER, {"now": now, "kept": kept(), "batch": BATCH})
        over = [pk for (pk,) in cursor]
    for pk in over:
        feed.note_pruning(event_id=pk)
        while delete_some(pk):
            pass


def delete_some(event_id: int) -> bool:
    """Delete up to BATCH facts of one event, the oldest first; whether there may be more."""
    with transaction.atomic():
        some = list(Fact.objects.filter(event_id=event_id).order_by("pk").values_list("pk", flat=True)[:BATCH])
        Fact.objects.filter(pk__in=some).delete()
    return len(some) == BATCH


# ── Replaying ─────────────────────────────────────────────────────────────────────────────────────────────────────────

CHAIN: Final = """
    SELECT registration_id, id FROM (
        SELECT id, registration_id, before->>'status' AS before,
               lag(after->>'status') OVER (PARTITION BY registration_id ORDER BY id) AS previous
        FROM journal_fact WHERE registration_id IS NOT NULL AND jsonb_exists(after, 'status')
    ) AS step WHERE before IS DISTINCT FROM previous
"""


def contradictions(*, now: datetime) -> Iterator[str]:
    """One sentence for each registration whose facts do not replay, step by step, to what it is."""
    with connection.cursor() as cursor:
        cursor.execute(MISSING, {"now": now, "kept": kept()})
        for pk, _, status, _, last in cursor:
            yield f"registration {pk}: is {status}, its history says {last}"
        cursor.execute(CHAIN)
        for pk, fact in cursor:
            yield f"registration {pk}: fact {fact} does not begin where the one before it ended"
