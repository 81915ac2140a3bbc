"""The web process: granian with this service in it."""

import os
import sys
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand

from jointoit import process
from jointoit.process import capacity, ports, release, shared_metrics

log = structlog.get_logger(__name__)
LOG_CONFIG = Path(process.__path__[0]) / "granian.json"


class Command(BaseCommand):
    help = "Serve the API over HTTP. HOST, PORT, WEB_WORKERS and WEB_THREADS say how."

    def handle(self, *args: Any, **options: Any) -> None:
        """Become granian: the process that a supervisor started is the one that gets its signals."""
        ports.refuse_busy({"PORT": (settings.SERVE["host"], settings.SERVE["port"])})
        given, each = settings.SERVE["workers"], capacity.WEB_PROCESS
        choice = capacity.measure().choose(given=given, variable="WEB_WORKERS", each=each)
        log.info("web_processes", processes=choice.processes, because=choice.because)
        if reason := release.why_not():  # it listens all the same: alive, not ready, 503 until then
            log.warning(
                "waiting",
                because=reason,
                hint="Run `python -m jointoit release`, or look at the database; this goes on by itself.",
            )
        if settings.METRICS_TOKEN:
            shared_metrics.share()
        words = [sys.executable, "-m", "jointoit.process.web", *arguments(choice.processes)]
        os.execv(sys.executable, words)  # noqa: S606


def arguments(workers: int) -> list[str]:
    """Granian's options. The threads that answer are the application's (`config.rsgi`)."""
    options = {
        "host": settings.SERVE["host"], "port": settings.SERVE["port"], "interface": "rsgi", "loop": "asyncio",
        "workers": workers, "runtime-mode": "st", "http": "1", "backlog": 2048, "backpressure": settings.WEB_PLACES,
        "workers-kill-timeout": 30, "log-level": "warning",
    }  # fmt: skip
    words = [f"--{name}={value}" for name, value in options.items()]
    if not settings.READABLE_LOGS:
        words.append(f"--log-config={LOG_CONFIG}")
    return [*words, "--no-ws", "--respawn-failed-workers", "config.rsgi:application"]
