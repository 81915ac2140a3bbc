"""`date=` against the calendar: every year, the months of many, and the days of some of each kind."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from jointoit.events.calendar_dates import Span, span

ZONE = ZoneInfo("UTC")
YEARS = range(10_000)
KINDS = (0, 1, 1900, 2000, 2026, 2028, 9998, 9999)  # none, first, common, leap; the last that can be told, none


def read(text: str) -> Span | None:
    try:
        return span(text, ZONE)
    except (ValueError, OverflowError):
        return None


def meant(year: int, month: int | None = None, day: int | None = None) -> Span | None:
    """By the calendar of the standard library, from the beginning to the day behind the last one."""
    months = range(1, 13) if month is None else [month]
    if not 1 <= year <= 9998 or not all(1 <= each <= 12 for each in months):
        return None
    days = monthrange(year, months[-1])[1]
    if day is not None and not 1 <= day <= days:
        return None
    first = datetime(year, months[0], day or 1, tzinfo=UTC)
    return Span(first, datetime(year, months[-1], day or days, tzinfo=UTC) + timedelta(days=1))


def test_each_year_of_four_digits_is_that_year_or_refused() -> None:
    assert [year for year in YEARS if read(f"{year:04}") != meant(year)] == []


def test_each_month_of_two_digits_is_that_month_or_refused() -> None:
    every = ((year, month) for year in (*YEARS[::97], *KINDS) for month in range(100))
    assert [each for each in every if read("{:04}-{:02}".format(*each)) != meant(*each)] == []


@pytest.mark.parametrize("year", KINDS)
def test_each_day_of_two_digits_is_that_day_or_refused(year: int) -> None:
    every = ((year, month, day) for month in range(100) for day in range(100))
    assert [each for each in every if read("{:04}-{:02}-{:02}".format(*each)) != meant(*each)] == []


@pytest.mark.parametrize("text", ["2026-00", "2026-05-00", "2026-00-00", "0000", "2026-13", "2026-02-30"])
def test_a_date_that_no_calendar_has_is_refused(api, text: str, db: None) -> None:
    answer = api.get("/events/", {"date": text})

    assert (answer.status_code, [error["parameter"] for error in answer.json()["errors"]]) == (400, ["date"])
