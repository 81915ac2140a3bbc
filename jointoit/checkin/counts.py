"""What the door shows of an event: how many are in, by gate, and what went wrong; computed from all scans."""

from datetime import datetime
from typing import Any, Final

from jointoit.api.lists.prepared import PreparedQuery
from jointoit.checkin.door import STANDS
from jointoit.events.models import Event

#: Over `scan`: it let somebody in after another had.
CONTRADICTS: Final = f"""
    ({STANDS} AND EXISTS (
        SELECT FROM checkin_scan AS earlier
        WHERE earlier.registration_id = scan.registration_id AND earlier.entered AND earlier.undone_at IS NULL
          AND (earlier.scanned_at, earlier.id) < (scan.scanned_at, scan.id)))
"""
#: Of each gate: people count where they were first, so that the gates add up to who is in.
BY_GATE: Final = PreparedQuery(f"""
    SELECT gate, count(*) FILTER (WHERE {STANDS} AND NOT contradicts) AS admitted,
           count(*) FILTER (WHERE result = 'refused' AND undone_at IS NULL) AS refused,
           count(*) FILTER (WHERE contradicts) AS conflicts, max(received_at) AS last_scan_at
    FROM (SELECT scan.*, {CONTRADICTS} AS contradicts FROM checkin_scan AS scan WHERE event_id = %(event)s) AS scan
    GROUP BY gate ORDER BY gate NULLS LAST
""")
CONFIRMED: Final = PreparedQuery("SELECT seats_taken FROM events_event WHERE id = %(event)s")


def summary(event: Event, *, now: datetime) -> dict[str, Any]:
    """The figures of one event."""
    gates = BY_GATE.rows({"event": event.pk})
    [confirmed] = CONFIRMED.rows({"event": event.pk})
    totals = {name: sum(row[name] for row in gates) for name in ("admitted", "refused", "conflicts")}
    return {
        "opens_at": event.door_opens,
        "closes_at": event.door_closes,
        "confirmed": confirmed["seats_taken"],
        **totals,
        "gates": [{name: row[name] for name in ("gate", "admitted", "refused", "conflicts")} for row in gates],
        "last_scan_at": max((row["last_scan_at"] for row in gates), default=None),
        "server_time": now,
    }
