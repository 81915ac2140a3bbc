from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from jointoit.mail.status import status


class Command(BaseCommand):
    help = "How many mails are in each state, how late the oldest is, and whether mail goes out at all."

    def handle(self, **_: Any) -> None:
        found = status(now=timezone.now())
        for state, number in found.counts.items():
            self.stdout.write(f"{state:<12}{number:>10}")
        self.stdout.write(f"{'oldest due':<12}{found.oldest_due:>10.1f} s")
        self.stdout.write(f"held: {found.held_because if found.held_because is not None else 'no'}")
        breaker = f"open since {found.down_since.isoformat()}: {found.down_answer}" if found.down_since else "closed"
        self.stdout.write(f"breaker: {breaker}")
