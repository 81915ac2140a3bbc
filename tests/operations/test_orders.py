"""The parts may be started in any order."""

import itertools
import time

import pytest

from tests.operations.conftest import LONG
from tests.operations.crowd import register
from tests.operations.installation import Installation, until

PARTS = ("database", "redis", "web", "worker")
#: The one that hurts most: everything before what it needs.
SHORT = [("worker", "web", "redis", "database")]


@pytest.mark.parametrize("order", list(itertools.permutations(PARTS)) if LONG else SHORT, ids=" → ".join)
def test_parts_start_in_any_order(installation: Installation, order: tuple[str, ...]) -> None:
    event, tokens = installation.seed(guests=1, capacity=1)
    installation.stop("redis")
    installation.stop("database")

    for part in order:
        installation.start(part)
        time.sleep(0.5)
    until(installation.is_ready)
    until(installation.redis_answers)
    answer = register(installation.api, event, tokens[0])

    assert answer.json()["status"] == "confirmed"
    until(lambda: installation.mails("state = 'sent'") == 1)  # by the worker: no sweeper runs
