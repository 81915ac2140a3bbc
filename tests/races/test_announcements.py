"""An announcement whose process is killed: from where the database stands, a connection that is gone in the middle."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from jointoit.accounts.callers import SERVICE
from jointoit.events.models import Event
from jointoit.mail import outbox
from jointoit.mail.models import OutboxMail
from jointoit.organizing import announcements

pytestmark = pytest.mark.django_db(transaction=True)
WORDS = {"subject": "The room", "text": "Second floor.", "to": ["confirmed"]}


@pytest.fixture
def killed_midway(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Announce, and be gone once three mails of five were written."""
    monkeypatch.setattr(outbox, "CHUNK", 1)
    mails = announcements.mails

    def mails_until_the_end(*args: Any) -> Iterator[Any]:
        yield from islice(mails(*args), 3)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    def kill(announce: Callable[[], object]) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(announcements, "mails", mails_until_the_end)
            with pytest.raises(OperationalError):
                announce()
        connection.close()

    return kill


def mails_of_each(event: Event) -> list[int]:
    counted = Counter(OutboxMail.objects.filter(kind="news").values_list("recipient", flat=True))
    return sorted(counted[each.attendee.email] for each in event.registrations.select_related("attendee"))


def announce(event: Event, now: datetime) -> None:
    announcements.announce(caller=SERVICE, event_id=event.pk, now=now, **WORDS)  # type: ignore[arg-type]


def announce_one_by_one(event: Event, now: datetime) -> None:
    """As it is often written: each mail as soon as it is there."""
    written = event.announcements.create(subject="The room", text="", to=["confirmed"], recipients=5, created_at=now)
    for message, key in announcements.mails(written, event):
        with transaction.atomic():
            outbox.enqueue(message, key=key)


@pytest.mark.parametrize(
    ("verb", "mails"), [(announce, [1] * 5), (announce_one_by_one, [1, 1, 2, 2, 2])], ids=["verb", "control"]
)
def test_an_announcement_killed_midway_and_repeated_reaches_each_once(
    make_event, register, now, killed_midway, verb, mails
):
    event = make_event()
    for _ in range(5):
        register(event)

    killed_midway(lambda: verb(event, now))
    verb(event, now)

    assert mails_of_each(event) == mails
