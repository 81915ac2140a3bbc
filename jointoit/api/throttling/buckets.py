"""Where the buckets stand: in Redis, or in PostgreSQL for what must be counted without it; in this process always.

Each of the three takes one step of GCRA (see `rates`) atomically: concurrent requests never pass beyond the quota. A
bucket is its TAT and the latest clock it has seen: a request that read its clock earlier and arrives later is counted
as of then. Redis may be lost at any moment; what this process let through meanwhile, it still knows.
"""

from collections.abc import Sequence
from itertools import zip_longest

from django.conf import settings

from jointoit.api.throttling import postgresql
from jointoit.api.throttling.memory import ProcessBuckets
from jointoit.api.throttling.rates import BucketRequest, RateStatus, status_of
from jointoit.api.throttling.redis import redis_buckets

process_buckets = ProcessBuckets()


def take(requests: Sequence[BucketRequest], now: int) -> list[RateStatus]:
    """Take one request out of each bucket, wherever it can be counted now; the answers up to the first refusal.

    What the shared bucket lets through is counted in this process as well: should Redis stumble in a rush, the bucket
    that takes over is not a fresh one.
    """
    shared = redis_buckets(settings.REDIS_URL).take(requests, now) if requests and settings.REDIS_URL else None
    found: list[RateStatus] = []
    for wanted, status in zip_longest(requests, shared or ()):
        found.append(combined(wanted, status, now))
        if not found[-1].allowed:
            break
    return found


def give_back(requests: Sequence[BucketRequest]) -> None:
    """Put one request back into each bucket that it was taken out of."""
    for wanted in requests:
        process_buckets.give_back(wanted)
    if settings.REDIS_URL and redis_buckets(settings.REDIS_URL).give_back(requests):
        return
    for wanted in requests:
        if wanted.sensitive:
            postgresql.give_back(wanted)


def combined(wanted: BucketRequest, shared: RateStatus | None, now: int) -> RateStatus:
    """What holds for one bucket, given what Redis said of it, if it did."""
    status = shared or (postgresql.take(wanted, now) if wanted.sensitive else None)
    if status is not None and not status.allowed:
        return status
    allowed, tat, seen = process_buckets.take(wanted, now)
    if status is not None and allowed:
        return status
    return status_of(wanted, allowed=allowed, tat=tat, now=seen)
