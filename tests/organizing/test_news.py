"""What organizers hear of who asks, comes and cancels."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jointoit.accounts.callers import SERVICE, Caller
from jointoit.events import booking, scheduling
from jointoit.events.models import Event
from jointoit.mail import rendering
from jointoit.mail.models import OutboxMail
from jointoit.mail.payload import load
from jointoit.organizing import news
from jointoit.organizing.models import EventNews
from tests.facts import wait_until_shown

HOUR = timedelta(hours=1)
NOON = datetime(2030, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def counted(make_event: Any) -> Any:
    """An event at which something happened at noon, UTC."""

    def counted(mode: str, zone: str = "UTC", **fields: Any) -> Event:
        event: Event = make_event(organizer_news=mode, date=NOON + timedelta(days=60))
        event.organizer.timezone = zone
        event.organizer.save()
        happened = {"asked": 1, "came": 2, "since": NOON, "fact": 1} | fields
        EventNews.objects.update_or_create(event=event, defaults=happened)
        return event

    return counted


def told() -> list[dict[str, Any]]:
    mails = OutboxMail.objects.filter(kind="organizer_news").order_by("pk")
    return [{name: mail.payload[name] for name in ("asked", "came", "queued", "cancelled")} for mail in mails]


# ── When ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("zone", "morning"),
    [("UTC", datetime(2030, 6, 2, 7, tzinfo=UTC)), ("Asia/Tokyo", datetime(2030, 6, 1, 22, tzinfo=UTC))],
)
def test_a_day_is_told_at_seven_by_the_organizers_clock(counted, zone, morning):
    counted("daily", zone)

    news.tell_due(morning - timedelta(seconds=1))
    assert told() == []
    news.tell_due(morning)
    news.tell_due(morning + HOUR)

    assert told() == [{"asked": 1, "came": 2, "queued": 0, "cancelled": 0}]


def test_requests_that_were_told_at_once_are_not_told_again(counted):
    counted("requests")
    nothing_else = counted("requests", came=0)

    news.tell_due(NOON + 24 * HOUR)

    assert [each["asked"] for each in told()] == [0]
    assert EventNews.objects.get(event=nothing_else).since is None


def test_where_everything_is_told_at_once_ten_minutes_are_one_mail(counted):
    event = counted("each")
    news.tell_due(NOON)
    EventNews.objects.filter(event=event).update(came=300, since=NOON + HOUR / 60, fact=300)

    news.tell_due(NOON + HOUR / 7)
    news.tell_due(NOON + HOUR / 6)

    assert [each["came"] for each in told()] == [2, 300]


def test_who_wants_no_news_gets_none_later_either(counted):
    event = counted("none")
    news.tell_due(NOON)
    Event.objects.filter(pk=event.pk).update(organizer_news="daily")

    news.tell_due(NOON + 48 * HOUR)

    assert told() == []


def test_nothing_is_told_of_an_event_that_is_called_off(counted):
    scheduling.cancel(event_id=counted("daily").pk, caller=SERVICE, now=NOON)

    news.tell_due(NOON + 24 * HOUR)

    assert told() == []


@pytest.mark.parametrize(("mode", "told_at_once"), [("requests", 1), ("each", 1), ("daily", 0), ("none", 0)])
def test_a_request_is_told_at_once_where_the_organizer_wants_that(make_event, register, mode, told_at_once):
    register(make_event(requires_approval=True, organizer_news=mode))

    assert OutboxMail.objects.filter(kind="approvals_waiting").count() == told_at_once


def test_requests_that_wait_to_be_told_are_taken_back_where_nobody_wants_to_hear_of_them(make_event, register, now):
    event = make_event(requires_approval=True)
    register(event)

    scheduling.change(event_id=event.pk, caller=SERVICE, fields={"organizer_news": "none"}, now=now)

    assert OutboxMail.objects.get(kind="approvals_waiting").state == "superseded"


def test_a_closed_account_gets_no_news(counted):
    event = counted("daily")
    event.organizer.is_active = False
    event.organizer.save()

    news.tell_due(NOON + 24 * HOUR)

    assert (told(), EventNews.objects.get(event=event).since) == ([], None)


def test_an_event_that_cannot_be_told_of_keeps_no_other_waiting(counted):
    spoiled, good = counted("daily", "Nowhere/Atlantis"), counted("daily", came=7)

    news.tell_due(NOON + 24 * HOUR)

    assert [row["came"] for row in told()] == [7]
    kept = EventNews.objects.exclude(since=None).values_list("event", flat=True)
    assert (list(kept), spoiled.pk < good.pk) == ([spoiled.pk], True)


def test_the_mails_lead_to_where_people_are_approved(counted, settings):
    settings.PUBLIC_URL = "https://events.example"
    event = counted("daily")
    news.tell_due(NOON + 24 * HOUR)

    mail = OutboxMail.objects.get(kind="organizer_news")
    content = rendering.write(load(mail.kind, mail.payload))

    approve = f"https://events.example/manage/{event.pk}/people/?status=pending"
    assert (approve in content.text, f'href="{approve}"' in content.html) == (True, True)


# ── What ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.django_db(transaction=True)
def test_what_attendees_did_is_counted_once_and_what_the_team_did_is_not(make_event, register, now):
    event, asked = make_event(capacity=1, waitlist=True), make_event(requires_approval=True)
    assert news.count() == 0  # begins with what happens from now on
    came, _, pending = register(event), register(event), register(asked)
    booking.set_status(registration_id=came.pk, caller=Caller(came.attendee), status="cancelled", now=now)
    booking.set_status(registration_id=pending.pk, caller=SERVICE, status="confirmed", now=now)
    booking.set_status(registration_id=pending.pk, caller=SERVICE, status="cancelled", now=now)
    wait_until_shown()

    assert [news.count(), news.count()] == [4, 0]

    rows = EventNews.objects.order_by("pk").values_list("event", "asked", "came", "queued", "cancelled", "since")
    assert list(rows) == [(event.pk, 0, 1, 1, 1, now), (asked.pk, 1, 0, 0, 0, now)]
