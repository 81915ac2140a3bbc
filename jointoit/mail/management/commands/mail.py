from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from jointoit.mail import send_control, tasks
from jointoit.mail.status import status
from jointoit.process import database_clock


class Command(BaseCommand):
    help = "Hold all mail, release it, or say how the outbox stands and whether mail goes out at all."

    def add_arguments(self, parser: CommandParser) -> None:
        steps = parser.add_subparsers(dest="step", required=True, metavar="{hold,release,status}")
        hold = steps.add_parser("hold", help="keep every mail back until it is released; loses none")
        hold.add_argument("--because", default="Held from the command line.", help="told to whoever looks")
        steps.add_parser("release", help="let mail out again; what waited gets its full time of trying")
        steps.add_parser("status", help="how many mails are in each state, how late the oldest is, what holds them")

    def handle(self, *, step: str, **options: Any) -> None:
        if step == "hold":
            send_control.hold(because=options["because"], now=database_clock.now())
        elif step == "release":
            send_control.current(now=database_clock.now())  # a copy nobody has looked at yet would be held after this
            send_control.release(now=database_clock.now())
            tasks.notify_worker()
        self.tell()

    def tell(self) -> None:
        found = status(now=database_clock.now())
        for state, number in found.counts.items():
            self.stdout.write(f"{state:<12}{number:>10}")
        self.stdout.write(f"{'oldest due':<12}{found.oldest_due:>10.1f} s")
        self.stdout.write(f"held: {found.held_because if found.held_because is not None else 'no'}")
        breaker = f"open since {found.down_since.isoformat()}: {found.down_answer}" if found.down_since else "closed"
        self.stdout.write(f"breaker: {breaker}")
