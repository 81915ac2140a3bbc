from typing import Any

import click
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from jointoit.accounts.models import User
from jointoit.checkin.demo import half_filled_door
from jointoit.events import demo


class Command(BaseCommand):
    help = "Fill the database with people, events, registrations of every status and a door, for looking around."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seed", type=int, default=1, help="Another number gives other dates and guests.")

    def handle(self, *args: Any, **options: Any) -> None:
        if User.objects.filter(username__startswith="demo-").exists():
            raise CommandError("The demo data is there already.")
        total = sum(len(place.titles) for place in demo.PLACES)
        now = timezone.now()
        with (
            transaction.atomic(),
            click.progressbar(
                demo.steps(now=now, seed=options["seed"]), length=total, label="Events", item_show_func=str
            ) as bar,
        ):
            for _ in bar:
                pass
            tonight = half_filled_door(now=now)
        self.stdout.write(f"Log in as demo-amelie, demo-jonas, … with the password {demo.PASSWORD}")
        self.stdout.write(f"At the door: {tonight}, of demo-amelie")
