"""`manage.py prune`: delete what is kept for a time only. Safe to run at any moment and as often as one likes."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from jointoit.api.pruning import prune


class Command(BaseCommand):
    help = "Deletes idempotency keys older than 48 hours and rate buckets that are full again, in small batches."

    def handle(self, *args: Any, **options: Any) -> None:
        for kind, number in prune(timezone.now()).items():
            self.stdout.write(f"{kind}: {number} deleted")
