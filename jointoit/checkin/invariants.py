"""What must hold of scans at every moment between two transactions."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from django.db import connection

from jointoit.checkin.counts import CONTRADICTS
from jointoit.checkin.door import STANDS
from jointoit.events.history import KEPT, kept

#: Who is in, counted as people and counted as the door does: scans that let in, less those that contradict another.
ADMITTED: Final = f"""
    SELECT format('event %%s: %%s people are in, the door counts %%s', event_id,
                  count(DISTINCT registration_id), count(*) FILTER (WHERE NOT contradicts))
    FROM (SELECT scan.*, {CONTRADICTS} AS contradicts FROM checkin_scan AS scan WHERE {STANDS}) AS scan
    GROUP BY event_id HAVING count(DISTINCT registration_id) <> count(*) FILTER (WHERE NOT contradicts)
"""
TWICE: Final = """
    SELECT format('registration %%s: admitted %%s times', registration_id, count(*)) FROM checkin_scan
    WHERE result = 'admitted' AND undone_at IS NULL GROUP BY registration_id HAVING count(*) > 1
"""
ELSEWHERE: Final = """
    SELECT format('scan %%s: of event %%s, its registration is of %%s', scan.id, scan.event_id, registration.event_id)
    FROM checkin_scan AS scan JOIN events_registration AS registration ON registration.id = scan.registration_id
    WHERE registration.event_id <> scan.event_id
"""
LATE: Final = "SELECT format('scan %%s: made after it arrived', id) FROM checkin_scan WHERE scanned_at > received_at"
UNTOLD: Final = f"""
    SELECT format('event %%s: %%s scans, %%s facts of them', event.id, scans.number, facts.number)
    FROM events_event AS event
    CROSS JOIN LATERAL (SELECT count(*) AS number FROM checkin_scan WHERE event_id = event.id) AS scans
    CROSS JOIN LATERAL (SELECT count(*) AS number FROM journal_fact WHERE event_id = event.id
                        AND type IN ('checkin.admitted', 'checkin.refused')) AS facts
    WHERE {KEPT} AND scans.number <> facts.number
"""


def violations(*, now: datetime) -> Iterator[str]:
    """Yield one sentence for each row that breaks a promise."""
    for query in (ADMITTED, TWICE, ELSEWHERE, LATE, UNTOLD):
        with connection.cursor() as cursor:
            cursor.execute(query, {"now": now, "kept": kept()})
            yield from (line for (line,) in cursor)
