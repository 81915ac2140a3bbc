"""What is killed here is real: each test takes processes of the service and of its servers down in mid-work.

`make test` runs a short form of each test. `make chaos` sets CHAOS=long: more people, more kills, asserted times.
CHAOS_SEED fixes what is left to chance.
"""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos.postoffice import PostOffice
from tests.chaos.town import Machines, Town

LONG = os.environ.get("CHAOS") == "long"
SEED = int(os.environ.get("CHAOS_SEED") or time.time())
TABLES = (
    "journal_fact, journal_feedstate, webhooks_position, mail_mailstop, mail_outboxmail, mail_mailgate, "
    "events_registration, events_event, api_idempotencykey, accounts_user"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "machines" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(3600 if LONG else 420))


@pytest.fixture
def long() -> bool:
    return LONG


@pytest.fixture
def seed() -> int:
    print(f"CHAOS_SEED={SEED}")
    return SEED


@pytest.fixture(scope="session")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    machines = Machines()
    town = Town(machines, tmp_path_factory.mktemp("town"), PostOffice(seed=0))
    try:
        town.do("migrate", "--verbosity=0")
        yield machines
    finally:
        machines.close()


@pytest.fixture
def found(machines: Machines, tmp_path: Path, seed: int, request: pytest.FixtureRequest) -> Callable[..., Town]:
    """Found a town with empty tables, and a mail server that is open."""

    def found(**habits: float) -> Town:
        machines.query(f"TRUNCATE {TABLES} RESTART IDENTITY CASCADE")
        machines.forget()
        town = Town(machines, tmp_path, PostOffice(seed=seed, **habits))
        request.addfinalizer(town.close)
        town.post.open()
        return town

    return found
