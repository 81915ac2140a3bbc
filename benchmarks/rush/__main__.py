"""`make bench-rush`: who sells 500 seats to 2,000 people fastest, without selling one too many.

Rounds alternate between the contestants, so that whatever else the machine does meets all of them alike; every figure
is the median of its rounds, and each comparison is a ratio within this run.
"""

import argparse
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg

from benchmarks import load
from benchmarks.rush.contestants import KINDS, Contestant, Jointoit
from benchmarks.rush.figures import Figures, table
from benchmarks.rush.load import Answer
from benchmarks.tokens import access_token
from config.env import ROOT
from laptop import stack

SEATS = 500
PEERS = ("fastapi", "bare", "plain")  # in the order in which the table compares with them
PATIENCE = 100.0  # seconds for one race: who takes longer is known to be slower than that
SECRETS = {
    "DEBUG": "false", "ENV_FILE": os.devnull, "SECRET_KEY": "benchmark" * 7, "JWT_SIGNING_KEY": "benchmark" * 4,
    "TICKET_KEYS": "0123456789abcdef" * 4,
    "ALLOWED_HOSTS": "127.0.0.1", "PUBLIC_URL": "http://127.0.0.1", "EMAIL_HOST": "127.0.0.1",
    "DEFAULT_FROM_EMAIL": "events@jointoit.example", "LOG_LEVEL": "INFO",
}  # fmt: skip


def asking(users: int, event_of: Callable[[int], int]) -> list[bytes]:
    """The request of each of `users`, for the event that `event_of` gives to the user."""
    key = SECRETS["JWT_SIGNING_KEY"]
    return [
        load.request(f"/events/{event_of(user)}/register/", method="POST", token=access_token(user, key))
        for user in range(1, users + 1)
    ]


def crowd(port: int, connections: int, requests: list[bytes]) -> list[Answer]:
    """Send from a process of its own, so that measuring does not slow down what is measured more than it must."""
    words, job = [sys.executable, "-m", "benchmarks.rush.load"], (port, connections, requests, PATIENCE)
    ran = subprocess.run(words, cwd=ROOT, input=pickle.dumps(job), capture_output=True, check=True)
    answers: list[Answer] = pickle.loads(ran.stdout)  # noqa: S301  written by our own process
    return answers


def race(who: Contestant, users: int, connections: int, *, waitlist: bool = False) -> Figures:
    """One round for one event. Raises AssertionError where a seat too many or too few was sold."""
    event = who.new_event(SEATS, waitlist=waitlist)
    requests, worked = asking(users, lambda _: event), who.worked()
    answers = crowd(who.port, connections, requests)
    worked = who.worked() - worked
    assert who.sold(event) == min(SEATS, users), f"{who.name} sold {who.sold(event)} of {SEATS} seats"
    return Figures.of(answers, users, worked)


def side_by_side(who: Jointoit, users: int, connections: int, events: int) -> Figures:
    """Everybody gets a seat, spread over `events` events."""
    pks = who.new_events(events, -(-users // events))
    requests, worked = asking(users, lambda user: pks[user % events]), who.worked()
    figures = Figures.of(crowd(who.port, connections, requests), users, who.worked() - worked)
    assert sum(who.sold(pk) for pk in {pks[0], pks[-1]}) == 2 * (users // events)
    return figures


def rounds(contestants: list[Contestant], times: int, users: int, connections: int) -> dict[str, list[Figures]]:
    """A B C A B C …; the waiting list is a contestant of its own."""
    found: dict[str, list[Figures]] = {}
    for _ in range(times):
        for who in contestants:
            found.setdefault(who.name, []).append(race(who, users, connections))
            if isinstance(who, Jointoit):
                listed = race(who, users, connections, waitlist=True)
                found.setdefault("jointoit, waiting list", []).append(listed)
    return found


def contestants(url: str, log: Path, names: list[str]) -> list[Contestant]:
    """Make a database for each on the server at `url`."""
    made: list[Contestant] = []
    for name in names:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}_rush")
        made.append(KINDS[name](url.replace("/jointoit?", f"/{name}_rush?"), log))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rush", description=__doc__)
    parser.add_argument("--users", type=int, nargs="+", default=[2000])
    parser.add_argument("--connections", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", default=list(KINDS), choices=KINDS)
    parser.add_argument("--events", type=int, default=0, help="besides: this many events at once")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # a bound on the run from outside ends the servers too
    with stack.discarded("jointoit-rush-") as (folder, urls):
        os.environ |= SECRETS | urls
        everybody = contestants(urls["DATABASE_URL"], folder / "servers.log", options.only)
        try:
            compete(options, everybody)
        finally:
            for who in everybody:
                who.stop()


def compete(options: argparse.Namespace, everybody: list[Contestant]) -> None:
    for who in everybody:
        who.prepare(max(options.users))
        who.start()
        before = who.new_event(20)
        crowd(who.port, 8, asking(80, lambda _, event=before: event))  # type: ignore[misc]  # warms every process up
    for users in options.users:
        for connections in options.connections:
            print(f"\n{users} people, {SEATS} seats, {connections} connections, {options.rounds} rounds", flush=True)
            print(table(rounds(everybody, options.rounds, users, connections), PEERS), flush=True)
        if options.events:
            compare_events(next(who for who in everybody if isinstance(who, Jointoit)), users, options)
    for who in everybody:
        if isinstance(who, Jointoit):
            print("invariants:", who.violations() or "all hold")


def compare_events(who: Jointoit, users: int, options: argparse.Namespace) -> None:
    connections = max(options.connections)
    found: dict[str, list[Figures]] = {}
    for _ in range(options.rounds):
        for events in (users, options.events):
            found.setdefault(f"{events} events", []).append(side_by_side(who, users, connections, events))
    print(f"\n{users} people, a seat for each, {connections} connections: unrelated rows, then {options.events} events")
    print(table(found, (f"{users} events",)), flush=True)


if __name__ == "__main__":
    main()
