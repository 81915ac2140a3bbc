"""The doorbell: a task says that mail waits, the rows say which."""

from functools import cache
from typing import Any

from celery import current_app, shared_task
from django.utils import timezone

from jointoit.mail import delivery
from jointoit.mail.bell import Bell
from jointoit.mail.stopping import Stop

# A publisher that hangs holds up nobody but the bell's own thread, which still should come back soon.
BRISK = {"socket_timeout": 0.5, "socket_connect_timeout": 0.5, "max_retries": 0}
#: A bell older than this says nothing that the sweeper has not seen by itself.
STALE = 60  # seconds


@shared_task(name="mail.deliver_due", ignore_result=True)
def deliver_due() -> None:
    with Stop() as stop:
        if delivery.deliver_due(stop=stop, clock=timezone.now):
            ring()


@cache
def broker() -> Any:
    return current_app.connection_for_write(transport_options=BRISK)


def publish() -> None:
    options: dict[str, Any] = {"connection": broker(), "retry": False, "expires": STALE}
    deliver_due.apply_async(**options)


bell = Bell(publish)


def ring() -> None:
    """Wake a worker. Never waits and never fails; a bell that is not heard is made up for by the sweeper."""
    bell.ring()
