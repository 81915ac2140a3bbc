"""What must hold of webhooks at every moment, as queries that return whoever breaks it."""

from collections.abc import Iterator
from datetime import datetime

from django.db import connection

from jointoit.process.place import HERE

UNSETTLED = """
    SELECT format('message %%s: is %%s, and not settled', id, state) FROM webhooks_message
    WHERE (state = 'pending') <> (settled_at IS NULL)
"""
CLAIMED = """
    SELECT format('message %%s: is %%s, and claimed', id, state) FROM webhooks_message
    WHERE state <> 'pending' AND claim IS NOT NULL
"""
UNEXPLAINED = """
    SELECT format('webhook %%s: is disabled, and nobody knows why', id) FROM webhooks_webhook
    WHERE enabled <> (disabled_reason = '')
"""
# In a copy that was restored the numbers of transactions begin anew: the position is of another era, and moves with it.
AHEAD = f"""
    SELECT format('position %%s: lies ahead of every transaction', place) FROM webhooks_position
    JOIN journal_feedstate AS state ON state.home = {HERE} AND state.era::text = place->>2
    WHERE (place->>0)::bigint > pg_snapshot_xmax(pg_current_snapshot())::text::bigint
"""


def violations(*, now: datetime) -> Iterator[str]:
    """Yield one sentence for each row that breaks a promise."""
    for query in (UNSETTLED, CLAIMED, UNEXPLAINED, AHEAD):
        with connection.cursor() as cursor:
            cursor.execute(query, {"now": now})
            yield from (line for (line,) in cursor)
