"""The doorbell: a task says that mail waits, the rows say which."""

from typing import Any

from celery import shared_task

from jointoit.mail import delivery
from jointoit.process import broker
from jointoit.process.notification import WorkerNotification
from jointoit.process.stopping import Stop

#: A notification older than this says nothing that the periodic process has not seen by itself.
STALE = 60  # seconds


@shared_task(name="mail.deliver_due", ignore_result=True)
def deliver_due() -> None:
    with Stop() as stop:
        if delivery.deliver_due(stop=stop):
            notify_worker()


def publish() -> None:
    options: dict[str, Any] = {"connection": broker.connection(), "retry": False, "expires": STALE}
    deliver_due.apply_async(**options)


notification = WorkerNotification(publish)


def notify_worker() -> None:
    """Wake a worker. Never waits and never fails; the periodic process makes up for what is not heard."""
    notification.send()
