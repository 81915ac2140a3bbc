"""What the deployment remembers of the database outside of it: how many batches of mail were claimed there.

Files that were put back have the number of the day on which they were copied, and look in every other way like a
server that was only restarted. Redis and each sender remember the highest number that they saw; either can tell.
"""

from collections.abc import Callable
from typing import Any

import redis
import structlog
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from jointoit.process.breaker import Breaker

log = structlog.get_logger(__name__)

KEY = "jointoit:mail:claims"  # a sorted set: the number of each place
TIMEOUT = 0.5  # seconds
breaker = Breaker()
seen: dict[str, int] = {}  # by this process


def remember(place: str, claims: int) -> None:
    """To be called once a claim is committed, before the first of its mails goes out. Never fails."""
    seen[place] = max(claims, seen.get(place, 0))
    in_redis(lambda client: client.zadd(KEY, {place: claims}, gt=True))


def highest(place: str) -> int:
    """The highest number that anybody remembers of a place; 0 where nobody does."""
    return max(seen.get(place, 0), int(in_redis(lambda client: client.zscore(KEY, place)) or 0))


def in_redis(command: Callable[[Any], Any]) -> Any:
    """What Redis says; None where it is away, which costs little time and nothing else."""
    if not breaker.lets_through():
        return None
    timeouts = {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT}
    try:
        with redis.Redis.from_url(settings.REDIS_URL, retry=Retry(NoBackoff(), 0), **timeouts) as client:
            answer = command(client)
    except (redis.RedisError, OSError) as error:
        breaker.failed()
        log.info("mail_marks_without_redis", error=type(error).__name__)
        return None
    breaker.succeeded()
    return answer
