"""Where the buckets stand: in Redis, or in PostgreSQL for what must be counted without it; in this process always.

Each of the three takes one step of GCRA (see `rates`) atomically: concurrent requests never pass beyond
the quota. A bucket is its TAT and the latest clock it has seen: a request that read its clock earlier and arrives later
is counted as of then. Redis may be lost at any moment; what this process let through meanwhile, it still knows.
"""

import hashlib
import os
import threading
import time
from collections.abc import Sequence
from functools import lru_cache
from itertools import zip_longest
from typing import Any, NamedTuple
from uuid import UUID

import redis
import structlog
from django.conf import settings
from django.db import connection
from redis.backoff import NoBackoff
from redis.retry import Retry

from jointoit.api.throttling.rates import SECOND, Rate, Spent, judge

log = structlog.get_logger(__name__)

TIMEOUT = 0.05  # seconds; a throttle that makes requests wait is worse than one that counts elsewhere
ERRORS_TO_OPEN = 3
PAUSE = 5.0  # seconds without Redis after it failed; then one request tries it again

#: KEYS the buckets; ARGV now, then interval and reach of each, in microseconds. Answers {allowed, tat, now} of each up
#: to the first that refuses. A number goes out through string.format: Lua's own conversion keeps 14 digits of the 16.
STEP = b"""
local function digits(number) return string.format('%.0f', number) end
local answers = {}
for place, key in ipairs(KEYS) do
  local state = redis.call('HMGET', key, 'tat', 'seen')
  local interval, reach = tonumber(ARGV[2 * place]), tonumber(ARGV[2 * place + 1])
  local now = math.max(tonumber(ARGV[1]), tonumber(state[2] or '0'))
  local tat = math.max(now, tonumber(state[1] or '0'))
  if tat + interval - now > reach then
    answers[place] = {0, digits(tat), digits(now)}
    return answers
  end
  tat = tat + interval
  redis.call('HSET', key, 'tat', digits(tat), 'seen', digits(now))
  redis.call('PEXPIRE', key, math.ceil((tat - now) / 1000))
  answers[place] = {1, digits(tat), digits(now)}
end
return answers
"""
STEP_NAME = hashlib.sha1(STEP, usedforsecurity=False).hexdigest()

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
        if self.errors:
            with self.lock:
                self.errors, self.closed_until_error = 0, True

    def failed(self) -> None:
        with self.lock:
            self.errors += 1
            if self.errors >= ERRORS_TO_OPEN:
                self.closed_until_error, self.probe_at = False, time.monotonic() + PAUSE


class Claim(NamedTuple):
    """One request for one bucket. A sensitive one is never let through uncounted."""

    scope: str
    key: str
    rate: Rate
    sensitive: bool


class RedisBuckets:
    """Each thread keeps a connection: lending one from a pool costs more than the step itself."""

    def __init__(self, url: str) -> None:
        # redis-py retries ten times by default, which turns 50 ms into seconds.
        self.pool = redis.ConnectionPool.from_url(
            url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=Retry(NoBackoff(), 0)
        )
        self.kept = threading.local()
        self.breaker = Breaker()

    def spend(self, claims: Sequence[Claim], now: int) -> list[Spent] | None:
        """What the buckets say, up to the first that refuses; None when Redis cannot say."""
        if not self.breaker.lets_through():
            return None
        keys = [f"rate:{claim.key}" for claim in claims]
        values = [now, *(value for claim in claims for value in (claim.rate.interval, claim.rate.reach))]
        try:
            answers = self.step(len(keys), *keys, *values)
        except (redis.RedisError, OSError) as error:
            self.breaker.failed()
            log.warning("throttle_without_redis", error=type(error).__name__)
            return None
        self.breaker.succeeded()
        return [
            judge(claim.scope, claim.rate, allowed=bool(allowed), tat=int(tat), now=int(seen))
            for claim, (allowed, tat, seen) in zip(claims, answers, strict=False)
        ]

    def step(self, *arguments: int | str) -> Any:
        try:
            return self.ask("EVALSHA", STEP_NAME, *arguments)
        except redis.exceptions.NoScriptError:  # Redis was started anew
            return self.ask("EVAL", STEP, *arguments)

    def ask(self, *words: bytes | int | str) -> Any:
        connection, is_kept = self.connection()
        try:
            connection.send_command(*words)  # type: ignore[no-untyped-call]
            return connection.read_response()
        except redis.ResponseError:
            raise
        except BaseException as error:
            connection.disconnect()  # type: ignore[no-untyped-call]  # an answer that comes late must not be taken for the next one
            if is_kept and isinstance(error, redis.ConnectionError) and not isinstance(error, redis.TimeoutError):
                return self.ask(*words)  # ended by the other side since the last request: that says nothing of now
            raise

    def connection(self) -> tuple[redis.Connection, bool]:
        """This thread's, and whether it has served before; a forked process has its own."""
        if getattr(self.kept, "pid", None) != os.getpid():
            self.kept.pid = os.getpid()
            # Not the pool's `make_connection`, which counts to a hundred and never hears of a thread that ended.
            self.kept.connection = self.pool.connection_class(**self.pool.connection_kwargs)
        return self.kept.connection, self.kept.connection.is_connected


