"""iCalendar (RFC 5545, 5546): the part of a mail that calendars offer to add, move or remove, and the file of an event.

The organizer's own address is never written: ORGANIZER is the address that the mails come from, under the organizer's
name. Calendars answer to it, and compare it with the sender (RFC 6047 section 2.2.1). An event without an end is
written with the length of an hour: by RFC 5545 section 3.6.1 it would end as it starts, and calendars show that badly.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone, vCalAddress

from jointoit.mail.messages import EventPayload, Person, SeatMessage
from jointoit.mail.sender import domain, sender
from jointoit.mail.times import zone

ENTRY = b"BEGIN:VEVENT\r\n"
PRODUCT = "-//Jointoit//Event Management API//EN"
ASSUMED_LENGTH = timedelta(hours=1)
ASK_AGAIN = timedelta(hours=1)  # how often a calendar program reads a feed
MOST_YEARS = 10


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An event as a file or a feed shows it: `status` is a word of RFC 5545 section 3.8.1.11, `changed_at` its DTSTAMP.

    UID and SEQUENCE are those of the event unless given: a registration that mails know by its own keeps it.
    """

    event: EventPayload
    status: str
    changed_at: datetime
    uid: str = ""
    sequence: int | None = None

    def written(self) -> Event:
        sequence = self.event.revision if self.sequence is None else self.sequence
        entry = described(self.event, sequence=sequence, stamp=self.changed_at)
        entry.add("UID", self.uid or uid(self.event))
        entry.add("STATUS", self.status)
        entry.add("DTSTART", self.event.date.astimezone(UTC))
        entry.add("DTEND", end(self.event).astimezone(UTC))
        return entry


def event_calendar(event: EventPayload, *, cancelled: bool, now: datetime) -> bytes:
    """The event for anyone to import or subscribe to, in UTC. SEQUENCE is the event's revision."""
    status = "CANCELLED" if cancelled else "CONFIRMED"
    return to_bytes(wrapped(Entry(event=event, status=status, changed_at=now).written(), method="PUBLISH"))


def feed(entries: Iterable[Entry], *, name: str, description: str) -> bytes:
    """Many events to subscribe to, by RFC 7986; the names of old under X- are for programs that know no newer."""
    calendar = wrapped(*(entry.written() for entry in entries), method="PUBLISH")
    calendar.add("NAME", name)
    calendar.add("X-WR-CALNAME", name)
    calendar.add("DESCRIPTION", description)
    calendar.add("REFRESH-INTERVAL", ASK_AGAIN, parameters={"VALUE": "DURATION"})
    calendar.add("X-PUBLISHED-TTL", ASK_AGAIN)
    return to_bytes(calendar)


def seat_calendar(message: SeatMessage, *, promised_at: datetime) -> bytes | None:
    """The calendar part of a mail, or None where the reader's calendar has no entry to change.

    UID and SEQUENCE are those of the event's file, so that who takes both has the event once. Of several parts the
    calendar believes the one with the highest SEQUENCE, and of equal ones that with the latest DTSTAMP (RFC 5546
    section 2.1.5): hence the moment of the promise.
    """
    if message.calendar_method is None or not message.holds_seat:
        return None
    event = message.event
    cancels = message.calendar_method == "CANCEL"
    entry = described(event, sequence=message.sequence, stamp=promised_at)
    entry.add("UID", uid(event) if message.has_event_uid else own_uid(message.registration_id))
    entry.add("STATUS", "CANCELLED" if cancels else "CONFIRMED")
    entry.add("ATTENDEE", attendee(message.to), encode=False)
    local = nameable(event)
    entry.add("DTSTART", event.date.astimezone(local))
    entry.add("DTEND", end(event).astimezone(local))
    text = to_bytes(wrapped(entry, method=message.calendar_method))
    if local.key == "UTC":
        return text
    return text.replace(ENTRY, time_zone(local, event.date.year, end(event).year) + ENTRY, 1)


def uid(event: EventPayload) -> str:
    return f"event-{event.id}@{domain()}"


def own_uid(registration_id: int) -> str:
    """Of a registration whose first calendar part an earlier release wrote."""
    return f"registration-{registration_id}@{domain()}"


def described(event: EventPayload, *, sequence: int, stamp: datetime) -> Event:
    entry = Event()
    entry.add("DTSTAMP", stamp.astimezone(UTC).replace(microsecond=0))
    entry.add("SEQUENCE", sequence)
    entry.add("SUMMARY", event.title)
    entry.add("LOCATION", event.location)
    entry.add("URL", event.url)
    if event.description:
        entry.add("DESCRIPTION", event.description)
    if event.contact:
        entry.add("CONTACT", event.contact)
    entry.add("ORGANIZER", vCalAddress.new(sender().addr_spec, cn=parameter(event.organizer_name)), encode=False)
    return entry


def attendee(person: Person) -> vCalAddress:
    """The reader, who has said yes by registering."""
    return vCalAddress.new(
        person.address, cn=parameter(person.name), partstat="ACCEPTED", role="REQ-PARTICIPANT", rsvp=False
    )


def wrapped(*entries: Event, method: str) -> Calendar:
    calendar = Calendar()
    calendar.add("PRODID", PRODUCT)
    calendar.add("VERSION", "2.0")
    calendar.add("METHOD", method)
    for entry in entries:
        calendar.add_component(entry)
    return calendar


def to_bytes(calendar: Calendar) -> bytes:
    """In lines of at most 75 octets (RFC 5545 section 3.1)."""
    text: bytes = calendar.to_ical()
    return text


def nameable(event: EventPayload) -> ZoneInfo:
    """The event's zone; UTC where it starts or ends in the hour that comes again when clocks go back, or takes decades.

    Of two equal local times a calendar takes the first (RFC 5545 section 3.3.5). Each year described takes 33 bytes.
    """
    local = zone(event.timezone)
    second = any(moment.astimezone(local).fold for moment in (event.date, end(event)))
    return zone("UTC") if second or end(event).year - event.date.year > MOST_YEARS else local


def end(event: EventPayload) -> datetime:
    return event.ends_at or event.date + ASSUMED_LENGTH


def parameter(text: str) -> str:
    """Text as a parameter may hold it: no quotes and no control characters (RFC 5545 section 3.2)."""
    return "".join("'" if c == '"' else c for c in text if c.isprintable())


@lru_cache(maxsize=256)
def time_zone(zone: ZoneInfo, first: int, last: int) -> bytes:
    """VTIMEZONE for the years of the event and the one before, so that in January the winter's offset is known.

    An onset is a local time by the clocks before it (RFC 5545 section 3.6.5); where they go forward, the library writes
    what they show after it. Kept as text, which took a quarter of the time of a whole mail to write.
    """
    described: Any = Timezone.from_tzinfo(zone, zone.key, date(first - 1, 1, 1), date(min(last + 1, MAXYEAR), 1, 1))
    for rule in described.subcomponents:
        forward = max(rule.TZOFFSETTO - rule.TZOFFSETFROM, timedelta())
        rule.DTSTART -= forward
        if again := rule.pop("RDATE", None):
            rule.add("RDATE", [moment.dt - forward for moment in again.dts])
    text: bytes = described.to_ical()
    return text
