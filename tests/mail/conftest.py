from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from jointoit.mail import delivery, outbox
from jointoit.mail.messages import Message, PasswordChanged, Person
from jointoit.mail.models import OutboxMail
from tests.mail.samples import sample
from tests.mail.sink import Sink, serve
from tests.servers import free_port


class Clock:
    """Stands still until it is told how much later it is; ahead by what a busy machine takes to promise many mails."""

    def __init__(self) -> None:
        self.now = timezone.now() + timedelta(minutes=1)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def promise(db: None) -> Callable[..., OutboxMail]:
    """Promise a mail, in a transaction of its own, to a person of that name; return its row."""

    def promise(name: str = "ada", message: Message | None = None, **options: Any) -> OutboxMail:
        to = Person(address=f"{name}@example.org", name=name, timezone="UTC")
        with transaction.atomic():
            outbox.enqueue(message or sample(PasswordChanged, to=to), key=f"test:{name}", **options)
        return OutboxMail.objects.get(dedupe_key=f"test:{name}")

    return promise


@pytest.fixture
def deliver(db: None, clock: Clock) -> Callable[[], bool]:
    """Send what is due by the clock."""
    return lambda: delivery.deliver_due(clock=clock)


@pytest.fixture
def no_server(settings: Any) -> None:
    """Mail goes to a port where nobody listens."""
    settings.EMAIL_BACKEND = "jointoit.mail.smtp.Backend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    settings.EMAIL_HOST_USER, settings.EMAIL_USE_TLS, settings.EMAIL_TIMEOUT = "", False, 0.7


@pytest.fixture
def sink(no_server: None, settings: Any) -> Iterator[Sink]:
    """A mail server."""
    sink = Sink()
    controller = serve(sink)
    settings.EMAIL_PORT = controller.port
    yield sink
    controller.stop()
