"""Who asks for a seat reads that the organizer is being told, and that is true: the same transaction promises it."""

from datetime import timedelta

import pytest

from jointoit.accounts.callers import SERVICE, Caller
from jointoit.events import booking, scheduling
from jointoit.mail import claims
from jointoit.mail.models import OutboxMail

MINUTE = timedelta(minutes=1)


@pytest.fixture
def asked(make_event):
    return make_event(requires_approval=True)


def to_organizer(event, **filters):
    return OutboxMail.objects.filter(recipient=event.organizer.email, kind="approvals_waiting", **filters)


def test_whoever_asks_is_told_of_to_the_organizer_after_a_while(asked, register, mails, now):
    registration = register(asked)

    (mail,) = to_organizer(asked, state="pending")
    assert (mail.not_before, mail.payload["requests"]) == (now + 5 * MINUTE, 1)
    assert mails(registration.attendee) == ["registration_pending"]


def test_all_who_asked_meanwhile_are_one_mail(asked, register, now):
    for minute in range(4):
        register(asked, now=now + minute * MINUTE)

    claimed = [mail for _ in range(2) for mail in claims.claim(limit=10, now=now + 5 * MINUTE)]

    told = [mail.payload["requests"] for mail in claimed if mail.kind == "approvals_waiting"]
    assert (told, to_organizer(asked, state="superseded").count()) == ([4], 3)


def test_the_organizer_is_not_told_of_whoever_gave_up_or_was_answered_before(asked, register, now):
    given_up, answered, called_off = (register(asked) for _ in range(3))
    step = {"caller": Caller(given_up.attendee), "status": "cancelled", "now": now}
    booking.set_status(registration_id=given_up.pk, **step)
    booking.set_status(registration_id=answered.pk, **step | {"caller": SERVICE, "status": "confirmed"})
    assert list(to_organizer(asked, state="pending").values_list("dedupe_key", flat=True)) == [
        f"event:{asked.pk}:request:{called_off.pk}:"
    ]

    scheduling.cancel(event_id=asked.pk, caller=SERVICE, now=now)

    assert not to_organizer(asked, state="pending").exists()


def test_nobody_is_asked_where_no_approval_is_needed(make_event, register):
    event = make_event()
    register(event)

    assert not to_organizer(event).exists()


def test_whoever_asks_and_whoever_is_asked_are_written_to_as_they_are(asked, register, make_user):
    """Both are read by one statement, which no field of the account may come out of place."""
    guest = make_user(first_name="Ada", timezone="Asia/Tokyo", email_verified=True)
    register(asked, guest)

    told = dict(OutboxMail.objects.values_list("kind", "payload__to"))
    assert told == {
        "registration_pending": {
            "address": guest.email, "name": "Ada", "timezone": "Asia/Tokyo", "verified": True,
        },
        "approvals_waiting": {
            "address": asked.organizer.email, "name": asked.organizer.username, "timezone": "UTC", "verified": False,
        },
    }  # fmt: skip


def test_a_mail_says_the_beginning_of_a_long_description(make_event, register):
    event = make_event(description="é" * 5_000)
    register(event)

    assert OutboxMail.objects.get().payload["event"]["description"] == "é" * 999 + "…"
