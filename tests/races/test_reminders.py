from datetime import timedelta
from functools import partial

import pytest

from jointoit.events import reminders
from jointoit.mail.models import OutboxMail

DAY = timedelta(days=1)


@pytest.mark.django_db(transaction=True)
def test_many_sweepers_remind_everybody_once(make_event, register, race, now, monkeypatch):
    monkeypatch.setattr(reminders, "CHUNK", 3)
    event = make_event(date=now + 2 * DAY)
    people = [register(event).attendee.email for _ in range(20)]

    race([partial(reminders.promise_due, now + DAY)] * 4)

    reminded = OutboxMail.objects.filter(kind="event_reminder").values_list("recipient", flat=True)
    assert sorted(reminded) == sorted(people)
