"""The rush between processes, and its control, which must oversell."""

from collections import Counter

import pytest

from jointoit.events.invariants import violations
from jointoit.events.models import Registration
from tests.races import processes
from tests.races.conftest import SCALE

pytestmark = pytest.mark.django_db(transaction=True)

PROCESSES, EACH, SEATS, ROUNDS = 4, 3, 3, 12 * SCALE


@pytest.fixture
def shares(make_user, make_event):
    """What each process asks in each round: a new event each time, three people of its own one after another."""
    people = [make_user() for _ in range(PROCESSES * EACH)]
    events = [make_event(capacity=SEATS) for _ in range(ROUNDS)]
    return [
        [[(event.pk, person.pk) for person in people[number::PROCESSES]] for event in events]
        for number in range(PROCESSES)
    ]


def test_a_rush_of_processes_never_oversells(shares, now):
    answers = processes.race("tests.races.verbs.register", shares)

    exact = {"confirmed": SEATS, "event_full": PROCESSES * EACH - SEATS}
    assert [Counter(told) for told in answers] == [exact] * ROUNDS
    assert Registration.objects.filter(status="confirmed").count() == SEATS * ROUNDS
    assert list(violations(now=now)) == []


def test_the_rush_of_processes_would_oversell_without_the_lock(shares):
    answers = processes.race("tests.races.verbs.register_without_the_lock", shares)

    assert max(Counter(told)["confirmed"] for told in answers) > SEATS
