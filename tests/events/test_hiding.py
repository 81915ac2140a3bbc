"""What staff hide nobody but the team sees, no mail of it goes out, and one step takes that back."""

from datetime import timedelta
from typing import Any

import pytest

from jointoit.accounts.callers import Caller
from jointoit.errors import NotFound
from jointoit.events import booking, calendars, hiding, scheduling
from jointoit.events.invariants import violations
from jointoit.events.models import Event
from jointoit.events.refusals import EventHidden
from jointoit.journal.models import Fact
from jointoit.mail import claims
from jointoit.mail.models import OutboxMail


@pytest.fixture
def staff(make_user: Any) -> Caller:
    return Caller(make_user(is_staff=True), as_staff=True)


@pytest.fixture
def hidden(make_event: Any, register: Any, staff: Caller, now: Any) -> Event:
    """A full event for which one has a seat and one waits; their mails waited as well."""
    event: Event = make_event(title="Unlikely riches", capacity=1, waitlist=True)
    register(event), register(event)
    hiding.hide(event_id=event.pk, caller=staff, now=now)
    hiding.hide(event_id=event.pk, caller=staff, now=now)
    event.refresh_from_db()
    return event


def sent(now: Any) -> list[str]:
    return [mail.kind for mail in claims.claim(limit=10, now=now + timedelta(minutes=1))]


PLACES = (
    "/events/{}/", "/events/{}/calendar.ics", "/e/{}/unlikely-riches/", "/e/{}/report/",
    "/events/{}/questions/", "/embed/{}/",
)  # fmt: skip
LISTS = ("/events/", "/events/?search=riches", "/events/?upcoming=true", "/e/", "/sitemap.xml", "/feed/?from=start")


def test_what_is_hidden_is_found_nowhere_and_its_team_sees_it(hidden, client, signed_in, register, now):
    for path in PLACES:
        assert client.get(path.format(hidden.pk)).status_code == 404, path
    for path in LISTS:
        assert "riches" not in client.get(path).content.decode().lower(), path
    with pytest.raises(NotFound):
        register(hidden)
    attendee = hidden.registrations.first().attendee
    assert list(calendars.own_registrations(attendee, now=now)) == []

    seen = signed_in(hidden.organizer).get(f"/events/{hidden.pk}/")
    assert (seen.status_code, seen.json()["status"]) == (200, "draft")


@pytest.mark.parametrize("step", [scheduling.publish, scheduling.cancel])
def test_its_owner_does_not_bring_it_back(hidden, now, step):
    with pytest.raises(EventHidden):
        step(event_id=hidden.pk, caller=Caller(hidden.organizer), now=now)


def test_mails_that_wait_are_not_sent_and_neither_are_later_ones(hidden, now):
    assert set(OutboxMail.objects.values_list("state", flat=True)) == {"superseded"}

    scheduling.delete(event_id=hidden.pk, caller=Caller(hidden.organizer), now=now)

    assert sent(now) == []
    assert not OutboxMail.objects.filter(state="pending").exists()


def test_shown_again_it_is_as_it_was_and_seats_that_became_free_are_handed_on(hidden, staff, now, api):
    held = hidden.registrations.get(status="confirmed")
    booking.set_status(registration_id=held.pk, caller=Caller(held.attendee), status="cancelled", now=now)
    assert sent(now) == []

    hiding.show(event_id=hidden.pk, caller=staff, now=now)
    hiding.show(event_id=hidden.pk, caller=staff, now=now)

    assert api.get(f"/events/{hidden.pk}/").json()["status"] == "published"
    assert sent(now) == ["registration_promoted"]
    assert list(violations(now=now)) == []


def test_hiding_and_showing_are_facts_that_say_who_did_it(hidden, staff, now):
    hiding.show(event_id=hidden.pk, caller=staff, now=now)

    facts = Fact.objects.filter(event_id=hidden.pk, type="event.changed").order_by("pk")
    assert [(f.actor_kind, f.actor_id, f.before, f.after["hidden"], f.public) for f in facts] == [
        ("staff", staff.user.pk, {"status": "published", "hidden": False}, True, True),
        ("staff", staff.user.pk, {"status": "draft", "hidden": True}, False, True),
    ]


def test_what_was_called_off_or_never_published_is_that_again(make_event, staff, now):
    for status in ("draft", "cancelled"):
        event = make_event(status=status)
        hiding.hide(event_id=event.pk, caller=staff, now=now)
        hiding.show(event_id=event.pk, caller=staff, now=now)

        event.refresh_from_db()
        assert event.status == status
