"""`make bench-reads`: our lists and details beside two peers, on the same rows, in turns, as a table of ratios."""

import argparse
import json
import sys
from statistics import median
from typing import Any

import httpx
import psycopg

from benchmarks import dataset, load
from benchmarks.peers import plain_copy
from benchmarks.reads import processes
from benchmarks.reads.servers import Served, database, serving

#: What is asked, by the name it has in the table; `{…}` is filled in from the data.
ASKED = {
    "list": "/events/",
    "page 10,000": "/events/?cursor={cursor}",
    "title=a": "/events/?title=a",
    "title=xyzzy": "/events/?title=xyzzy",
    "location=city a1": "/events/?location=city+a1",
    "organizer": "/events/?organizer={organizer}",
    "status=cancelled": "/events/?status=cancelled",
    "tag=jazz": "/events/?tag=jazz",
    "has_seats=false": "/events/?has_seats=false",
    "date_from": "/events/?date_from=2026-01-01T00:00:00Z",
    "search=xyzzy": "/events/?search=xyzzy",
    "detail": "/events/{event}/",
}
CONNECTIONS = 16


def make(connection: psycopg.Connection[tuple[Any, ...]], events: int) -> None:
    connection.execute(dataset.PEOPLE.encode())
    connection.execute(dataset.EVENTS.encode(), [events])
    connection.execute("ANALYZE accounts_user")
    for statement in plain_copy.COPY.split(";"):
        connection.execute(statement.encode())
    connection.execute("VACUUM ANALYZE events_event")
    connection.execute("VACUUM ANALYZE plain_event")


def fill(url: str, events: int) -> dict[str, str]:
    """Make the events, and the copy that the plain peer reads; an id of each kind."""
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("SELECT count(*) FROM events_event").fetchone() != (events,):  # else from an earlier run
            make(connection, events)
        found = connection.execute("SELECT min(id), min(organizer_id) FROM events_event WHERE status = 'published'")
        event, organizer = found.fetchone() or (0, 0)
    return {"event": str(event), "organizer": str(organizer)}


def deep_cursor(served: Served, url: str, events: int) -> str:
    """A cursor of the page that lies 10,000 pages in (or in the middle of fewer events), as this server writes it."""
    offset = min(200_000, events // 2)
    with psycopg.connect(url) as connection:
        visible = "deleted_at IS NULL AND status <> 'draft'"
        query = f"SELECT date, id FROM events_event WHERE {visible} ORDER BY date, id OFFSET {offset} LIMIT 1"
        date, pk = connection.execute(query.encode()).fetchone() or (None, 0)
    if served.name == "bare":
        return str(httpx.QueryParams({"cursor": f"{date.isoformat()}_{pk}"})["cursor"]).replace("+", "%2B")
    first = httpx.get(f"http://127.0.0.1:{served.port}/events/").json()["next"]
    token = httpx.URL(first).params["cursor"]
    return served.resign(token, [date.isoformat(), pk])


def path_of(name: str, served: Served, known: dict[str, str], url: str, events: int) -> str:
    if name != "page 10,000":
        return ASKED[name].format(**known, cursor="")
    if served.name == "plain":
        return f"/events/?page={min(10_001, events // 40)}"
    return ASKED[name].format(cursor=deep_cursor(served, url, events))


def measure(served: Served, path: str, seconds: float) -> dict[str, float]:
    load.run(served.port, path, seconds=seconds / 4, connections=CONNECTIONS)
    before = processes.cpu(served.pid)
    measured = load.run(served.port, path, seconds=seconds, connections=CONNECTIONS)
    spent = processes.cpu(served.pid) - before
    if measured.failures:
        sys.exit(f"{served.name} {path}: {measured.failures} failures")
    return {
        "rps": measured.per_second,
        "p50": measured.percentile(50) * 1000,
        "p99": measured.percentile(99) * 1000,
        "cpu": spent / len(measured.times) * 1000,
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
    parser.add_argument("--servers", nargs="*", default=["ours", "bare", "plain"])
    parser.add_argument("--json", help="a file for the figures")
    options = parser.parse_args()
    results: dict[str, dict[str, list[dict[str, float]]]] = {}
    with database() as addresses, serving(options.servers, addresses) as servers:
        url = addresses["DATABASE_URL"]
        known = fill(url, options.events)
        for name in options.only:
            paths = {served.name: path_of(name, served, known, url, options.events) for served in servers}
            for _ in range(options.rounds):
                for served in servers:
                    found = measure(served, paths[served.name], options.seconds)
                    results.setdefault(name, {}).setdefault(served.name, []).append(found)
            table({name: results[name]})
    if options.json:
        with open(options.json, "w") as file:  # noqa: PTH123  a path that a person gave
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
