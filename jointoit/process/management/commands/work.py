"""The worker process: Celery, which delivers mail as soon as it is told of it."""

import os
import sys
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand

from jointoit.process import capacity, ports, release, shared_metrics
from jointoit.process.stopping import Stop

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = "Work off the tasks. WORKER_PROCESSES says with how many processes."

    def handle(self, *args: Any, **options: Any) -> None:
        """Become Celery: the process that a supervisor started is the one that gets its signals."""
        if settings.METRICS_PORT:
            ports.refuse_busy({"METRICS_PORT": (settings.SERVE["host"], settings.METRICS_PORT)})
            shared_metrics.share()
        given, each = settings.WORKER_PROCESSES, capacity.WORKER_PROCESS
        # Two, so that one slow mail server does not hold up whoever writes to another.
        choice = capacity.measure().choose(given=given, variable="WORKER_PROCESSES", each=each, least=2)
        log.info("worker_processes", processes=choice.processes, because=choice.because)
        with Stop(swallow=True) as stop:
            release.wait(stop)
        if stop():
            return
        if not settings.READABLE_LOGS:  # Celery says goodbye there, past all loggers
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        os.execv(sys.executable, [sys.executable, "-m", "celery", *arguments(choice.processes)])  # noqa: S606


def arguments(processes: int) -> list[str]:
    """Celery's options. Workers do not talk to each other: gossip, mingle and heartbeats cost more than the tasks."""
    return [
        "--quiet", "-A", "config", "worker", "--pool=prefork", f"--concurrency={processes}", "-Ofair",
        "--without-gossip", "--without-mingle", "--without-heartbeat", f"--loglevel={settings.LOG_LEVEL}",
    ]  # fmt: skip
