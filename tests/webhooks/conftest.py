"""A webhook to a receiver on loopback, which only a trusted network makes possible."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from django.utils import timezone

from jointoit.accounts.callers import Caller
from jointoit.journal.writer import TYPES
from jointoit.webhooks import fan_out, subscriptions
from jointoit.webhooks.delivery import Dispatcher
from jointoit.webhooks.models import Webhook
from tests.webhooks.receiver import Answer, Receiver


@pytest.fixture(autouse=True)
def _trusting(settings: Any) -> None:
    settings.WEBHOOK_TRUSTED_NETWORKS = [ip_network("127.0.0.0/8")]


@pytest.fixture
def receiver() -> Iterator[Callable[..., Receiver]]:
    """Open receivers; all are closed at the end."""
    with ExitStack() as stack:

        def open_one(answer: Answer | None = None, **place: Any) -> Receiver:
            return stack.enter_context(Receiver(answer, **place))

        yield open_one


@pytest.fixture
def subscribe(now: Any) -> Callable[..., Webhook]:
    """A webhook for everything that an event's organizer, or somebody else, manages."""

    def subscribe(owner: Any, url: str, **values: Any) -> Webhook:
        known = {"url": url, "types": list(TYPES)} | values
        webhook, secret = subscriptions.create(caller=Caller(owner), values=known, now=now)
        webhook.secret = secret  # type: ignore[attr-defined]
        fan_out.begin()
        return webhook

    return subscribe


class Clock:
    """Goes on by itself, and further when it is told to."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> Any:
        return timezone.now() + self.ahead

    def skip(self, **span: float) -> None:
        self.ahead += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def deliver(clock: Clock) -> Iterator[Callable[[], None]]:
    """Send all that is due by the clock of the test."""
    dispatcher = Dispatcher(clock=clock, threads=4)
    yield dispatcher.drain
    dispatcher.finish()
