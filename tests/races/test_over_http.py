"""Fifty at once over real HTTP, against two web processes: one key has one effect (P8), one ETag one change (P9)."""

import os
import signal
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.live import PASSWORD, UNLIMITED, Live, serve

MANY = 50
PATIENCE = 60.0  # seconds
HELD = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    variables = {"WEB_WORKERS": "2", "WEB_THREADS": "4", "LOG_LEVEL": "ERROR", "DEBUG": "true"}
    with serve(tmp_path_factory.mktemp("races"), **UNLIMITED, **variables) as live:
        yield live


@pytest.fixture
def organizer(live: Live) -> dict[str, str]:
    return live.person(f"organizer{uuid.uuid4().hex[:8]}")


@pytest.fixture
def event(live: Live, organizer: dict[str, str]) -> str:
    """The address of an event with one seat."""
    body = {"title": "Rush", "date": "2099-01-01T00:00:00Z", "location": "Berlin", "capacity": 1}
    return str(httpx.post(f"{live.url}/events/", json=body, headers=organizer, timeout=30).headers["Location"])


def at(live: Live, address: str) -> str:
    """Where the server that runs here answers for an address that it gave."""
    return live.url + httpx.URL(address).path


def persistent(send: Callable[[], httpx.Response]) -> httpx.Response:
    """Ask again where the connection broke or the answer says to come back, as a client does that has to know."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            answer = send()
            if "Retry-After" not in answer.headers:
                return answer
        except httpx.TransportError:
            assert time.monotonic() < deadline, "the service does not come back"
        assert time.monotonic() < deadline
        time.sleep(0.1)


@contextmanager
def fifty(send: Callable[[httpx.Client], httpx.Response]) -> Iterator[list[Any]]:
    """Fifty clients send at the same moment; their answers are there once the block has ended."""
    answers: list[httpx.Response] = []
    limits = httpx.Limits(max_connections=MANY)
    with httpx.Client(timeout=30, limits=limits) as client, ThreadPoolExecutor(MANY) as pool:
        running = [pool.submit(persistent, lambda: send(client)) for _ in range(MANY)]
        yield answers
        answers += [one.result() for one in running]


def workers(live: Live) -> list[int]:
    """The web processes that the one we started keeps."""
    pid = live.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"never seen: {what}"
        time.sleep(0.01)


def registrations(live: Live, event: str) -> list[tuple[Any, ...]]:
    pk = event.rstrip("/").rpartition("/")[2]
    with psycopg.connect(live.environment["DATABASE_URL"]) as connection:
        return connection.execute("SELECT status FROM events_registration WHERE event_id = %s", [pk]).fetchall()


def keys(live: Live) -> list[tuple[Any, ...]]:
    with psycopg.connect(live.environment["DATABASE_URL"]) as connection:
        return connection.execute("SELECT status FROM api_idempotencykey WHERE headers IS NULL").fetchall()


# ── One key, one effect ───────────────────────────────────────────────────────────────────────────────────────────────


def test_one_key_has_one_effect_when_every_web_process_is_killed_in_the_middle(live: Live, event: str) -> None:
    guest = live.person(f"guest{uuid.uuid4().hex[:8]}") | {"Idempotency-Key": str(uuid.uuid4())}
    with psycopg.connect(live.environment["DATABASE_URL"]) as holder:
        pk = event.rstrip("/").rpartition("/")[2]
        holder.execute("SELECT FROM events_event WHERE id = %s FOR UPDATE", [pk])
        with fifty(lambda client: client.post(at(live, event) + "register/", headers=guest)) as answers:
            # One has the key and waits for the event, others wait for the key: now each of them dies.
            until(lambda: holder.execute(HELD).fetchone()[0] >= 2, "requests in the middle")  # type: ignore[index]
            killed = workers(live)
            for worker in killed:
                os.kill(worker, signal.SIGKILL)
            holder.rollback()

    assert len(killed) == 2
    assert set(workers(live)).isdisjoint(killed)
    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
    assert Counter(answer.headers.get("Idempotent-Replayed") for answer in answers)["true"] >= MANY - 1
    assert registrations(live, event) == [("confirmed",)]
    assert keys(live) == []
    live.manage("check_invariants")


def test_fifty_who_have_no_key_are_fifty_requests(live: Live, event: str) -> None:
    """The control: one effect by the rule of one seat for one person, and no two answers for one question."""
    guest = live.person(f"guest{uuid.uuid4().hex[:8]}")

    with fifty(lambda client: client.post(at(live, event) + "register/", headers=guest)) as answers:
        pass

    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: MANY - 1}


# ── One tag, one change ───────────────────────────────────────────────────────────────────────────────────────────────


def titles(live: Live, event: str, headers: dict[str, str]) -> Counter[int]:
    names = iter(range(MANY))
    with fifty(
        lambda client: client.patch(at(live, event), json={"title": f"Title {next(names)}"}, headers=headers)
    ) as answers:
        pass
    return Counter(answer.status_code for answer in answers)


def test_of_fifty_changes_to_one_state_one_is_made(live: Live, event: str, organizer: dict[str, str]) -> None:
    tag = httpx.get(at(live, event), headers=organizer).headers["ETag"]

    assert titles(live, event, organizer | {"If-Match": tag}) == {200: 1, 412: MANY - 1}


def test_without_the_tag_each_of_fifty_changes_overwrites_another(
    live: Live, event: str, organizer: dict[str, str]
) -> None:
    assert titles(live, event, organizer) == {200: MANY}


@pytest.mark.parametrize("what", ["key", "role"])
def test_a_right_that_is_withdrawn_is_gone_at_the_next_request(
    live: Live, organizer: dict[str, str], event, what
) -> None:
    """Sixteen clients use it without a pause; none succeeds that begins after the answer that ended it."""
    address = at(live, event)
    if what == "key":
        body = {"name": "k", "scopes": ["events:write"], "password": PASSWORD}
        made = httpx.post(f"{live.url}/users/me/keys/", json=body, headers=organizer, timeout=30).json()
        token, end = {"Authorization": f"Bearer {made['key']}"}, f"{live.url}/users/me/keys/{made['id']}/"
    else:
        token, end = manager_of(live, address, organizer)
    ended = threading.Event()

    def use(number: int) -> list[tuple[bool, int]]:
        seen: list[Any] = []
        with httpx.Client(timeout=30) as client:
            while len(seen) < 400:
                late = ended.is_set()
                seen.append((late, client.patch(address, json={"title": f"T{number}"}, headers=token).status_code))
                if late and len([each for each, _ in seen if each]) >= 5:
                    break
        return seen

    with ThreadPoolExecutor(16) as pool:
        running = [pool.submit(use, number) for number in range(16)]
        time.sleep(0.3)
        assert httpx.delete(end, headers=organizer, timeout=30).status_code == 204
        ended.set()
        answers = [answer for each in running for answer in each.result()]

    assert 200 in {status for late, status in answers if not late}
    assert {status for late, status in answers if late} == ({401} if what == "key" else {403})


def manager_of(live: Live, address: str, organizer: dict[str, str]) -> tuple[dict[str, str], str]:
    """Somebody's token who manages the event, and the address that ends it."""
    name = f"manager{uuid.uuid4().hex[:8]}"
    token = live.person(name)
    with psycopg.connect(live.environment["DATABASE_URL"], autocommit=True) as database:
        row = database.execute(
            "INSERT INTO events_membership (owner_id, event_id, member_id, role, since) "
            "SELECT organizer_id, event.id, member.id, 'manager', now() "
            "FROM events_event AS event, accounts_user AS member "
            "WHERE event.id = %s AND member.username = %s RETURNING id",
            [int(address.rstrip("/").rpartition("/")[2]), name],
        ).fetchone()
    assert row
    return token, f"{address}team/{row[0]}/"
