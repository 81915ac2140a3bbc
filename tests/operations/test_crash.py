"""A database that crashes costs seconds, and nothing that was acknowledged (promise P15)."""

import time

from tests.operations.conftest import LONG
from tests.operations.crowd import Crowd
from tests.operations.installation import Installation, until

CRASHES = 20 if LONG else 1
AWAY = [8, 40] if LONG else []  # seconds; a client that tries again ever more rarely would not notice the end of it


def test_a_database_that_crashes_under_load_costs_seconds_and_no_fault(installation: Installation) -> None:
    installation.start("web")
    until(installation.is_ready)
    with Crowd(installation, guests=CRASHES * 150) as crowd:
        until(lambda: crowd.since(0, 201))
        waits = [crash_and_come_back(installation, crowd) for _ in range(CRASHES)]
        waits += [crash_and_come_back(installation, crowd, away=away) for away in AWAY]
    busy = [answer for answer in crowd.answers if answer.status == 503]
    print(f"{CRASHES} crashes, {len(crowd.answers)} requests, {len(busy)} × 503; served again after at most "
          f"{max(waits):.2f} s")  # fmt: skip

    # 409: who got no answer the first time round may have got a seat nevertheless.
    assert crowd.statuses <= {201, 409, 503}
    assert all(answer.retry_after for answer in busy)
    promised = {f"guest{answer.guest}" for answer in crowd.answers if answer.status == 201}
    sql = "SELECT username FROM events_registration r JOIN accounts_user u ON u.id = r.attendee_id"
    assert promised <= {name for (name,) in installation.query(sql)}
    installation.manage("check_invariants")


def crash_and_come_back(installation: Installation, crowd: Crowd, *, away: float = 0) -> float:
    """The seconds until the first success after the database is back."""
    time.sleep(1)
    crashed = time.monotonic()
    installation.crash_database()
    until(lambda: crowd.since(crashed, 503))
    time.sleep(away)
    installation.start("database")
    back = time.monotonic()
    return until(lambda: crowd.since(back, 201, 409))
