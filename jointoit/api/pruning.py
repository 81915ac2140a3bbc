"""What has served its time: old idempotency keys and rate buckets that are full again."""

from collections.abc import Callable
from datetime import datetime

from jointoit.api.http import idempotency
from jointoit.api.throttling import postgresql
from jointoit.api.throttling.rates import microseconds

BATCH = 1000  # rows in one statement: its locks are short


def prune(now: datetime, *, batch: int = BATCH) -> dict[str, int]:
    """Delete all that is due, batch by batch; the number of rows of each kind."""
    return {
        "idempotency keys": in_batches(lambda: idempotency.prune(now, batch), batch),
        "rate buckets": in_batches(lambda: postgresql.prune(microseconds(now), batch), batch),
    }


def in_batches(delete: Callable[[], int], batch: int) -> int:
    total = deleted = delete()
    while deleted >= batch:
        deleted = delete()
        total += deleted
    return total