class DatabaseBuckets:
    """An unlogged table: as fast as it gets, and empty after a crash. Database errors go up: better 503 than open."""

    def spend(self, claim: Claim, now: int) -> Spent:
        rate = claim.rate
        facts: dict[str, UUID | int] = {
            "key": UUID(claim.key),
            "now": now,
            "interval": rate.interval,
            "reach": rate.reach,
        }
        with connection.cursor() as cursor:
            cursor.execute(UPSERT, facts)
            allowed, tat, seen = cursor.fetchone()
        return judge(claim.scope, rate, allowed=allowed, tat=tat, now=seen)


class ProcessBuckets:
    """A dictionary of this process: each process grants the quota, which protects the machine though not the sum."""

    LARGEST = 50_000  # buckets; then those that are full again go, and if that is not half of them, all

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.states: dict[str, tuple[int, int]] = {}

    def take(self, claim: Claim, now: int) -> tuple[bool, int, int]:
        """Whether it may pass, the bucket's TAT then, and its clock."""
        _, key, rate, _ = claim
        with self.lock:
            tat, seen = self.states.get(key, (0, 0))
            now = max(now, seen)
            tat = max(now, tat)
            allowed = tat + rate.interval - now <= rate.reach
            if allowed:
                tat += rate.interval
                self.make_room(now)
                self.states[key] = tat, now
        return allowed, tat, now

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


def spend(claims: Sequence[Claim], now: int) -> list[Spent]:
    """Take one request out of each bucket, wherever it can be counted now; the answers up to the first refusal.

    What the shared bucket lets through is counted in this process as well: should Redis stumble in a rush, the bucket
    that takes over is not a fresh one.
    """
    shared = redis_buckets(settings.REDIS_URL).spend(claims, now) if claims and settings.REDIS_URL else None
    said: list[Spent] = []
    for claim, spent in zip_longest(claims, shared or ()):
        said.append(settle(claim, spent, now))
        if not said[-1].allowed:
            break
    return said


def settle(claim: Claim, shared: Spent | None, now: int) -> Spent:
    """What holds for one bucket, given what Redis said of it, if it did."""
    spent = shared or (database_buckets.spend(claim, now) if claim.sensitive else None)
    if spent is not None and not spent.allowed:
        return spent
    allowed, tat, seen = process_buckets.take(claim, now)
    if spent is not None and allowed:
        return spent
    return judge(claim.scope, claim.rate, allowed=allowed, tat=tat, now=seen)


def key_of(scope: str, identity: str) -> str:
    """A digest in hexadecimal: of one size whatever a client calls itself, and nobody's address is in Redis."""
    facts = f"{scope}\0{identity}".encode(errors="surrogatepass")
    return hashlib.blake2b(facts, digest_size=16).hexdigest()


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
