"""Races between processes that share nothing but the database, as web servers do.

Each is a new Python (`python -m tests.races.processes`), never a fork: a fork of a test process would inherit its
threads' locks, its database connections and the pipe that pytest-xdist speaks through. They start a round at one moment
because PostgreSQL holds them: each asks for a lock that the test has, and the test lets go once all of them wait.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import IO, Any

import django
from django.db import connection
from django.utils import timezone
from django.utils.module_loading import import_string
from psycopg.conninfo import make_conninfo

from config.env import ROOT

PATIENCE = 120.0  # seconds, for every wait there is
#: (event, person): who asks for a seat where.
Asking = tuple[int, int]
WAITING = """
    SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory' AND objid = %s AND NOT granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Racer:
    """One process. `shares` says whom it asks for in each round; `answers` has what it was told, round by round."""

    def __init__(self, verb: str, shares: Sequence[Sequence[Asking]], output: IO[bytes]) -> None:
        self.output = output
        url = make_conninfo(os.environ["DATABASE_URL"], dbname=connection.settings_dict["NAME"])
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.races.processes", verb], cwd=ROOT, stdin=subprocess.PIPE,
            stdout=output, stderr=output, env=environment | {"DATABASE_URL": url, "LOG_LEVEL": "ERROR"},
        )  # fmt: skip
        assert self.process.stdin
        self.process.stdin.write(json.dumps(shares).encode())
        self.process.stdin.close()

    def answers(self) -> list[list[str]]:
        status, said = self.process.wait(timeout=PATIENCE), self.said()
        assert status == 0, said
        answers: list[list[str]] = json.loads(said.splitlines()[-1])
        return answers

    def said(self) -> str:
        self.output.seek(0)
        return self.output.read().decode()

    def end(self) -> None:
        self.process.kill()
        self.process.wait(timeout=PATIENCE)


def race(verb: str, shares: Sequence[Sequence[Sequence[Asking]]]) -> list[list[str]]:
    """Run one process for each of `shares`; return all answers to each round: a status or the code of a refusal."""
    rounds = range(len(shares[0]))
    with ExitStack() as stack:
        for number in rounds:
            stack.enter_context(barrier(number))
        racers = []
        for share in shares:
            racers.append(Racer(verb, share, stack.enter_context(tempfile.TemporaryFile())))
            stack.callback(racers[-1].end)
        for number in rounds:
            wait_until(lambda number=number: are_waiting(number) == len(racers), racers)  # type: ignore[misc]
            run("SELECT pg_advisory_unlock(%s)", number)
        told = [racer.answers() for racer in racers]
    return [[answer for answers in told for answer in answers[number]] for number in rounds]


@contextmanager
def barrier(number: int) -> Iterator[None]:
    run("SELECT pg_advisory_lock(%s)", number)
    try:
        yield
    finally:
        run("SELECT pg_advisory_unlock_all()")


def are_waiting(number: int) -> int:
    return int(run(WAITING, number))


def wait_until(condition: Callable[[], bool], racers: Sequence[Racer]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        ended = [racer.said() for racer in racers if racer.process.poll() is not None]
        assert not ended, f"ended before its time: {ended[0]}"
        assert time.monotonic() < deadline, "the processes do not come to the start"
        time.sleep(0.005)


def run(sql: str, *parameters: int) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchone()[0]


# ── In the new process ────────────────────────────────────────────────────────────────────────────────────────────────


def main(verb: str) -> None:
    shares: list[list[Asking]] = json.load(sys.stdin)
    django.setup()
    ask = import_string(verb)
    answers = []
    for number, share in enumerate(shares):
        people = accounts(person for _, person in share)
        start_together(number)
        answers.append([answer(ask, event, people[person]) for event, person in share])
    print(json.dumps(answers))  # noqa: T201


def accounts(pks: Iterator[int]) -> dict[int, Any]:
    users: Any = import_string("jointoit.accounts.models.User").objects
    return dict(users.in_bulk(list(pks)))


def start_together(number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{PATIENCE:.0f}s"])
        cursor.execute("SELECT set_config('statement_timeout', %s, false)", [f"{PATIENCE:.0f}s"])
        cursor.execute("SELECT pg_advisory_lock_shared(%s)", [number])
        cursor.execute("RESET lock_timeout")
        cursor.execute("RESET statement_timeout")


def answer(ask: Callable[..., Any], event: int, person: Any) -> str:
    refusals: Any = import_string("jointoit.errors.DomainError")
    try:
        return str(ask(event_id=event, attendee=person, now=timezone.now()).status)
    except refusals as refusal:
        return str(refusal.code)


if __name__ == "__main__":
    main(sys.argv[1])
