"""An announcement whose process is killed (to the database: a connection that is gone), and one that is sent twice."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from itertools import islice
from threading import Barrier
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.urls import reverse

from jointoit.accounts.callers import SERVICE
from jointoit.events.models import Event
from jointoit.mail import outbox
from jointoit.mail.models import OutboxMail
from jointoit.organizing import announcements
from jointoit.organizing.models import Announcement
from jointoit.pages import announcements as pages
from tests.client import BrowserClient
from tests.races.conftest import SCALE

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


def press_twice_at_once(event: Event, race: Any) -> int:
    """The button on the page, pressed twice; returns how many announcements came of it."""
    sent = {**WORDS, "do": "send", "newest": "0"}
    path, clients = reverse("page-manage-announcements", args=[event.pk]), [BrowserClient(), BrowserClient()]
    for client in clients:
        client.force_login(event.organizer)
        client.get(path)
    race([partial(client.post, path, sent) for client in clients])
    return Announcement.objects.filter(event=event).count()


def test_a_button_that_is_pressed_twice_at_once_writes_once(make_event, register, race):
    for _ in range(3 * SCALE):
        event = make_event()
        register(event)

        assert press_twice_at_once(event, race) == 1
        assert mails_of_each(event) == [1]


def test_without_the_lock_both_presses_would_write(make_event, register, race, monkeypatch):
    """The control: both have looked before either wrote."""
    event, both, newest = make_event(), Barrier(2), pages.newest
    register(event)

    def look(event: Event) -> int:
        seen: int = newest(event)
        both.wait(timeout=30)
        return seen

    monkeypatch.setattr(pages, "newest", look)
    monkeypatch.setattr(pages.booking, "lock", lambda pk: Event.objects.get(pk=pk))

    assert press_twice_at_once(event, race) == 2
