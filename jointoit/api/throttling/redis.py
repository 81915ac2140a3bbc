"""Buckets in Redis, which all processes share: one script takes one step of GCRA in each (see `rates`)."""

import os
import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from jointoit.api.throttling.rates import BucketRequest, RateStatus, status_of
from jointoit.process.breaker import Breaker

log = structlog.get_logger(__name__)

TIMEOUT: Final = 0.05  # seconds; a throttle that makes requests wait is worse than one that counts elsewhere

#: KEYS the buckets; ARGV now, then interval and burst of each, in microseconds. Answers {allowed, tat, now} of each up
#: to the first that refuses. A number goes out through string.format: Lua's own conversion keeps 14 digits of the 16.
STEP = """
local function digits(number) return string.format('%.0f', number) end
local answers = {}
for place, key in ipairs(KEYS) do
  local state = redis.call('HMGET', key, 'tat', 'seen')
  local interval, burst = tonumber(ARGV[2 * place]), tonumber(ARGV[2 * place + 1])
  local now = math.max(tonumber(ARGV[1]), tonumber(state[2] or '0'))
  local tat = math.max(now, tonumber(state[1] or '0'))
  if tat + interval - now > burst then
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


#: KEYS the buckets; ARGV the interval of each, which goes back where the bucket is still there.
GIVE_BACK = """
for place, key in ipairs(KEYS) do
  if redis.call('EXISTS', key) == 1 then redis.call('HINCRBY', key, 'tat', '-' .. ARGV[place]) end
end
"""


class RedisBuckets:
    """Each thread keeps a client with one connection: lending one from a pool costs as much as the step itself."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.breaker = Breaker()
        self.renew()
        os.register_at_fork(after_in_child=self.renew)

    def renew(self) -> None:
        """A forked child shares no connection with its parent."""
        self.kept = threading.local()

    def take(self, requests: Sequence[BucketRequest], now: int) -> list[RateStatus] | None:
        """What the buckets say, up to the first that refuses; None when Redis cannot say."""
        values = [now, *(value for wanted in requests for value in (wanted.rate.interval, wanted.rate.burst))]
        found = self.run(STEP, requests, values)
        return found and [
            status_of(wanted, allowed=bool(allowed), tat=int(tat), now=int(seen))
            for wanted, (allowed, tat, seen) in zip(requests, found, strict=False)
        ]

    def give_back(self, requests: Sequence[BucketRequest]) -> bool:
        """Whether Redis could be told."""
        return self.run(GIVE_BACK, requests, [wanted.rate.interval for wanted in requests], answer=True) is not None

    def run(self, text: str, requests: Sequence[BucketRequest], values: list[int], answer: Any = None) -> Any:
        """What a script says, or `answer` where it says nothing; None when Redis cannot say."""
        if not self.breaker.lets_through():
            return None
        try:
            found = self.script(text)(keys=[f"rate:{wanted.key}" for wanted in requests], args=values)
        except (redis.RedisError, OSError) as error:
            self.breaker.failed()
            log.warning(
                "throttle_without_redis",
                error=type(error).__name__,
                hint="Look at REDIS_URL; PostgreSQL counts meanwhile.",
            )
            return None
        self.breaker.succeeded()
        return answer if found is None else found

    def script(self, text: str) -> Any:
        """This thread's. A connection that the other side ended since the last request is made anew, once.

        redis-py retries ten times by default, which turns 50 ms into seconds.
        """
        if not hasattr(self.kept, "scripts"):
            once_more = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
            timeouts = {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT}
            client = redis.Redis.from_url(self.url, single_connection_client=True, retry=once_more, **timeouts)
            self.kept.scripts = {each: client.register_script(each) for each in (STEP, GIVE_BACK)}
        return self.kept.scripts[text]


@lru_cache(maxsize=8)
def redis_buckets(url: str) -> RedisBuckets:
    return RedisBuckets(url)
