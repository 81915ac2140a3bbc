"""Reads `date=2026`, `2026-05`, `2026-05-17` as the half-open range of instants that a time zone gives it."""

import re
from datetime import MAXYEAR, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

PATTERN = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")


class Span(NamedTuple):
    """From `start` up to, but not including, `end`; both aware."""

    start: datetime
    end: datetime


def span(text: str, zone: ZoneInfo) -> Span:
    """Return the year, month or day that `text` names, as it is lived in `zone`.

    A day is what lies between two local midnights, so it may have 23 or 25 hours. Raises ValueError;
    OverflowError for a year too early or too late.
    """
    if not (match := PATTERN.fullmatch(text)):
        raise ValueError("not a date")
    year, month, day = (None if part is None else int(part) for part in match.groups())
    assert year is not None
    if not 0 < year < MAXYEAR:
        raise OverflowError("this year has no beginning or no end that can be told")
    first = datetime(year, 1 if month is None else month, 1 if day is None else day, tzinfo=zone)
    if day is not None:
        return Span(first, first + timedelta(days=1))  # wall-clock arithmetic: the next local midnight
    if month is not None:
        return Span(first, datetime(year + month // 12, month % 12 + 1, 1, tzinfo=zone))
    return Span(first, datetime(year + 1, 1, 1, tzinfo=zone))
