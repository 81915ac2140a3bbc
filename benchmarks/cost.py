"""What one request and one mail cost: CPU time of the service and of PostgreSQL. `make bench-cost`

CPU time rather than a rate: it hardly depends on what else the machine does, and tells how many cores a load needs.
Requests go to one web process, which logs each and counts every rate; the kinds of them take turns, so that what the
machine does besides meets all alike.
"""

import os
import secrets
from collections.abc import Callable
from functools import partial
from statistics import median

import django

os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "ENV_FILE": os.devnull, "DEBUG": "true"}
os.environ.setdefault("LOG_LEVEL", "ERROR")  # of this process: its mail server tells each step
os.environ |= {name: secrets.token_hex(32) for name in ("SECRET_KEY", "JWT_SIGNING_KEY", "TICKET_KEYS")}
django.setup()

import psycopg  # noqa: E402
from django.conf import settings  # noqa: E402

from benchmarks import dataset, load  # noqa: E402
from benchmarks.cpu import spent  # noqa: E402
from benchmarks.tokens import access_token  # noqa: E402
from tests.operations.installation import UNLIMITED, Installation, until  # noqa: E402

EVENTS = 1_000
ROUNDS = 5
EACH = 80  # requests of a kind in one round
STAY = 40  # guests who keep their seats, so that the event's attendees fill a page at any time
FIRST_PAGE = "GET /events/"
COUNTED = dict.fromkeys(UNLIMITED, "999999/s")  # as in production, where few reach a rate

Cost = tuple[float, float]  # milliseconds of the service and of PostgreSQL


def signed_in(user: int, path: str, *, method: str = "GET", body: object = None) -> bytes:
    return load.request(path, method=method, token=access_token(user, settings.JWT_SIGNING_KEY), body=body)


def always(request: bytes) -> Callable[[int], list[bytes]]:
    return lambda turn: [request] * EACH


class Site:
    """An installation with data: lists of full pages, and an event whose guests come and go."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        with psycopg.connect(installation.database, autocommit=True) as connection:
            dataset.fill(connection, EVENTS)
            self.known = dataset.known(connection)
        number = STAY + EACH * (ROUNDS + 1)
        self.event, _ = installation.seed(guests=number, capacity=number)
        found = installation.query("SELECT id FROM accounts_user WHERE username LIKE 'guest%%' ORDER BY id")
        self.guests = [pk for (pk,) in found]

    def kinds(self) -> dict[str, Callable[[int], list[bytes]]]:
        """The requests of a round, by what they are called in the table."""
        event, person = f"/events/{self.known['event']}/", self.known["organizer"]
        attendees = f"/events/{self.known['attended']}/registrations/"
        return {
            FIRST_PAGE: always(load.request("/events/")),
            "GET /events/{id}/": always(load.request(event)),
            "GET /health/live/": always(load.request("/health/live/")),
            "GET /events/, signed in": always(signed_in(person, "/events/")),
            "GET /events/{id}/, signed in": always(signed_in(person, event)),
            "GET /registrations/": always(signed_in(person, "/registrations/")),
            "GET /events/{id}/registrations/": always(signed_in(person, attendees)),
            "PATCH /events/{id}/": self.changes,
            "POST /events/{id}/register/": lambda turn: self.arrivals(self.guests_of(turn)),
            "PATCH /registrations/{id}/ to cancelled": lambda turn: self.departures(self.guests_of(turn)),
        }

    def changes(self, turn: int) -> list[bytes]:
        """The organizer changes the description, of which nobody is told."""
        path, said = f"/events/{self.event}/", [{"description": f"Doors: {turn}, {number}"} for number in range(EACH)]
        return [signed_in(self.guests[0], path, method="PATCH", body=body) for body in said]

    def guests_of(self, turn: int) -> list[int]:
        return self.guests[STAY + turn * EACH :][:EACH]

    def arrivals(self, guests: list[int]) -> list[bytes]:
        return [signed_in(guest, f"/events/{self.event}/register/", method="POST") for guest in guests]

    def departures(self, guests: list[int]) -> list[bytes]:
        seats = "SELECT attendee_id, id FROM events_registration WHERE event_id = %s AND attendee_id = ANY(%s)"
        held, body = self.installation.query(seats, self.event, guests), {"status": "cancelled"}
        return [signed_in(guest, f"/registrations/{pk}/", method="PATCH", body=body) for guest, pk in held]

    def cost(self, part: str, number: int, work: Callable[[], object]) -> Cost:
        """Of one of `number` pieces of work."""
        lock = self.installation.folder / "pg" / "postmaster.pid"
        pids = (self.installation.running[part].pid, int(lock.read_text().split()[0]))
        before = [spent(pid) for pid in pids]
        work()
        ours, database = ((spent(pid) - old) / number * 1000 for pid, old in zip(pids, before, strict=True))
        return ours, database

    def send(self, requests: list[bytes]) -> None:
        failures = load.run(self.installation.port, requests).failures
        assert not failures, f"{failures} failures, as of {requests[0].splitlines()[0]!r}"


def of_requests(site: Site) -> dict[str, list[Cost]]:
    """Each kind in each round; the first one warms up and is not told."""
    found: dict[str, list[Cost]] = {}
    site.send(site.arrivals(site.guests[:STAY]))
    for turn in range(ROUNDS + 1):
        for name, requests_of in site.kinds().items():
            requests = requests_of(turn)
            cost = site.cost("web", len(requests), partial(site.send, requests))
            found.setdefault(name, []).append(cost)
    return {name: costs[1:] for name, costs in found.items()}


def of_a_mail(site: Site) -> Cost:
    """What waits is sent by the sweeper, from its first mail on."""
    installation = site.installation
    installation.start("sweeper")
    until(lambda: installation.mails("state = 'sent'") > 0)
    waiting = partial(installation.mails, "state = 'pending'")
    return site.cost("sweeper", waiting(), lambda: until(lambda: waiting() == 0, patience=600))


def table(found: dict[str, list[Cost]]) -> str:
    """Medians of the rounds, and how they compare."""
    middle = {name: [median(side) for side in zip(*costs, strict=True)] for name, costs in found.items()}
    lines = [f"{'':40}{'service ms':>11}{'of a first page':>17}{'PostgreSQL ms':>15}"]
    for name, (ours, database) in middle.items():
        lines.append(f"{name:40}{ours:11.2f}{ours / middle[FIRST_PAGE][0]:17.2f}{database:15.2f}")
    return "\n".join(lines)


def main() -> None:
    installation = Installation()
    try:
        installation.manage("migrate", "-v", "0")
        installation.start("redis")
        installation.start("web", WEB_WORKERS="1", **COUNTED)
        until(installation.is_ready)
        site = Site(installation)
        print(table(of_requests(site) | {"one mail, by the sweeper": [of_a_mail(site)]}))
    finally:
        installation.close()


if __name__ == "__main__":
    main()
