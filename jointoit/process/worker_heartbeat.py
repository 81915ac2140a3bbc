"""A worker shows that it works: it sends itself a task, and whoever runs that marks the file HEARTBEAT.

So the broker, the process that fetches and the processes that work are all seen to do their part. Workers have been
seen to live on without fetching anything after Redis came back (celery #8030, #9054).
"""

import threading
import time
from typing import Any

import structlog
from celery import shared_task, signals
from celery.utils.nodenames import worker_direct
from django.conf import settings

from jointoit.process import broker, heartbeat

log = structlog.get_logger(__name__)

EVERY = 20.0  # seconds


@shared_task(name="process.beat", ignore_result=True)
def beat() -> None:
    heartbeat.beat(settings.HEARTBEAT)


def ask(worker: str) -> None:
    """Send the worker its task. Without the broker there is nothing to do, which is no fault of the worker."""
    try:
        options: dict[str, Any] = {"connection": broker.connection(), "retry": False, "expires": EVERY}
        beat.apply_async(queue=worker_direct(worker), **options)
    except Exception as error:  # noqa: BLE001  whatever keeps us from the broker
        log.info("heartbeat_without_broker", error=type(error).__name__)
        beat()


def keep_asking(worker: str) -> None:
    while True:
        ask(worker)
        time.sleep(EVERY)


@signals.worker_ready.connect
def begin(sender: Any, **_: Any) -> None:
    """In the process that fetches."""
    if settings.HEARTBEAT:
        threading.Thread(target=keep_asking, args=(sender.hostname,), name="heartbeat", daemon=True).start()
