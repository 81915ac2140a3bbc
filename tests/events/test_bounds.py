"""What one person may take: no seat of an event for confirmed addresses, no storage without end."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from jointoit.accounts.callers import Caller
from jointoit.accounts.models import User
from jointoit.events import booking, scheduling
from jointoit.events.models import Event
from jointoit.events.refusals import EmailNotVerified, TooManyEvents
from tests.client import ServiceClient

MakeEvent = Callable[..., Event]
MakeUser = Callable[..., User]


@pytest.fixture
def create(make_user: MakeUser, now: datetime, settings: Settings) -> Callable[..., Event]:
    """One person who may have three open events and drafts."""
    settings.MAX_OPEN_EVENTS = 3
    organizer = make_user()

    def create(**fields: Any) -> Event:
        known = {"title": "Meetup", "location": "Berlin", "date": now + timedelta(days=1)}
        return scheduling.create(organizer=organizer, now=now, fields=known | fields)

    return create


def test_where_only_confirmed_addresses_may_come_others_are_refused(
    make_event: MakeEvent, make_user: MakeUser, now: datetime
) -> None:
    event, guest = make_event(verified_only=True), make_user()
    with pytest.raises(EmailNotVerified):
        booking.register(event_id=event.pk, attendee=guest, now=now)

    User.objects.filter(pk=guest.pk).update(email_verified=True)

    assert booking.register(event_id=event.pk, attendee=guest, now=now).status == "confirmed"


@pytest.mark.parametrize("more", [{"requires_approval": True}, {"capacity": 1, "waitlist": True}], ids=str)
def test_nor_do_they_ask_or_wait(
    make_event: MakeEvent, make_user: MakeUser, now: datetime, more: dict[str, Any]
) -> None:
    event = make_event(verified_only=True, **more)
    booking.register(event_id=event.pk, attendee=make_user(email_verified=True), now=now)

    with pytest.raises(EmailNotVerified):
        booking.register(event_id=event.pk, attendee=make_user(), now=now)
    assert event.registrations.count() == 1


def test_the_refusal_says_how_to_go_on(
    make_event: MakeEvent, make_user: MakeUser, signed_in: Callable[[User], ServiceClient]
) -> None:
    event, guest = make_event(verified_only=True), make_user()
    client = signed_in(guest)

    refusal = client.post(f"/events/{event.pk}/register/")

    assert (refusal.status_code, refusal.json()["code"]) == (403, "email_not_verified")
    path = refusal.json()["resend"].removeprefix("http://127.0.0.1:8000")
    assert client.post(path).status_code == 202


def test_an_event_takes_everybody_unless_its_organizer_says_so(
    make_user: MakeUser, signed_in: Callable[[User], ServiceClient], now: datetime
) -> None:
    client = signed_in(make_user())
    event = client.post(
        "/events/", {"title": "Meetup", "location": "Berlin", "date": (now + timedelta(days=1)).isoformat()}
    ).json()
    assert event["verified_only"] is False

    changed = client.patch(f"/events/{event['id']}/", {"verified_only": True}).json()

    assert changed["verified_only"] is True


def test_one_account_has_a_bounded_number_of_open_events_and_drafts(
    create: Callable[..., Event], make_user: MakeUser, now: datetime
) -> None:
    for status in ("draft", "published", "draft"):
        create(status=status)

    with pytest.raises(TooManyEvents):
        create()
    assert Event.objects.count() == 3
    known = {"title": "Meetup", "location": "Berlin", "date": now + timedelta(days=1)}
    scheduling.create(organizer=make_user(), now=now, fields=known)


@pytest.mark.parametrize("way", ["cancelled", "deleted", "over"])
def test_what_is_no_longer_open_makes_room(create: Callable[..., Event], now: datetime, way: str) -> None:
    first, *_ = (create() for _ in range(3))
    match way:
        case "cancelled":
            scheduling.cancel(event_id=first.pk, caller=Caller(first.organizer), now=now)
        case "deleted":
            scheduling.delete(event_id=first.pk, caller=Caller(first.organizer), now=now)
        case _:
            Event.objects.filter(pk=first.pk).update(date=now - timedelta(days=2))

    create()

    with pytest.raises(TooManyEvents):
        create()
