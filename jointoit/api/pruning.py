"""What has served its time: old idempotency keys and rate buckets that are full again."""

from collections.abc import Callable
from datetime import datetime

from jointoit.api.http import idempotency
from jointoit.api.throttling import buckets
from jointoit.api.throttling.rates import microseconds

BATCH = 1000  # rows in one statement: its locks are short


def prune(now: datetime, *, batch: int = BATCH) -> dict[str, int]:
    """Delete all that is due, batch by batch; the number of rows of each kind."""
    return {
        "idempotency keys": drain(lambda: idempotency.prune(now, batch), batch),
        "rate buckets": drain(lambda: buckets.prune(microseconds(now), batch), batch),
    }


def drain(delete: Callable[[], int], batch: int) -> int:
    total = deleted = delete()
    while deleted >= batch:
        deleted = delete()
        total += deleted
    return total
