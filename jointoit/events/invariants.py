"""What must hold at every moment between two transactions, as queries that return whoever breaks it."""

from collections.abc import Iterator
from datetime import datetime

from django.db import connection

from jointoit.events import history

COUNTED = """
    SELECT format('event %%s: %%s confirmed rows, seats_taken %%s, capacity %%s',
                  e.id, count(r.id) FILTER (WHERE r.status = 'confirmed'), e.seats_taken,
                  coalesce(e.capacity::text, 'none'))
    FROM events_event e LEFT JOIN events_registration r ON r.event_id = e.id
    GROUP BY e.id
    HAVING count(r.id) FILTER (WHERE r.status = 'confirmed') <> e.seats_taken OR e.seats_taken > e.capacity
"""
WAITING = """
    SELECT format('event %%s: %%s waiting rows, waiting %%s',
                  e.id, count(r.id) FILTER (WHERE r.status = 'waitlisted'), e.waiting)
    FROM events_event e LEFT JOIN events_registration r ON r.event_id = e.id
    GROUP BY e.id
    HAVING count(r.id) FILTER (WHERE r.status = 'waitlisted') <> e.waiting
"""
FREE_SEAT = """
    SELECT format('event %%s: %%s wait while a seat is free', id, waiting)
    FROM events_event
    WHERE waiting > 0 AND (capacity IS NULL OR seats_taken < capacity)
      AND status = 'published' AND deleted_at IS NULL AND date > %(now)s
"""
TWO_LIVE = """
    SELECT format('event %%s: person %%s has %%s live registrations', event_id, attendee_id, count(*))
    FROM events_registration WHERE status <> 'cancelled'
    GROUP BY event_id, attendee_id HAVING count(*) > 1
"""
DEAD_EVENT = """
    SELECT format('event %%s: will not take place, yet has %%s live registrations', e.id, count(*))
    FROM events_event e JOIN events_registration r ON r.event_id = e.id AND r.status <> 'cancelled'
    WHERE e.status = 'cancelled' OR e.deleted_at IS NOT NULL
    GROUP BY e.id
"""
UNTOLD = """
    SELECT format('registration %%s: no mail was ever promised', r.id)
    FROM events_registration r
    WHERE NOT EXISTS (SELECT FROM mail_outboxmail m
                      WHERE m.dedupe_key ~>=~ ('registration:' || r.id || ':')
                        AND m.dedupe_key ~<~ ('registration:' || r.id || ';'))
"""


def violations(*, now: datetime) -> Iterator[str]:
    """Yield one sentence for each row that breaks a promise; nothing where all is well."""
    for query in (COUNTED, WAITING, FREE_SEAT, TWO_LIVE, DEAD_EVENT, UNTOLD):
        with connection.cursor() as cursor:
            cursor.execute(query, {"now": now})
            yield from (line for (line,) in cursor)
    yield from history.contradictions(now=now)
