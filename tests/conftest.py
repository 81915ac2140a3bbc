"""Fixtures for every test. `make_*` build rows the short way; rules are driven through their verbs."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Playwright

from jointoit.accounts.models import User
from jointoit.api.throttling import buckets
from jointoit.api.throttling.redis import redis_buckets
from jointoit.events import booking
from jointoit.events.models import Event, Registration
from jointoit.mail import marks
from jointoit.mail.models import OutboxMail
from tests.browser import chromium, driver
from tests.client import BrowserClient, ServiceClient

numbers = count(1)


#: Tests with one of these fixtures go to one process of pytest-xdist: it is made once, and measures no twin of itself.
SHARED = {"machines": "chaos", "installation": "operations", "stack": "e2e", "shared": "contracts"}


def pytest_itemcollected(item: pytest.Item) -> None:
    """A service that a module starts for itself, `live`, makes a group of the module."""
    groups = {**SHARED, "live": item.path.stem}
    for fixture in groups.keys() & set(getattr(item, "fixturenames", ())):
        item.add_marker(pytest.mark.xdist_group(groups[fixture]))


#: What takes long begins first, so that at the end nobody waits for it.
LONG = ("chaos", "e2e", "fuzz", "operations", "contracts", "races")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    folders = [f"tests/{folder}/" for folder in LONG]
    items.sort(key=lambda item: [not item.nodeid.startswith(folder) for folder in folders])


@pytest.fixture(autouse=True)
def _quick_and_without_limits(settings: Any) -> None:
    """Passwords are hashed fast, no rate is limited unless the test is about it, and no bucket is left from another."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.RATES = dict.fromkeys(settings.RATES, "off")
    redis_buckets.cache_clear()
    buckets.process_buckets.states.clear()


@pytest.fixture(autouse=True)
def _nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that is rolled back is a database whose files were put back."""
    marks.seen.clear()
    monkeypatch.setattr(marks, "KEY", f"{marks.KEY}:{next(numbers)}")


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    def make(**fields: Any) -> User:
        name = fields.pop("username", f"user{next(numbers)}")
        return User.objects.create_user(name, fields.pop("email", f"{name}@example.org"), "correct-horse-9", **fields)

    return make


@pytest.fixture
def make_event(make_user: Callable[..., User], now: datetime) -> Callable[..., Event]:
    def make(**fields: Any) -> Event:
        fields = {"title": "Meetup", "location": "Berlin", "date": now + timedelta(days=7)} | fields
        if "organizer" not in fields:
            fields["organizer"] = make_user()
        return Event.objects.create(**fields)

    return make


@pytest.fixture
def client() -> BrowserClient:
    """In place of pytest-django's."""
    return BrowserClient()


@pytest.fixture
def api() -> ServiceClient:
    """A client without a token."""
    return ServiceClient()


@pytest.fixture
def signed_in() -> Callable[[User], ServiceClient]:
    """A client that acts as somebody, past the token check."""

    def client(user: User) -> ServiceClient:
        api = ServiceClient()
        api.force_authenticate(user)
        return api

    return client


# Not for longer than a module: while there is one, nothing else in the process may run an event loop.
@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with driver() as found:
        yield found


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with chromium(playwright) as found:
        yield found


@pytest.fixture
def register(make_user: Callable[..., User], now: datetime) -> Callable[..., Registration]:
    """Register a new person, or the one given."""

    def register(event: Event, attendee: User | None = None, **kwargs: Any) -> Registration:
        return booking.register(event_id=event.pk, attendee=attendee or make_user(), **{"now": now, **kwargs})

    return register


@pytest.fixture
def statuses() -> Callable[..., list[str]]:
    """The present statuses of registrations, in the order given."""

    def statuses(*registrations: Registration) -> list[str]:
        for registration in registrations:
            registration.refresh_from_db()
        return [registration.status for registration in registrations]

    return statuses


@pytest.fixture
def mails(db: None) -> Callable[..., list[str]]:
    """The kinds of the mails promised to one address, in order."""

    def mails(to: User) -> list[str]:
        return list(OutboxMail.objects.filter(recipient=to.email).order_by("pk").values_list("kind", flat=True))

    return mails
