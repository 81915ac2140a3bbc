"""The periodic process: everything that has to be done every so often, mail that is due first of all."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from jointoit.api.observability import metrics
from jointoit.api.postgresql import watchdog
from jointoit.process import periodic, ports, release
from jointoit.process.stopping import Stop


class Command(BaseCommand):
    help = "Send mail that is due, and do the regular chores, until SIGTERM or SIGINT. Any number may run."

    def handle(self, **_: Any) -> None:
        if settings.METRICS_PORT:
            ports.refuse_busy({"METRICS_PORT": (settings.SERVE["host"], settings.METRICS_PORT)})
        metrics.offer()
        watchdog.begin()
        with Stop(swallow=True) as stop:
            release.wait(stop)
            periodic.run(stop=stop)
