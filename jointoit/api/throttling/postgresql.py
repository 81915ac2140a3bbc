"""Buckets in an unlogged table of PostgreSQL: as fast as it gets there, and empty after a crash."""

from uuid import UUID

from django.db import connection

from jointoit.api.throttling.rates import SECOND, BucketRequest, RateStatus, status_of

#: The row stays locked from the conflict on, so what stands after SET sees the newest values.
UPSERT = """
INSERT INTO api_ratebucket AS bucket (key, tat, seen, allowed)
VALUES (%(key)s, %(now)s + %(interval)s, %(now)s, true)
ON CONFLICT (key) DO UPDATE SET (tat, seen, allowed) = (
  SELECT stands.tat + CASE WHEN stands.tat + %(interval)s - stands.now <= %(burst)s THEN %(interval)s ELSE 0 END,
         stands.now,
         stands.tat + %(interval)s - stands.now <= %(burst)s
  FROM (SELECT GREATEST(bucket.tat, %(now)s) AS tat, GREATEST(bucket.seen, %(now)s) AS now) AS stands
)
RETURNING allowed, tat, seen
"""


def take(wanted: BucketRequest, now: int) -> RateStatus:
    """Raises django.db.Error: better 503 than open."""
    values: dict[str, UUID | int] = {
        "key": UUID(wanted.key),
        "now": now,
        "interval": wanted.rate.interval,
        "burst": wanted.rate.burst,
    }
    with connection.cursor() as cursor:
        cursor.execute(UPSERT, values)
        allowed, tat, seen = cursor.fetchone()
    return status_of(wanted, allowed=allowed, tat=tat, now=seen)


def give_back(wanted: BucketRequest) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE api_ratebucket SET tat = tat - %s WHERE key = %s", [wanted.rate.interval, UUID(wanted.key)]
        )


def prune(now: int, batch: int) -> int:
    """Delete up to `batch` buckets that are full again; the number deleted.

    A second of mercy for a request whose clock is behind.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM api_ratebucket WHERE key IN "
            "(SELECT key FROM api_ratebucket WHERE tat < %s LIMIT %s FOR UPDATE SKIP LOCKED)",
            [now - SECOND, batch],
        )
        return int(cursor.rowcount)
