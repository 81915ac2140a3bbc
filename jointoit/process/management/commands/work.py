"""The worker process: Celery, which delivers mail as soon as it is told of it."""

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from jointoit.process import shared_metrics


class Command(BaseCommand):
    help = "Work off the tasks. WORKER_PROCESSES says with how many processes."

    def handle(self, *args: Any, **options: Any) -> None:
        """Become Celery: the process that a supervisor started is the one that gets its signals."""
        if settings.METRICS_PORT:
            shared_metrics.share()
        os.execv(sys.executable, [sys.executable, "-m", "celery", *arguments()])  # noqa: S606


def arguments() -> list[str]:
    """Celery's options. Workers do not talk to each other: gossip, mingle and heartbeats cost more than the tasks."""
    return [
        "--quiet", "-A", "config", "worker", "--pool=prefork", f"--concurrency={settings.WORKER_PROCESSES}", "-Ofair",
        "--without-gossip", "--without-mingle", "--without-heartbeat", f"--loglevel={settings.LOG_LEVEL}",
    ]  # fmt: skip
