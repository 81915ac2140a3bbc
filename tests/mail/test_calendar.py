"""Every calendar part is read back with a parser and compared field by field."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar, Timezone

from jointoit.api.fields import LAST
from jointoit.mail import messages as m
from jointoit.mail.calendar import event_calendar, seat_calendar, time_zone
from tests.mail.samples import ADA, MEETING, sample
from tests.mail.test_rendering import NOW, on_the_wire

BERLIN = replace(MEETING, timezone="Europe/Berlin", date=datetime(2026, 12, 4, 18, 0, tzinfo=UTC))


def parsed(message: m.SeatMessage) -> Calendar:
    part = seat_calendar(message, promised_at=NOW)
    assert part is not None
    calendar = Calendar.from_ical(part)
    assert isinstance(calendar, Calendar)
    return calendar


def entry(calendar: Calendar) -> Any:
    (event,) = calendar.walk("VEVENT")
    return event


def test_a_confirmation_brings_an_entry_with_all_its_fields() -> None:
    calendar = parsed(sample(m.RegistrationConfirmed, event=BERLIN))
    event = entry(calendar)

    assert (calendar["METHOD"], calendar["VERSION"], calendar.walk("VEVENT") == [event]) == ("REQUEST", "2.0", True)
    assert {name: str(event[name]) for name in ("UID", "STATUS", "SUMMARY", "LOCATION", "URL", "ORGANIZER")} == {
        "UID": "registration-7@jointoit.example",
        "STATUS": "CONFIRMED",
        "SUMMARY": "Looms & <b>Engines</b>",
        "LOCATION": "12 St James's Square",
        "URL": "https://events.example/events/5/",
        "ORGANIZER": "mailto:events@jointoit.example",
    }
    assert (event["SEQUENCE"], event["DTSTAMP"].dt) == (4, NOW)
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (BERLIN.date, BERLIN.ends_at)
    assert event["DTSTART"].params["TZID"] == "Europe/Berlin"


def test_organizer_and_attendee_are_named_and_the_attendee_has_said_yes() -> None:
    event = entry(parsed(sample(m.RegistrationConfirmed)))

    assert event["ORGANIZER"].params["CN"] == "Charles Babbage"
    assert (str(event["ATTENDEE"]), dict(event["ATTENDEE"].params)) == (
        "mailto:ada@example.org",
        {"CN": "Ada Lovelace", "PARTSTAT": "ACCEPTED", "ROLE": "REQ-PARTICIPANT", "RSVP": "FALSE"},
    )


@pytest.mark.parametrize(
    ("kind", "method", "status"),
    [
        (m.RegistrationConfirmed, "REQUEST", "CONFIRMED"),
        (m.RegistrationPromoted, "REQUEST", "CONFIRMED"),
        (m.EventChanged, "REQUEST", "CONFIRMED"),
        (m.RegistrationCancelledByAttendee, "CANCEL", "CANCELLED"),
        (m.RegistrationCancelledByOrganizer, "CANCEL", "CANCELLED"),
        (m.EventCancelled, "CANCEL", "CANCELLED"),
    ],
)
def test_one_entry_is_added_moved_and_removed(kind: type[m.SeatMessage], method: str, status: str) -> None:
    calendar = parsed(sample(kind))

    assert (calendar["METHOD"], entry(calendar)["STATUS"]) == (method, status)
    assert entry(calendar)["UID"] == "registration-7@jointoit.example"


@pytest.mark.parametrize(
    "kind", [m.RegistrationPending, m.RegistrationWaitlisted, m.RegistrationDeclined, m.EventReminder]
)
def test_mails_that_change_no_seat_bring_no_entry(kind: type[m.SeatMessage]) -> None:
    assert seat_calendar(sample(kind), promised_at=NOW) is None


@pytest.mark.parametrize("kind", [m.EventChanged, m.EventCancelled, m.RegistrationCancelledByAttendee])
def test_who_has_no_seat_gets_no_entry(kind: type[m.SeatMessage]) -> None:
    assert seat_calendar(sample(kind, holds_seat=False), promised_at=NOW) is None


def test_the_entry_is_an_alternative_that_mail_programs_offer() -> None:
    mail = on_the_wire(sample(m.RegistrationConfirmed))
    alternative, _ = mail.iter_parts()
    text, html, calendar = alternative.iter_parts()

    assert alternative.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in (text, html, calendar)] == ["text/plain", "text/html", "text/calendar"]
    assert dict(calendar["Content-Type"].params) == {"method": "REQUEST", "charset": "utf-8"}
    assert calendar.get_payload(decode=True) == seat_calendar(sample(m.RegistrationConfirmed), promised_at=NOW)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
@pytest.mark.parametrize("day", ["2027-03-14", "2027-03-28", "2027-04-04", "2027-10-03", "2027-10-31", "2027-11-07"])
def test_times_around_the_change_of_the_clocks_are_read_back_exactly(zone: str, day: str) -> None:
    for hour in range(-24, 48):
        date = datetime.fromisoformat(f"{day}T00:00:00Z") + timedelta(hours=hour)
        event = replace(MEETING, timezone=zone, date=date, ends_at=None)
        calendar = parsed(sample(m.RegistrationConfirmed, event=event))
        local = date.astimezone(ZoneInfo(zone))
        if local.fold or (date + timedelta(hours=1)).astimezone(ZoneInfo(zone)).fold:
            assert (entry(calendar)["DTSTART"].dt, calendar.walk("VTIMEZONE")) == (date, [])
            continue
        written = entry(calendar)["DTSTART"].dt.replace(tzinfo=None)
        # The zone as the part itself describes it, not as this machine knows it.
        there = calendar.walk("VTIMEZONE")[0].to_tz(lookup_tzid=False)  # type: ignore[attr-defined]

        assert written == local.replace(tzinfo=None)
        assert written.replace(tzinfo=there).utcoffset() == local.utcoffset()


def test_a_zone_is_described_for_the_years_in_question_only() -> None:
    part = seat_calendar(sample(m.RegistrationConfirmed), promised_at=NOW)

    assert part is not None
    assert len(part) < 2500


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"])
def test_each_onset_is_written_by_the_clocks_before_it(zone: str) -> None:
    """RFC 5545 section 3.6.5: DTSTART and RDATE, read with TZOFFSETFROM, are the very moment at which clocks change."""
    described: Any = Timezone.from_ical(time_zone(ZoneInfo(zone), 2026, 2027))
    rules = [
        (moment - rule.TZOFFSETFROM, rule.TZOFFSETFROM, rule.TZOFFSETTO)
        for rule in described.subcomponents
        for moment in [rule.DTSTART, *(again.dt for again in (rule["RDATE"].dts if "RDATE" in rule else ()))]
        if rule.TZOFFSETFROM != rule.TZOFFSETTO
    ]

    def offset(utc: datetime) -> timedelta | None:
        return utc.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).utcoffset()

    assert len(rules) >= 4
    second = timedelta(seconds=1)
    assert [(offset(at - second), offset(at)) for at, _, _ in rules] == [(before, after) for _, before, after in rules]


def test_utc_needs_no_description() -> None:
    calendar = parsed(sample(m.RegistrationConfirmed, event=replace(MEETING, timezone="UTC")))

    assert (calendar.walk("VTIMEZONE"), entry(calendar)["DTSTART"].to_ical()) == ([], b"20261204T180000Z")


def test_an_event_without_an_end_lasts_an_hour() -> None:
    event = entry(parsed(sample(m.RegistrationConfirmed, event=replace(MEETING, ends_at=None))))

    assert event["DTEND"].dt - event["DTSTART"].dt == timedelta(hours=1)


NASTY = 'Semi; comma, back\\slash "quotes"\r\nBEGIN:VEVENT\rlone' + " ünïcödé 数学" * 20


def test_nothing_in_a_text_breaks_out_of_its_line() -> None:
    event = replace(MEETING, title=NASTY, location=NASTY, organizer_name=NASTY)
    part = seat_calendar(sample(m.RegistrationConfirmed, event=event, to=replace(ADA, name=NASTY)), promised_at=NOW)

    assert part is not None
    assert max(len(line) for line in part.split(b"\r\n")) <= 75
    assert (part.count(b"\r"), part.count(b"\n")) == (part.count(b"\r\n"),) * 2
    assert str(entry(Calendar.from_ical(part))["SUMMARY"]) == NASTY.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize(("cancelled", "status"), [(False, "CONFIRMED"), (True, "CANCELLED")])
def test_the_file_of_an_event_is_in_utc_and_names_no_attendee(cancelled: bool, status: str) -> None:
    calendar = Calendar.from_ical(event_calendar(MEETING, cancelled=cancelled, now=NOW))
    assert isinstance(calendar, Calendar)
    event = entry(calendar)

    assert (calendar["METHOD"], event["STATUS"], event["SEQUENCE"]) == ("PUBLISH", status, 2)
    assert (event["UID"], event["DTSTART"].to_ical(), event["DTEND"].to_ical()) == (
        "event-5@jointoit.example", b"20261204T180000Z", b"20261204T203000Z",
    )  # fmt: skip
    assert ("ATTENDEE" in event, b"private@example.net" in event.to_ical()) == (False, False)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Pacific/Kiritimati", "Etc/GMT+12"])
def test_the_last_event_that_can_be_kept_has_an_entry(zone: str) -> None:
    last = replace(MEETING, date=LAST, ends_at=None, timezone=zone)
    assert entry(parsed(sample(m.RegistrationConfirmed, event=last)))["DTSTART"].dt == LAST
