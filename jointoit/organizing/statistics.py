"""Figures of an event: who asked when, where they stand, what became of the waiting list, and who came.

They are read in one statement, so that they are of one moment and add up.
"""

from datetime import datetime
from typing import Any, Final, TypedDict

from jointoit.api.lists.prepared import PreparedQuery
from jointoit.checkin.door import STANDS
from jointoit.events.models import Event

BUCKETS: Final = ("hour", "day", "week", "month")
FUNNEL: Final = ("registered", "pending", "confirmed", "waitlisted", "cancelled", "declined", "transferred")
#: A bucket begins by the clock of the zone (`date_trunc` with a zone): a day may have 23 or 25 hours. All clocks differ
#: by whole quarters of an hour, so there are few moments to ask the zone about, and not one for each person. People
#: come to the door when they were scanned first, as `checkin.counts` says it.
FIGURES: Final = PreparedQuery(
    f"""
    WITH registration AS MATERIALIZED (
        SELECT id, status, registered_at, updated_at FROM events_registration WHERE event_id = %(event)s
    ), entry AS MATERIALIZED (
        SELECT registration_id AS id, min(scanned_at) AS at FROM checkin_scan AS scan
        WHERE event_id = %(event)s AND {STANDS} GROUP BY registration_id
    ), standing AS (
        SELECT count(*) AS registered,
               count(*) FILTER (WHERE status = 'pending') AS pending,
               count(*) FILTER (WHERE status = 'confirmed') AS confirmed,
               count(*) FILTER (WHERE status = 'waitlisted') AS waitlisted,
               count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
               min(registered_at) FILTER (WHERE status = 'waitlisted') AS since,
               count(at) AS admitted,
               count(*) FILTER (WHERE status = 'confirmed' AND at IS NULL) AS absent
        FROM registration LEFT JOIN entry USING (id)
    ), steps AS (
        SELECT count(*) FILTER (WHERE type = 'registration.promoted') AS promoted,
               count(*) FILTER (WHERE type = 'registration.declined') AS declined,
               count(*) FILTER (WHERE type = 'registration.transferred') AS transferred
        FROM journal_fact
        WHERE event_id = %(event)s
          AND type IN ('registration.promoted', 'registration.declined', 'registration.transferred')
    ), quarter AS (
        SELECT date_bin('15 minutes', registered_at, 'epoch') AS at, count(*) AS registered, 0 AS cancelled
        FROM registration GROUP BY 1
        UNION ALL
        SELECT date_bin('15 minutes', updated_at, 'epoch'), 0, count(*)
        FROM registration WHERE status = 'cancelled' GROUP BY 1
    ), bucket AS (
        SELECT date_trunc(%(bucket)s, at, %(timezone)s) AS start,
               sum(registered)::bigint AS registered, sum(cancelled)::bigint AS cancelled
        FROM quarter GROUP BY 1
    ), arrival AS (
        SELECT date_bin('15 minutes', at, 'epoch') AS start, count(*) AS admitted FROM entry GROUP BY 1
    )
    SELECT standing.*, steps.*,
           (SELECT json_agg(bucket ORDER BY start) FROM bucket) AS over_time,
           (SELECT json_agg(arrival ORDER BY start) FROM arrival) AS arrivals
    FROM standing, steps
    """,
    prepare=False,  # some events have five guests and some a million
)


class Figures(TypedDict):
    bucket: str
    timezone: str
    capacity: int | None
    funnel: dict[str, int]
    waiting_list: dict[str, Any]
    over_time: list[dict[str, Any]]
    door: dict[str, Any]


def figures(event: Event, *, bucket: str, timezone: str, now: datetime) -> Figures:
    """Of buckets only those in which something happened; of arrivals the quarters of an hour in which somebody came.

    Who did not come is known once the door has closed, and where it was used at all.
    """
    [row] = FIGURES.rows({"event": event.pk, "bucket": bucket, "timezone": timezone})
    is_known = event.door_closes <= now and row["admitted"] > 0
    return {
        "bucket": bucket,
        "timezone": timezone,
        "capacity": event.capacity,
        "funnel": {name: row[name] for name in FUNNEL},
        "waiting_list": {"waiting": row["waitlisted"], "promoted": row["promoted"], "since": row["since"]},
        "over_time": with_times(row["over_time"]),
        "door": {
            "admitted": row["admitted"],
            "no_shows": row["absent"] if is_known else None,
            "arrivals": with_times(row["arrivals"]),
        },
    }


def with_times(rows: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    return [row | {"start": datetime.fromisoformat(row["start"])} for row in rows or ()]
