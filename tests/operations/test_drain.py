"""SIGTERM ends no request and no mail in the middle (promise P16)."""

import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg

from tests.mail.sink import HANG
from tests.operations.conftest import LONG
from tests.operations.installation import Installation, until

RESTARTS = 20 if LONG else 3
RATE = 20  # requests a second


def register(api: str, event: int, token: str, name: str) -> httpx.Response | None:
    """One request on a connection of its own; None where nobody took it or nobody answered."""
    headers = {"Authorization": f"Bearer {token}", "X-Request-ID": name}
    try:
        return httpx.post(f"{api}/events/{event}/register/", headers=headers, timeout=30)
    except httpx.TransportError:
        return None


def test_a_request_that_was_read_is_answered_before_the_process_ends(installation: Installation) -> None:
    event, tokens = installation.seed(guests=2, capacity=5)
    installation.start("web")
    until(installation.is_ready)

    with psycopg.connect(installation.database) as holder, ThreadPoolExecutor(1) as pool:
        holder.execute("SELECT 1 FROM events_event WHERE id = %s FOR UPDATE", [event])
        answer = pool.submit(register, installation.api, event, tokens[1], str(uuid.uuid4()))
        waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        with psycopg.connect(installation.database, autocommit=True) as watch:
            until(lambda: watch.execute(waits).fetchone() == (1,))
        ended = threading.Thread(target=installation.stop, args=("web",))
        ended.start()
        time.sleep(0.5)
        holder.rollback()
        found = answer.result()
        ended.join()

    assert found is not None
    assert found.status_code == 201


def test_restarts_under_load_lose_no_request_that_was_read(installation: Installation) -> None:
    number = RESTARTS * 4 * RATE
    event, tokens = installation.seed(guests=number, capacity=number)
    installation.start("web")
    until(installation.is_ready)
    names = [str(uuid.uuid4()) for _ in tokens]
    with ThreadPoolExecutor(64) as pool:
        load = pool.submit(at_a_steady_rate, installation.api, event, list(zip(tokens, names, strict=True)))
        for _ in range(RESTARTS):
            time.sleep(1)
            assert installation.stop("web") == 0
            installation.start("web")
            until(installation.is_ready)
        answers = load.result()
    installation.stop("web")

    answered = {name for name, answer in answers.items() if answer is not None}
    read = {str(line["request_id"]) for line in installation.requests_logged()} & set(names)
    confirmed = [answer for answer in answers.values() if answer is not None and answer.status_code == 201]
    with psycopg.connect(installation.database) as database:
        seats = database.execute("SELECT seats_taken FROM events_event WHERE id = %s", [event]).fetchone()
    assert read - answered == set()
    assert {answer.status_code for answer in answers.values() if answer is not None} == {201}
    assert seats == (len(confirmed),)
    assert len(confirmed) > number / 10


def at_a_steady_rate(api: str, event: int, guests: list[tuple[str, str]]) -> dict[str, httpx.Response | None]:
    """Ask RATE times a second whatever becomes of the requests before."""
    with ThreadPoolExecutor(64) as pool:
        asked = {}
        for token, name in guests:
            asked[name] = pool.submit(register, api, event, token, name)
            time.sleep(1 / RATE)
        return {name: answer.result() for name, answer in asked.items()}


def test_a_sender_that_is_stopped_finishes_its_mail_and_gives_the_others_back(installation: Installation) -> None:
    event, tokens = installation.seed(guests=6, capacity=6)
    installation.start("web")
    until(installation.is_ready)
    for token in tokens:
        register(installation.api, event, token, str(uuid.uuid4()))
    installation.mail.says["DATA"].append(HANG)

    installation.start("sweeper")
    until(lambda: bool(claimed(installation)))
    until(lambda: not installation.mail.says["DATA"])
    status = installation.stop("sweeper")

    assert (status, claimed(installation), len(installation.mail.received)) == (0, 0, sent(installation))
    assert len(installation.mail.received) < 6


def claimed(installation: Installation) -> int:
    return count(installation, "claim IS NOT NULL")


def sent(installation: Installation) -> int:
    return count(installation, "state = 'sent'")


def count(installation: Installation, condition: str) -> int:
    with psycopg.connect(installation.database) as database:
        row = database.execute(f"SELECT count(*) FROM mail_outboxmail WHERE {condition}").fetchone()  # noqa: S608
    assert row
    return int(row[0])
