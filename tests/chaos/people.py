"""People who register over HTTP and do not give up; and mails promised without any people."""

import time
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock
from typing import Any

import httpx
from django.utils import timezone

from jointoit.accounts import jwt
from jointoit.accounts.models import User
from jointoit.mail import outbox, payload
from jointoit.mail.messages import Message
from tests.chaos.town import Machines, Town

FOUND = """
from django.utils import timezone
from datetime import timedelta
from jointoit.accounts.models import User
from jointoit.events.models import Event
User.objects.bulk_create([User(username=f'u{{i}}', email=f'u{{i}}@example.org', password='!') for i in range({people})])
first = User.objects.order_by('pk').first()
event = Event.objects.create(title='Rush', location='Here', date=timezone.now() + timedelta(days=30), organizer=first,
                             capacity={seats}, waitlist=True)
print(event.pk, first.pk)
"""


@dataclass
class Tally:
    """What people were told: registration and status of each, how long each answer took, and what went wrong."""

    told: dict[int, tuple[int, str]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    broken: int = 0  # connections
    lock: Lock = field(default_factory=Lock)

    def count(self, status: int, seconds: float) -> None:
        with self.lock:
            self.statuses[status] = self.statuses.get(status, 0) + 1
            self.seconds.append(seconds)

    @property
    def failures(self) -> int:
        return sum(number for status, number in self.statuses.items() if status >= 500)

    def percentile(self, share: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def settle_in(town: Town, *, people: int, seats: int) -> tuple[int, range]:
    """An event and people; returns the ids."""
    said = town.do("shell", "--verbosity=0", "--no-imports", "-c", FOUND.format(people=people, seats=seats))
    event, first = map(int, said.split()[-2:])
    return event, range(first, first + people)


class Rush:
    """Everybody registers for one event, at most `at_once` at the same moment, repeating with one Idempotency-Key."""

    def __init__(self, town: Town, event: int, *, at_once: int) -> None:
        self.url = f"{town.api}/events/{event}/register/"
        self.at_once = at_once

    def run(self, people: Iterable[int], *, meanwhile: Callable[[Tally], None] | None = None) -> Tally:
        tally = Tally()
        limits = httpx.Limits(max_connections=self.at_once)
        with httpx.Client(timeout=30, limits=limits) as client, ThreadPoolExecutor(self.at_once) as pool:
            running = [pool.submit(self.register, client, person, tally) for person in people]
            if meanwhile:
                meanwhile(tally)
            for one in running:
                one.result()
        return tally

    def register(self, client: httpx.Client, person: int, tally: Tally) -> None:
        token = jwt.AccessToken.issue(User(pk=person, token_epoch=0), now=timezone.now())
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid.uuid4())}
        while True:
            began = time.monotonic()
            try:
                answer = client.post(self.url, headers=headers)
            except httpx.HTTPError:
                with tally.lock:
                    tally.broken += 1
                time.sleep(0.1)
                continue
            tally.count(answer.status_code, time.monotonic() - began)
            if answer.status_code == 201:
                told = answer.json()
                tally.told[person] = (told["id"], told["status"])
                return
            assert answer.status_code in (409, 503), answer.text
            assert answer.headers["Retry-After"]
            time.sleep(0.2)


def promise(
    machines: Machines, pairs: list[tuple[Message, str]], *, speed: float = 1.0, expires_in: timedelta | None = None
) -> None:
    """Promise mails with the statement that the service uses."""
    values: dict[str, Any] = {
        "rows": payload.dump([outbox.row(message, key, "example.org") for message, key in pairs]),
        "not_before": None,
        "expires_at": timezone.now() + expires_in if expires_in else None,
        "give_up_after": timedelta(days=5) / speed,
    }
    machines.query(outbox.INSERT, values)
