from typing import Any

from django.core.management.base import BaseCommand

from jointoit.api import metrics
from jointoit.mail import sweeper
from jointoit.mail.stopping import Stop


class Command(BaseCommand):
    help = "Send mail that is due, and do the regular chores, until SIGTERM or SIGINT. Any number may run."

    def handle(self, **_: Any) -> None:
        metrics.offer()
        with Stop(swallow=True) as stop:
            sweeper.run(stop=stop)
