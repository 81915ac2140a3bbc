"""How much is allowed: the rates of the settings and the arithmetic of GCRA (generic cell rate algorithm, ITU-T I.371).

A bucket is one number, the theoretical arrival time (TAT): the moment at which the whole quota is free again. All
times are integers in microseconds since 1970, so that Lua, PostgreSQL and Python count alike.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import Error

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
    def reach(self) -> int:
        """How far ahead of the clock a TAT may lie."""
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


class Spent(NamedTuple):
    """What a bucket said: whether the request may pass, and the bucket's state after it."""

    scope: str
    rate: Rate
    allowed: bool
    remaining: int
    full_after: int  # seconds until the whole quota is free again, if nothing more is spent
    retry_after: int  # seconds until one more may pass; 0 when it may now


def judge(scope: str, rate: Rate, *, allowed: bool, tat: int, now: int) -> Spent:
    """Put a bucket's answer into the terms of the headers; `tat` as it stands after the request."""
    room = max(0, rate.reach - max(0, tat - now))
    wait = max(0, tat + rate.interval - rate.reach - now)
    return Spent(scope, rate, allowed, room // rate.interval, ceil_seconds(max(0, tat - now)), ceil_seconds(wait))


def ceil_seconds(microseconds: int) -> int:
    return -(-microseconds // SECOND)


def microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def check_rates(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[Error]:
    """A system check: a rate that cannot be read stops the start, rather than every request after it."""
    return [
        Error(str(problem), hint=f"Set RATE_{scope.upper()}.", id="jointoit.E001")
        for scope, text in settings.RATES.items()
        if (problem := problem_of(text))
    ]


def problem_of(text: str) -> ValueError | None:
    try:
        parse(text)
    except ValueError as problem:
        return problem
    return None
