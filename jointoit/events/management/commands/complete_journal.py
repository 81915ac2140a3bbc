"""Writes what registrations are and their history does not say: once after a release, when no older code runs."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from jointoit.events import history


class Command(BaseCommand):
    help = "Complete the history of registrations that code older than the journal changed. Safe at any time."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{history.complete(now=timezone.now())} fact(s) added.")
