"""Figures of an event, in three statements: who asked when, where they stand, and what became of the waiting list."""

from typing import Any, Final

from jointoit.api.lists.prepared import PreparedQuery
from jointoit.events.models import Event

BUCKETS: Final = ("hour", "day", "week", "month")
#: A bucket begins by the clock of the zone (`date_trunc` with a zone): a day may have 23 or 25 hours.
OVER_TIME: Final = PreparedQuery(
    """
    SELECT date_trunc(%(bucket)s, at, %(timezone)s) AS start,
           count(*) FILTER (WHERE came) AS registered, count(*) FILTER (WHERE NOT came) AS cancelled
    FROM (SELECT registered_at AS at, true AS came FROM events_registration WHERE event_id = %(event)s
          UNION ALL
          SELECT updated_at, false FROM events_registration
          WHERE event_id = %(event)s AND status = 'cancelled') AS steps
    GROUP BY start ORDER BY start
    """,
    prepare=False,  # some events have five guests and some a million
)
STANDING: Final = PreparedQuery(
    """
    SELECT count(*) AS registered,
           count(*) FILTER (WHERE status = 'pending') AS pending,
           count(*) FILTER (WHERE status = 'confirmed') AS confirmed,
           count(*) FILTER (WHERE status = 'waitlisted') AS waitlisted,
           count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
           min(registered_at) FILTER (WHERE status = 'waitlisted') AS waiting_since
    FROM events_registration WHERE event_id = %(event)s
    """,
    prepare=False,
)
STEPS: Final = PreparedQuery(
    """
    SELECT count(*) FILTER (WHERE type = 'registration.promoted') AS promoted,
           count(*) FILTER (WHERE type = 'registration.declined') AS declined,
           count(*) FILTER (WHERE type = 'registration.transferred') AS transferred
    FROM journal_fact
    WHERE event_id = %(event)s
      AND type IN ('registration.promoted', 'registration.declined', 'registration.transferred')
    """,
    prepare=False,
)


def figures(event: Event, *, bucket: str, timezone: str) -> dict[str, Any]:
    """`{bucket, timezone, capacity, funnel, waiting_list, over_time}`; only buckets in which something happened."""
    values: dict[str, Any] = {"event": event.pk, "bucket": bucket, "timezone": timezone}
    standing, steps = STANDING.row(values) or {}, STEPS.row(values) or {}
    funnel = {name: standing[name] for name in ("registered", "pending", "confirmed", "waitlisted", "cancelled")}
    return {
        "bucket": bucket,
        "timezone": timezone,
        "capacity": event.capacity,
        "funnel": funnel | {"declined": steps["declined"], "transferred": steps["transferred"]},
        "waiting_list": {
            "waiting": standing["waitlisted"],
            "promoted": steps["promoted"],
            "since": standing["waiting_since"],
        },
        "over_time": OVER_TIME.rows(values),
    }
