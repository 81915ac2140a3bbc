"""Small rounds, many of them, and one seat that thousands want while its event is edited (P2).

The long forms: 40 people for 5 seats in 40 rounds; 2,000 attempts on one seat.
"""

import math
import random
import threading
from collections import Counter
from functools import partial

import pytest

from jointoit.accounts.callers import SERVICE, Caller
from jointoit.errors import DomainError
from jointoit.events import booking, scheduling
from jointoit.events.invariants import violations
from jointoit.events.scheduling import CapacityBelowConfirmed
from tests.races.conftest import SCALE
from tests.races.verbs import register_without_the_lock

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE, SEATS, ROUNDS = 40, 5, 4 * SCALE
ATTEMPTS, CLIENTS = 200 * SCALE, 16


def sold_in_rounds(ask, make_event, make_user, race, now) -> list[int]:
    people = [make_user() for _ in range(PEOPLE)]
    events = [make_event(capacity=SEATS) for _ in range(ROUNDS)]
    for event in events:
        race([partial(ask, event_id=event.pk, attendee=person, now=now) for person in people])
    return [event.registrations.filter(status="confirmed").count() for event in events]


def test_forty_people_for_five_seats_take_five_in_every_round(make_event, make_user, race, now):
    assert sold_in_rounds(booking.register, make_event, make_user, race, now) == [SEATS] * ROUNDS
    assert list(violations(now=now)) == []


def test_without_the_lock_some_round_would_sell_a_sixth(make_event, make_user, race, now):
    assert max(sold_in_rounds(register_without_the_lock, make_event, make_user, race, now)) > SEATS


class Attempts:
    """People who ask for a seat in turns, by many hands, while the event is edited after every fifth.

    Neither side may run ahead of the other, and the last quarter asks when all is edited: nothing may be left then.
    """

    def __init__(self, ask, event, people, now) -> None:
        self.ask, self.event, self.now = ask, event, now
        self.people, self.total = iter(people), len(people)
        self.made, self.handed_out = 0, 0
        self.allowed: float = 2 * CLIENTS
        self.answers, self.moved = Counter[str](), threading.Condition()

    def run(self) -> None:
        while (person := self.next()) is not None:
            try:
                answer = self.ask(event_id=self.event.pk, attendee=person, now=self.now).status
            except DomainError as refusal:
                answer = refusal.code
            with self.moved:
                self.made += 1
                self.answers[answer] += 1
                self.moved.notify_all()

    def next(self):
        with self.moved:
            assert self.moved.wait_for(lambda: self.handed_out < self.allowed, timeout=600)
            self.handed_out += 1
            return next(self.people, None)

    def allow(self, number: float) -> None:
        with self.moved:
            self.allowed += number
            self.moved.notify_all()

    def wait_for(self, number: int) -> None:
        with self.moved:
            assert self.moved.wait_for(lambda: self.made >= number, timeout=600)


def edit(attempts: Attempts) -> list[str]:
    """Move the capacity up and down as the attempts go on, and let some of those who have a seat leave."""
    dice, did = random.Random(2), []
    for number in range(1, attempts.total * 3 // 4, 5):
        attempts.wait_for(number)
        capacity = {"capacity": dice.choice([1, 1, 2, 3])}
        try:
            scheduling.change(event_id=attempts.event.pk, caller=SERVICE, fields=capacity, now=attempts.now)
            did.append("changed")
        except CapacityBelowConfirmed:
            did.append("refused")
            seated = attempts.event.registrations.filter(status="confirmed").select_related("attendee").first()
            step = {"registration_id": seated.pk, "caller": Caller(seated.attendee), "status": "cancelled"}
            booking.set_status(**step, now=attempts.now)
        attempts.allow(5)
    attempts.allow(math.inf)
    return did


def test_one_seat_is_sold_exactly_while_the_capacity_goes_up_and_down(make_event, make_user, race, now):
    event = make_event(capacity=1)
    attempts = Attempts(booking.register, event, [make_user() for _ in range(ATTEMPTS)], now)

    *_, did = race([*[attempts.run] * CLIENTS, partial(edit, attempts)])

    event.refresh_from_db()
    assert Counter(did)["changed"] > 1
    assert Counter(did)["refused"] > 1
    assert set(attempts.answers) == {"confirmed", "event_full"}
    assert attempts.answers.total() == ATTEMPTS
    assert event.registrations.filter(status="confirmed").count() == event.seats_taken == event.capacity
    assert list(violations(now=now)) == []


def test_without_the_lock_the_edited_event_would_be_oversold(make_event, make_user, race, now):
    """Nobody counts for the editor either, who can lower the capacity below the seats that are taken."""
    event = make_event(capacity=1)
    attempts = Attempts(register_without_the_lock, event, [make_user() for _ in range(ATTEMPTS)], now)

    race([*[attempts.run] * CLIENTS, partial(edit, attempts)])

    event.refresh_from_db()
    assert event.registrations.filter(status="confirmed").count() > event.capacity
