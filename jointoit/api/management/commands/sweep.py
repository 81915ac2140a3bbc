"""The periodic process: everything that has to be done every so often, mail that is due first of all."""

from typing import Any

from django.core.management.base import BaseCommand

from jointoit.api.observability import metrics
from jointoit.process import periodic
from jointoit.process.stopping import Stop


class Command(BaseCommand):
    help = "Send mail that is due, and do the regular chores, until SIGTERM or SIGINT. Any number may run."

    def handle(self, **_: Any) -> None:
        metrics.offer()
        with Stop(swallow=True) as stop:
            periodic.run(stop=stop)
