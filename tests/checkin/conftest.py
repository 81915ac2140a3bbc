"""An event whose door is open, people with seats, and devices that scan."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from jointoit.accounts.callers import Caller
from jointoit.api.lists.prepared import Row
from jointoit.checkin import door
from jointoit.checkin.reading import Presented
from jointoit.events.models import Event, Registration
from jointoit.tickets import codes, tokens


@pytest.fixture
def event(make_event: Callable[..., Event], now: datetime) -> Event:
    return make_event(date=now + timedelta(hours=1), ends_at=now + timedelta(hours=5))


@pytest.fixture
def guest(event: Event, register: Callable[..., Registration]) -> Registration:
    """Somebody with a seat."""
    return register(event)


def token_of(registration: Registration, issue: int = 1) -> str:
    return tokens.sign(tokens.Ticket(registration.event_id, registration.pk, issue))


def code_of(registration: Registration, issue: int = 1) -> str:
    return codes.write(registration.pk, issue)


def shown(registration: Registration, **fields: Any) -> Presented:
    """A scan of this ticket by some device."""
    return Presented(**{"id": uuid4(), "token": token_of(registration), **fields})


@pytest.fixture
def scan(event: Event, now: datetime) -> Callable[..., Row]:
    """Scan a ticket online as the organizer: the row that was answered."""

    def scan(what: Registration | Presented, *, at: Event | None = None, **how: Any) -> Row:
        place = at or event
        presented = shown(what) if isinstance(what, Registration) else what
        given = {"caller": Caller(place.organizer), "event_id": place.pk, "scan": presented, "now": now, **how}
        return door.admit(**given)[0]

    return scan


@pytest.fixture
def merge(event: Event, now: datetime) -> Callable[..., list[Any]]:
    """Hand in scans that were made without network, as the organizer."""

    def merge(*scans: Presented, **how: Any) -> list[Any]:
        given = {"caller": Caller(event.organizer), "event_id": event.pk, "device_time": now, "now": now, **how}
        return [answer if isinstance(answer, Exception) else answer[0] for answer in door.merge(scans=scans, **given)]

    return merge


def numbered(number: int) -> UUID:
    return UUID(int=number)
