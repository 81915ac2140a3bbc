"""The calendar parts read by a second library, which takes the time zone from the part itself, and line by line."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import vobject

from jointoit.mail import messages as m
from jointoit.mail.calendar import event_calendar, seat_calendar
from tests.mail.samples import MEETING, sample
from tests.mail.test_rendering import NOW, on_the_wire

ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"]
TIMES = [
    datetime(2027, 1, 15, 12, 0, tzinfo=UTC),
    datetime(2027, 3, 28, 0, 59, tzinfo=UTC),  # a minute before summer time begins in Europe
    datetime(2027, 7, 1, 12, 0, tzinfo=UTC),
    datetime(2027, 10, 31, 1, 30, tzinfo=UTC),  # the hour that comes twice, the second time
]
CALENDARS = [m.RegistrationConfirmed, m.RegistrationPromoted, m.EventChanged, m.EventCancelled]


def part(message: m.SeatMessage) -> bytes:
    text = seat_calendar(message, promised_at=NOW)
    assert text
    return text


def read(text: bytes) -> Any:
    """Parse with a clean memory: vobject keeps the first zone it meets under each name, whatever its years."""
    zones = vars(vobject.icalendar)["__tzidMap"]
    for name in set(zones) - {"UTC"}:
        del zones[name]
    return vobject.readOne(text.decode())


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("starts", TIMES, ids=str)
def test_the_hour_is_right_by_the_time_zone_that_the_part_brings(zone: str, starts: datetime) -> None:
    event = replace(MEETING, timezone=zone, date=starts, ends_at=starts + timedelta(hours=2))

    entry = read(part(sample(m.RegistrationConfirmed, event=event))).vevent

    assert (entry.dtstart.value.astimezone(UTC), entry.dtend.value.astimezone(UTC)) == (event.date, event.ends_at)


def test_another_library_reads_the_same_fields() -> None:
    entry = read(part(sample(m.RegistrationConfirmed))).vevent

    assert (entry.uid.value, entry.sequence.value, entry.status.value) == (
        "event-5@jointoit.example", "2", "CONFIRMED"
    )  # fmt: skip
    assert (entry.summary.value, entry.location.value) == (MEETING.title, MEETING.location)
    assert (entry.organizer.value, entry.attendee.value) == (
        "mailto:events@jointoit.example", "mailto:ada@example.org"
    )  # fmt: skip


def test_text_of_any_kind_comes_back_as_it_was_written() -> None:
    title = 'Semi; comma, back\\slash "quotes" \N{PILE OF POO} ' + "Ünïcödé " * 20

    entry = read(part(sample(m.RegistrationConfirmed, event=replace(MEETING, title=title.strip())))).vevent

    assert entry.summary.value == title.strip()


@pytest.mark.parametrize("cls", CALENDARS)
def test_every_part_is_built_as_rfc_5545_wants_it(cls: type[m.SeatMessage]) -> None:
    text = part(sample(cls, event=replace(MEETING, title="Ünïcödé " * 20, timezone="Europe/Berlin")))
    read(text).validate(raiseException=True)
    lines = text.split(b"\r\n")
    names = [re.split(rb"[;:]", line)[0].decode() for line in lines if line and not line.startswith(b" ")]

    assert (lines[0], lines[-2:], b"\n" in text.replace(b"\r\n", b"")) == (
        b"BEGIN:VCALENDAR", [b"END:VCALENDAR", b""], False
    )  # fmt: skip
    assert max(map(len, lines)) <= 75  # octets, section 3.1
    once = ("PRODID", "VERSION", "METHOD", "UID", "DTSTAMP", "SEQUENCE", "STATUS", "ORGANIZER", "ATTENDEE", "SUMMARY")
    assert {name: names.count(name) for name in once} == dict.fromkeys(once, 1)
    assert names.index("TZID") < names.index("UID")


@pytest.mark.parametrize("cls", CALENDARS)
def test_the_part_names_its_method_where_mail_programs_look_for_it(cls: type[m.SeatMessage]) -> None:
    (found,) = [p for p in on_the_wire(sample(cls)).walk() if p.get_content_type() == "text/calendar"]

    assert (found.get_param("method"), found.get_content_charset()) == (cls.calendar_method, "utf-8")
    assert f"METHOD:{cls.calendar_method}\r\n".encode() in (found.get_payload(decode=True) or b"")


def test_the_file_of_an_event_is_read_as_well() -> None:
    entry = read(event_calendar(MEETING, cancelled=False, now=NOW)).vevent

    assert (entry.dtstart.value, entry.uid.value) == (MEETING.date.replace(microsecond=0), "event-5@jointoit.example")
