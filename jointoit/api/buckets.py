"""Where the buckets stand: in Redis, or in PostgreSQL for what must be counted without it; in this process always.

Each of the three takes one step of GCRA (see `jointoit.api.rates`) atomically: concurrent requests never pass beyond
the quota. A bucket is its TAT and the latest clock it has seen: a request that read its clock earlier and arrives later
is counted as of then. Redis may be lost at any moment; what this process let through meanwhile, it still knows.
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

#: KEYS[1] the bucket; ARGV now, interval and reach in microseconds. Answers {allowed, tat, now}. A number goes out
#: through string.format: Lua's own conversion keeps 14 digits of the 16 there are.
STEP = """
local function digits(number) return string.format('%.0f', number) end
local state = redis.call('HMGET', KEYS[1], 'tat', 'seen')
local interval, reach = tonumber(ARGV[2]), tonumber(ARGV[3])
local now = math.max(tonumber(ARGV[1]), tonumber(state[2] or '0'))
local tat = math.max(now, tonumber(state[1] or '0'))
if tat + interval - now > reach then
  return {0, digits(tat), digits(now)}
end
tat = tat + interval
redis.call('HSET', KEYS[1], 'tat', digits(tat), 'seen', digits(now))
redis.call('PEXPIRE', KEYS[1], math.ceil((tat - now) / 1000))
return {1, digits(tat), digits(now)}
"""

#: The row stays locked from the conflict on, so what stands after SET sees the newest values.
UPSERT = """
INSERT INTO api_ratebucket AS bucket (key, tat, seen, allowed)
VALUES (%(key)s, %(now)s + %(interval)s, %(now)s, true)
ON CONFLICT (key) DO UPDATE SET (tat, seen, allowed) = (
  SELECT stands.tat + CASE WHEN stands.tat + %(interval)s - stands.now <= %(reach)s THEN %(interval)s ELSE 0 END,
         stands.now,
         stands.tat + %(interval)s - stands.now <= %(reach)s
  FROM (SELECT GREATEST(bucket.tat, %(now)s) AS tat, GREATEST(bucket.seen, %(now)s) AS now) AS stands
)
RETURNING allowed, tat, seen
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
            allowed, tat, seen = self.step(keys=[f"rate:{key.hex}"], args=[now, rate.interval, rate.reach])
        except (redis.RedisError, OSError) as error:
            self.breaker.failed()
            log.warning("throttle_without_redis", error=type(error).__name__)
            return None
        self.breaker.succeeded()
        return judge(scope, rate, allowed=bool(allowed), tat=int(tat), now=int(seen))


class DatabaseBuckets:
    """An unlogged table: as fast as it gets, and empty after a crash. Database errors go up: better 503 than open."""

    def spend(self, scope: str, key: UUID, rate: Rate, now: int) -> Spent:
        facts: dict[str, UUID | int] = {"key": key, "now": now, "interval": rate.interval, "reach": rate.reach}
        with connection.cursor() as cursor:
            cursor.execute(UPSERT, facts)
            allowed, tat, seen = cursor.fetchone()
        return judge(scope, rate, allowed=allowed, tat=tat, now=seen)


class ProcessBuckets:
    """A dictionary of this process: each process grants the quota, which protects the machine though not the sum."""

    LARGEST = 50_000  # buckets; then those that are full again go, and if that is not half of them, all

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.states: dict[UUID, tuple[int, int]] = {}

    def spend(self, scope: str, key: UUID, rate: Rate, now: int) -> Spent:
        with self.lock:
            tat, seen = self.states.get(key, (0, 0))
            now = max(now, seen)
            tat = max(now, tat)
            allowed = tat + rate.interval - now <= rate.reach
            if allowed:
                tat += rate.interval
                self.make_room(now)
                self.states[key] = tat, now
        return judge(scope, rate, allowed=allowed, tat=tat, now=now)

    def make_room(self, now: int) -> None:
        if len(self.states) >= self.LARGEST:
            self.states = {key: state for key, state in self.states.items() if state[0] > now}
            if len(self.states) > self.LARGEST // 2:
                self.states.clear()


@lru_cache(maxsize=8)
def redis_buckets(url: str) -> RedisBuckets:
    return RedisBuckets(url)


database_buckets = DatabaseBuckets()
process_buckets = ProcessBuckets()


def spend(scope: str, identity: str, rate: Rate, now: int, *, sensitive: bool) -> Spent:
    """Take one request out of the bucket of `identity` in `scope`, wherever it can be counted now.

    What the shared bucket lets through is counted in this process as well: should Redis stumble in a rush, the bucket
    that takes over is not a fresh one.
    """
    key = key_of(scope, identity)
    spent = redis_buckets(settings.REDIS_URL).spend(scope, key, rate, now) if settings.REDIS_URL else None
    if spent is None and sensitive:
        spent = database_buckets.spend(scope, key, rate, now)
    if spent is not None and not spent.allowed:
        return spent
    here = process_buckets.spend(scope, key, rate, now)
    return spent if spent is not None and here.allowed else here


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
