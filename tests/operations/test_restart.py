"""The parts may come and go in any order, and a database that crashes costs seconds (promise P15)."""

import itertools
import threading
import time

import httpx
import pytest

from tests.operations.conftest import LONG
from tests.operations.installation import Installation, until
from tests.operations.test_drain import register, sent

PARTS = ("database", "redis", "web", "worker")
#: The two that hurt most: everything before what it needs.
SHORT = [("web", "worker", "redis", "database"), ("worker", "database", "web", "redis")]
CRASHES = 20 if LONG else 2


@pytest.mark.parametrize("order", itertools.permutations(PARTS) if LONG else SHORT, ids=" → ".join)
def test_parts_start_in_any_order(installation: Installation, order: tuple[str, ...]) -> None:
    event, tokens = installation.seed(guests=1, capacity=1)
    installation.stop("redis")
    installation.stop("database")

    for part in order:
        installation.start(part)
        time.sleep(0.5)
    until(installation.is_ready)
    answer = register(installation.api, event, tokens[0], "")

    assert answer is not None
    assert answer.json()["status"] == "confirmed"
    until(lambda: sent(installation) == 1)  # by the worker: no sweeper runs


def test_a_database_that_crashes_costs_seconds_and_no_fault(installation: Installation) -> None:
    installation.start("web")
    until(installation.is_ready)
    for _ in range(CRASHES):
        crash_and_come_back(installation)


def crash_and_come_back(installation: Installation) -> None:
    watch = Watch(installation.api)
    watch.start()
    time.sleep(0.5)
    installation.crash_database()
    until(lambda: 503 in watch.statuses())
    installation.start("database")
    back = time.monotonic()
    until(lambda: watch.succeeded_after(back), patience=5)
    watch.stop()

    assert watch.statuses() == {200, 503}
    assert all(retry for _, status, retry in watch.seen if status == 503)


class Watch(threading.Thread):
    """Asks for the list of events all the time, and notes when which answer came."""

    def __init__(self, api: str) -> None:
        super().__init__(daemon=True)
        self.api, self.ended = api, threading.Event()
        self.seen: list[tuple[float, int, str | None]] = []

    def run(self) -> None:
        with httpx.Client(base_url=self.api, timeout=30) as client:
            while not self.ended.wait(0.02):
                answer = client.get("/events/")
                self.seen.append((time.monotonic(), answer.status_code, answer.headers.get("Retry-After")))

    def succeeded_after(self, moment: float) -> bool:
        return any(status == 200 and at > moment for at, status, _ in list(self.seen))

    def statuses(self) -> set[int]:
        return {status for _, status, _ in list(self.seen)}

    def stop(self) -> None:
        self.ended.set()
        self.join()
