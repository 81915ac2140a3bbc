"""An evening that has begun: everybody has a ticket, and half of them are in."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from jointoit.accounts.callers import Caller
from jointoit.accounts.models import User
from jointoit.checkin import door
from jointoit.checkin.reading import Presented
from jointoit.events import booking, scheduling
from jointoit.events.models import Event, Registration
from jointoit.tickets import codes, tokens

TITLE: Final = "Hausmusik — tonight"
GATES: Final = ("Main entrance", "Garden")
GUESTS: Final = 16
POSTER: Final = "https://example.org"  # a QR that is no ticket


def half_filled_door(*, now: datetime) -> str:
    """Make the event of tonight, among the people of `jointoit.events.demo`; returns its title."""
    organizer, *guests = User.objects.filter(username__startswith="demo-").order_by("pk")[: GUESTS + 1]
    event = scheduling.create(
        organizer=organizer,
        now=now - timedelta(days=20),
        fields={
            "title": TITLE,
            "description": "Chairs for sixteen. Bring an instrument.",
            "date": now + timedelta(minutes=30),
            "ends_at": now + timedelta(hours=4),
            "timezone": "Europe/Berlin",
            "location": "Kulturhaus am Ufer, Berlin",
            "capacity": GUESTS,
            "tags": ["music"],
        },
    )
    seats = [booking.register(event_id=event.pk, attendee=guest, now=now - timedelta(days=19)) for guest in guests]
    arrivals = [(seat, now - timedelta(minutes=40 - 4 * number)) for number, seat in enumerate(seats[::2])]
    for number, (seat, moment) in enumerate(arrivals):
        arrive(event, seat, number, at=moment)
    without_network(event, seats[0], now=now)
    return TITLE


def arrive(event: Event, seat: Registration, number: int, *, at: datetime) -> None:
    """By camera, every third by typing."""
    is_typed = number % 3 == 2
    token = None if is_typed else tokens.sign(tokens.Ticket(event.pk, seat.pk, seat.ticket_issue))
    code = codes.write(seat.pk, seat.ticket_issue) if is_typed else None
    scan = Presented(id=scan_id(event, number), gate=GATES[number % 2], token=token, code=code)
    door.admit(caller=Caller(event.organizer), event_id=event.pk, scan=scan, now=at)


def without_network(event: Event, seat: Registration, *, now: datetime) -> None:
    """A device in the cellar let in two: a ticket that was used already, which contradicts, and a forged one not."""
    token = tokens.sign(tokens.Ticket(event.pk, seat.pk, seat.ticket_issue))
    scans = [
        Presented(id=scan_id(event, 100), token=token, gate="Cellar", scanned_at=now - timedelta(minutes=20)),
        Presented(id=scan_id(event, 101), token=POSTER, gate="Cellar", scanned_at=now),
    ]
    door.merge(caller=Caller(event.organizer), event_id=event.pk, scans=scans, device_time=now, now=now)


def scan_id(event: Event, number: int) -> UUID:
    return UUID(int=event.pk << 64 | number)
