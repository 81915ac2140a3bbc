"""How much is allowed: the rates of the settings and the arithmetic of GCRA (generic cell rate algorithm, ITU-T I.371).

A bucket is one number, the theoretical arrival time (TAT): the moment at which the whole quota is free again. All
times are integers in microseconds since 1970, so that Lua, PostgreSQL and Python count alike.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from typing import NamedTuple

from django.conf import settings

SECONDS = {"s": 1, "sec": 1, "min": 60, "hour": 3600, "day": 86400}
PATTERN = re.compile(rf"([1-9][0-9]{{0,5}})/({'|'.join(SECONDS)})")
SECOND = 1_000_000  # in microseconds
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Rate:
    """`quota` requests in any `window` seconds, all at once if need be; one becomes free every `interval`."""

    quota: int
    window: int

    @cached_property
    def interval(self) -> int:
        return self.window * SECOND // self.quota

    @cached_property
    def burst(self) -> int:
        """How far ahead of the clock a TAT may lie, in microseconds."""
        return self.interval * self.quota


@lru_cache(maxsize=64)
def parse(text: str) -> Rate | None:
    """Read such as `120/min`; None for `off`. Raises ValueError."""
    if text == "off":
        return None
    if not (match := PATTERN.fullmatch(text)):
        raise ValueError(f"{text!r} is not a rate such as 120/min, 10/s or 20/hour, and not off.")
    return Rate(int(match[1]), SECONDS[match[2]])


def rate_of(scope: str) -> Rate | None:
    """The rate that holds for a scope now; None when it is switched off. Raises KeyError for a scope without one."""
    return parse(settings.RATES[scope])


class BucketRequest(NamedTuple):
    """One request for one bucket. A sensitive one is never let through uncounted."""

    scope: str
    key: str
    rate: Rate
    sensitive: bool


def key_of(scope: str, identity: str) -> str:
    """A digest in hexadecimal: of one size whatever a client calls itself, and nobody's address is in Redis."""
    facts = f"{scope}\0{identity}".encode(errors="surrogatepass")
    return hashlib.blake2b(facts, digest_size=16).hexdigest()


class RateStatus(NamedTuple):
    """What a bucket said: whether the request may pass, and the bucket's state after it."""

    scope: str
    rate: Rate
    allowed: bool
    remaining: int
    full_after: int  # seconds until the whole quota is free again, if nothing more is taken
    retry_after: int  # seconds until one more may pass; 0 when it may now

    def given_back(self) -> "RateStatus":
        """What it would have said before the request that it let through."""
        full_after = max(0, self.full_after - ceil_seconds(self.rate.interval))
        return self._replace(remaining=self.remaining + 1, full_after=full_after)


def status_of(wanted: BucketRequest, *, allowed: bool, tat: int, now: int) -> RateStatus:
    """A bucket's answer in the terms of the headers; `tat` as it stands after the request."""
    rate = wanted.rate
    room = max(0, rate.burst - max(0, tat - now))
    wait = max(0, tat + rate.interval - rate.burst - now)
    full_after = ceil_seconds(max(0, tat - now))
    return RateStatus(wanted.scope, rate, allowed, room // rate.interval, full_after, ceil_seconds(wait))


def ceil_seconds(microseconds: int) -> int:
    return -(-microseconds // SECOND)


def microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)
