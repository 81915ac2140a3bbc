"""The web process: granian with this service in it."""

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from jointoit.process import shared_metrics


class Command(BaseCommand):
    help = "Serve the API over HTTP. HOST, PORT, WEB_WORKERS and WEB_THREADS say how."

    def handle(self, *args: Any, **options: Any) -> None:
        """Become granian: the process that a supervisor started is the one that gets its signals."""
        if settings.METRICS_TOKEN:
            shared_metrics.share()
        os.execv(sys.executable, [sys.executable, "-m", "jointoit.process.web", *arguments()])  # noqa: S606


def arguments() -> list[str]:
    """Granian's options. A thread keeps its database connection, so threads without work are kept as well."""
    threads = int(settings.SERVE["threads"])
    options = {
        "interface": "wsgi", "host": settings.SERVE["host"], "port": settings.SERVE["port"],
        "workers": settings.SERVE["workers"], "blocking-threads": threads, "blocking-threads-idle-timeout": 600,
        "runtime-mode": "st", "http": "1", "backlog": 2048, "backpressure": threads * 64, "workers-kill-timeout": 30,
        "log-level": "warning",
    }  # fmt: skip
    words = [f"--{name}={value}" for name, value in options.items()]
    return [*words, "--no-ws", "--respawn-failed-workers", "config.wsgi:application"]
