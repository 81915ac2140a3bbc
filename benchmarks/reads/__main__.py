"""`make bench-reads`: our lists and details beside three peers, on the same rows, in turns, as a table of ratios."""

import argparse
import json
import sys
from dataclasses import dataclass
from itertools import repeat
from statistics import median
from urllib.parse import quote

import httpx
import psycopg

from benchmarks import dataset, load
from benchmarks.cpu import spent
from benchmarks.peers import plain_copy
from benchmarks.reads import processes
from benchmarks.reads.servers import SECRETS, Served, database, serving
from benchmarks.tokens import access_token

EVERYBODY = ("ours", "fastapi", "bare", "plain")
FILTERING = ("ours", "bare", "plain")
WITH_ACCOUNTS = ("ours", "fastapi")


@dataclass(frozen=True)
class Asked:
    """`{…}` in the path is filled in from the data; `of` are those who have the route and know who is signed in."""

    path: str
    of: tuple[str, ...] = EVERYBODY
    signed_in: bool = False


#: What is asked, by the name it has in the table.
ASKED = {
    "list": Asked("/events/"),
    "page 10,000": Asked("/events/?cursor={cursor}"),
    "title=a": Asked("/events/?title=a"),
    "title=xyzzy": Asked("/events/?title=xyzzy"),
    "location=city a1": Asked("/events/?location=city+a1", FILTERING),
    "organizer": Asked("/events/?organizer={organizer}", FILTERING),
    "status=cancelled": Asked("/events/?status=cancelled", FILTERING),
    "tag=jazz": Asked("/events/?tag=jazz", FILTERING),
    "has_seats=false": Asked("/events/?has_seats=false", FILTERING),
    "date_from": Asked("/events/?date_from=2026-01-01T00:00:00Z", FILTERING),
    "search=xyzzy": Asked("/events/?search=xyzzy", FILTERING),
    "detail": Asked("/events/{event}/"),
    "list, signed in": Asked("/events/", WITH_ACCOUNTS, signed_in=True),
    "title=a, signed in": Asked("/events/?title=a", WITH_ACCOUNTS, signed_in=True),
    "title=xyzzy, signed in": Asked("/events/?title=xyzzy", WITH_ACCOUNTS, signed_in=True),
    "detail, signed in": Asked("/events/{event}/", WITH_ACCOUNTS, signed_in=True),
    "own registrations": Asked("/registrations/", ("ours",), signed_in=True),
    "attendees": Asked("/events/{attended}/registrations/", ("ours",), signed_in=True),
}
CONNECTIONS = 16


def fill(url: str, events: int) -> dict[str, int]:
    """Make the events, and the copy that the plain peer reads; an id of each kind."""
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("SELECT count(*) FROM events_event").fetchone() != (events,):  # else from an earlier run
            dataset.fill(connection, events)
            for statement in (*plain_copy.COPY.split(";"), "VACUUM ANALYZE plain_event"):
                connection.execute(statement.encode())
        return dataset.known(connection)


def deep_cursor(served: Served, url: str, events: int) -> str:
    """A cursor of the page that lies 10,000 pages in (or in the middle of fewer events), as this server writes it."""
    offset = min(200_000, events // 2)
    with psycopg.connect(url) as connection:
        visible = "deleted_at IS NULL AND status <> 'draft'"
        query = f"SELECT date, id FROM events_event WHERE {visible} ORDER BY date, id OFFSET {offset} LIMIT 1"
        date, pk = connection.execute(query.encode()).fetchone() or (None, 0)
    if served.name in ("bare", "fastapi"):
        return quote(f"{date.isoformat()}_{pk}")
    first = httpx.get(f"http://127.0.0.1:{served.port}/events/").json()["next"]
    token = httpx.URL(first).params["cursor"]
    return served.resign(token, [date.isoformat(), pk])


def request_of(name: str, served: Served, known: dict[str, int], url: str, events: int) -> bytes:
    asked = ASKED[name]
    token = access_token(known["organizer"], SECRETS["JWT_SIGNING_KEY"]) if asked.signed_in else ""
    if name != "page 10,000":
        return load.request(asked.path.format(**known), token=token)
    if served.name == "plain":
        return load.request(f"/events/?page={min(10_001, events // 40)}")
    return load.request(asked.path.format(cursor=deep_cursor(served, url, events)))


def measure(served: Served, request: bytes, seconds: float) -> dict[str, float]:
    load.run(served.port, repeat(request), seconds=seconds / 4, connections=CONNECTIONS)
    worked = spent(served.pid)
    measured = load.run(served.port, repeat(request), seconds=seconds, connections=CONNECTIONS)
    worked = spent(served.pid) - worked
    if measured.failures:
        sys.exit(f"{served.name}: {measured.failures} failures of {request.decode().splitlines()[0]}")
    return {
        "rps": measured.per_second,
        "p50": measured.percentile(50) * 1000,
        "p99": measured.percentile(99) * 1000,
        "cpu": worked / len(measured.times) * 1000,
        "memory": processes.memory(served.pid) / 1e6,
    }


def table(results: dict[str, dict[str, list[dict[str, float]]]]) -> None:
    """Print medians over the rounds, and how ours compares."""
    print("| what | server | requests/s | p50 ms | p99 ms | CPU ms a request | memory MB | ours is |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |")
    for name, by_server in results.items():
        middle = {who: {key: median(run[key] for run in runs) for key in runs[0]} for who, runs in by_server.items()}
        for who, values in middle.items():
            ratio = "" if who == "ours" else f"{middle['ours']['rps'] / values['rps']:.2f} ×"
            numbers = " | ".join(f"{values[key]:.{digits}f}" for key, digits in
                                 (("rps", 1), ("p50", 1), ("p99", 1), ("cpu", 2), ("memory", 0)))  # fmt: skip
            print(f"| {name} | {who} | {numbers} | {ratio} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reads", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="of load, for each measurement")
    parser.add_argument("--only", nargs="*", default=list(ASKED), help="some of what is asked")
    parser.add_argument("--servers", nargs="*", default=list(EVERYBODY))
    parser.add_argument("--json", help="a file for the figures")
    options = parser.parse_args()
    results: dict[str, dict[str, list[dict[str, float]]]] = {}
    with database() as addresses, serving(options.servers, addresses) as servers:
        url = addresses["DATABASE_URL"]
        known = fill(url, options.events)
        for name in options.only:
            asked = [served for served in servers if served.name in ASKED[name].of]
            requests = {served.name: request_of(name, served, known, url, options.events) for served in asked}
            for _ in range(options.rounds):
                for served in asked:
                    found = measure(served, requests[served.name], options.seconds)
                    results.setdefault(name, {}).setdefault(served.name, []).append(found)
            table({name: results[name]})
    if options.json:
        with open(options.json, "w") as file:  # noqa: PTH123  a path that a person gave
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
