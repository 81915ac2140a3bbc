"""Times as a reader wants them: in the event's zone, then in their own where it shows another clock."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.formats import date_format


def zone(name: str) -> ZoneInfo:
    """The zone of that IANA name; UTC for one that is not known (any more), for a mail must go out all the same."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


@dataclass(frozen=True)
class When:
    """The time of an event, as a date, a span of hours, and the zone they are written in."""

    starts: datetime
    ends: datetime | None

    def __str__(self) -> str:
        return f"{self.day}, {self.hours} ({self.zone})"

    @property
    def day(self) -> str:
        return date_format(self.starts, "l, j F Y")

    @property
    def hours(self) -> str:
        """`19:00`, `19:00–21:00`, or with the day of the end where that is another.

        `02:30 CEST–02:30 CET` where one of them comes twice, or the clocks change in between.
        """
        both = [self.starts] if self.ends is None else [self.starts, self.ends]
        clear = len({at.utcoffset() for at in both}) == 1 and not any(is_ambiguous(at) for at in both)
        start, *end = (f"{at:%H:%M}" if clear else f"{at:%H:%M} {at:%Z}" for at in both)
        if self.ends is None:
            return start
        if self.ends.date() == self.starts.date():
            return f"{start}–{end[0]}"
        return f"{start} – {date_format(self.ends, 'l, j F Y')}, {end[0]}"

    @property
    def zone(self) -> str:
        return str(self.starts.tzinfo).replace("_", " ")


def is_ambiguous(at: datetime) -> bool:
    """Whether the clocks of its zone show this time twice, for they are set back."""
    return at.replace(fold=0).utcoffset() != at.replace(fold=1).utcoffset()


def moment(at: datetime, timezone: str) -> str:
    """A time by itself, such as until when something is good."""
    return str(When(at.astimezone(zone(timezone)), None))


def when(event: Any, timezone: str) -> When:
    """When an event is, by its `date` and `ends_at`, on the clocks of a zone."""
    local = zone(timezone)
    return When(event.date.astimezone(local), event.ends_at.astimezone(local) if event.ends_at else None)


def for_reader(event: Any, timezone: str) -> When | None:
    """The time by the reader's clocks, or None where those at the event show the same."""
    there, here = when(event, event.timezone), when(event, timezone)
    same = there.starts.utcoffset() == here.starts.utcoffset() and there.hours == here.hours
    return None if same else here
