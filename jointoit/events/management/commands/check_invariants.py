"""Says whether seats, waiting lists and mails are as promised: a line per violation, exit status 1 if there is one."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from jointoit.events.invariants import violations


class Command(BaseCommand):
    help = "Check that seats, waiting lists and promised mails are exact. Safe at any time; reads only."

    def handle(self, *args: Any, **options: Any) -> None:
        broken = 0
        for line in violations(now=timezone.now()):
            self.stdout.write(line)
            broken += 1
        if broken:
            raise CommandError(f"{broken} violation(s).")
        self.stdout.write("Every invariant holds.")
