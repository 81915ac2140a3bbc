"""Where the buckets stand: in Redis; without it in PostgreSQL, for what must never be let through, or in this process.

Each of the three takes one step of GCRA (see `jointoit.api.rates`) atomically: concurrent requests never pass beyond
the quota. Redis may be lost at any moment; the quotas then start anew in the other place.
"""

import hashlib
import threading
import time
from functools import lru_cache
from uuid import UUID

import redis
import structlog
from django.conf import settings
from django.db import connection
from redis.backoff import NoBackoff
from redis.retry import Retry

from jointoit.api.rates import SECOND, Rate, Spent, judge

log = structlog.get_logger(__name__)

TIMEOUT = 0.05  # seconds; a throttle that makes requests wait is worse than one that counts elsewhere
ERRORS_TO_OPEN = 3
PAUSE = 5.0  # seconds without Redis after it failed; then one request tries it again

#: KEYS[1] the bucket; ARGV now, interval and reach in microseconds. Answers {allowed, tat}. A number goes out through
#: string.format: Lua's own conversion keeps 14 digits of the 16 there are.
STEP = """
local now, interval, reach = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local tat = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
if tat + interval - now > reach then
  return {0, string.format('%.0f', tat)}
end
tat = tat + interval
redis.call('SET', KEYS[1], string.format('%.0f', tat), 'PX', math.ceil((tat - now) / 1000))
return {1, string.format('%.0f', tat)}
"""

#: The row stays locked from the conflict on, so the CASE sees the newest `tat`.
UPSERT = """
INSERT INTO api_ratebucket AS bucket (key, tat, allowed) VALUES (%(key)s, %(now)s + %(interval)s, true)
ON CONFLICT (key) DO UPDATE SET
  allowed = GREATEST(bucket.tat, %(now)s) + %(interval)s - %(now)s <= %(reach)s,
  tat = GREATEST(bucket.tat, %(now)s)
      + CASE WHEN GREATEST(bucket.tat, %(now)s) + %(interval)s - %(now)s <= %(reach)s THEN %(interval)s ELSE 0 END
RETURNING allowed, tat
"""


class Breaker:
    """Keeps callers from waiting for a part that is ill: open after three errors in a row, then one probe at a time."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.errors = 0
        self.closed_until_error = True
        self.probe_at = 0.0

    def lets_through(self) -> bool:
        if self.closed_until_error:
            return True
        with self.lock:
            if time.monotonic() < self.probe_at:
                return False
            self.probe_at = time.monotonic() + PAUSE
            return True

    def succeeded(self) -> None:
        with self.lock:
            self.errors, self.closed_until_error = 0, True

    def failed(self) -> None:
        with self.lock:
            self.errors += 1
            if self.errors >= ERRORS_TO_OPEN:
                self.closed_until_error, self.probe_at = False, time.monotonic() + PAUSE


class RedisBuckets:
    def __init__(self, url: str) -> None:
        # redis-py retries ten times by default, which turns 50 ms into seconds.
        client = redis.Redis.from_url(
            url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=Retry(NoBackoff(), 0)
        )
        self.step = client.register_script(STEP)
        self.breaker = Breaker()

    def spend(self, scope: str, key: UUID, rate: Rate, now: int) -> Spent | None:
        """One step; None when Redis cannot say."""
        if not self.breaker.lets_through():
            return None
        try:
            allowed, tat = self.step(keys=[f"rate:{key.hex}"], args=[now, rate.interval, rate.reach])
        except (redis.RedisError, OSError) as error:
            self.breaker.failed()
            log.warning("throttle_without_redis", error=type(error).__name__)
            return None
        self.breaker.succeeded()
        return judge(scope, rate, allowed=bool(allowed), tat=int(tat), now=now)


class DatabaseBuckets:
    """An unlogged table: as fast as it gets, and empty after a crash. Database errors go up: better 503 than open."""

    def spend(self, scope: str, key: UUID, rate: Rate, now: int) -> Spent:
        facts: dict[str, UUID | int] = {"key": key, "now": now, "interval": rate.interval, "reach": rate.reach}
        with connection.cursor() as cursor:
            cursor.execute(UPSERT, facts)
            allowed, tat = cursor.fetchone()
        return judge(scope, rate, allowed=allowed, tat=tat, now=now)


class ProcessBuckets:
    """A dictionary of this process: each process grants the quota, which protects the machine though not the sum."""

    LARGEST = 50_000  # buckets; then those that are full again go, and if none is, all

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.tats: dict[UUID, int] = {}

    def spend(self, scope: str, key: UUID, rate: Rate, now: int) -> Spent:
        with self.lock:
            tat = max(self.tats.get(key, 0), now)
            allowed = tat + rate.interval - now <= rate.reach
            if allowed:
                tat += rate.interval
                self.make_room(now)
                self.tats[key] = tat
        return judge(scope, rate, allowed=allowed, tat=tat, now=now)

    def make_room(self, now: int) -> None:
        if len(self.tats) >= self.LARGEST:
            self.tats = {key: tat for key, tat in self.tats.items() if tat > now}
        if len(self.tats) >= self.LARGEST:
            self.tats.clear()


@lru_cache(maxsize=8)
def redis_buckets(url: str) -> RedisBuckets:
    return RedisBuckets(url)


database_buckets = DatabaseBuckets()
process_buckets = ProcessBuckets()


def spend(scope: str, identity: str, rate: Rate, now: int, *, sensitive: bool) -> Spent:
    """Take one request out of the bucket of `identity` in `scope`, wherever it can be counted now."""
    key = key_of(scope, identity)
    if settings.REDIS_URL and (spent := redis_buckets(settings.REDIS_URL).spend(scope, key, rate, now)):
        return spent
    return (database_buckets if sensitive else process_buckets).spend(scope, key, rate, now)


def key_of(scope: str, identity: str) -> UUID:
    """A digest: of one size whatever a client calls itself, and nobody's address or name lies about in Redis."""
    facts = f"{scope}\0{identity}".encode(errors="surrogatepass")
    return UUID(bytes=hashlib.blake2b(facts, digest_size=16).digest())


def prune(now: int, batch: int) -> int:
    """Delete up to `batch` buckets of the table that are full again; the number deleted.

    A second of mercy for a request whose clock is behind.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM api_ratebucket WHERE key IN "
            "(SELECT key FROM api_ratebucket WHERE tat < %s LIMIT %s FOR UPDATE SKIP LOCKED)",
            [now - SECOND, batch],
        )
        return int(cursor.rowcount)
