"""Scans a second at one door, in turns with a bare insert and with check-then-insert on the same stack; see README.

make bench-door                          about two minutes
make bench-door ARGS="--rounds 5 --scans 4000"
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
import uuid
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import django
import httpx
import orjson
from django.db import connection
from django.utils import timezone

from benchmarks import load
from benchmarks.reads import servers
from benchmarks.tokens import access_token
from config.env import ROOT

os.environ |= servers.SECRETS | {"DJANGO_SETTINGS_MODULE": "config.settings", "ENV_FILE": os.devnull, "DEBUG": "true"}

from jointoit.tickets import tokens

CONNECTIONS, RATE, BATCH, PAGE = 16, 100, 200, 5_000
OWNER = 1


class Door:
    """An event with many guests, of whom each comes once; `next` are their scans, as requests."""

    def __init__(self, kind: str, port: int, event: int, seats: list[int]) -> None:
        self.kind, self.port, self.event, self.seats = kind, port, event, iter(seats)
        self.token = access_token(OWNER, servers.SECRETS["JWT_SIGNING_KEY"])

    def scan(self) -> dict[str, Any]:
        seat = next(self.seats)
        if self.kind == "bare insert":
            return {"id": str(uuid.uuid4()), "registration": seat}
        return {"id": str(uuid.uuid4()), "token": tokens.sign(tokens.Ticket(self.event, seat, 1))}

    def requests(self, number: int) -> list[bytes]:
        path = {
            "ours": f"/events/{self.event}/checkin/scans/", "bare insert": f"/bare/{self.event}/",
            "check, then insert": f"/check/{self.event}/",
        }[self.kind]  # fmt: skip
        return [load.request(path, method="POST", token=self.token, body=self.scan()) for _ in range(number)]

    def batch(self) -> bytes:
        body = {"device_time": "2030-01-01T00:00:00Z", "scans": [self.scan() for _ in range(BATCH)]}
        return load.request(f"/events/{self.event}/checkin/scans/batch/", method="POST", token=self.token, body=body)


def in_turns(doors: list[Door], rounds: int, scans: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {door.kind: [] for door in doors}
    for _ in range(rounds):
        for door in doors:
            measured = load.run(door.port, door.requests(scans), connections=CONNECTIONS)
            assert not measured.failures, f"{door.kind}: {measured.failures} of {scans} failed"
            found[door.kind].append(measured.per_second)
    return found


async def paced(door: Door, seconds: int) -> list[float]:
    """RATE scans a second whatever the answers do; the seconds from when each was due."""
    free: asyncio.Queue[load.Connection] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(load.Connection(door.port))
    times: list[float] = []

    async def one(due: float, request: bytes) -> None:
        connection = await free.get()
        assert await connection.ask(request) == 201
        times.append(time.perf_counter() - due)
        free.put_nowait(connection)

    requests, began, running = door.requests(RATE * seconds), time.perf_counter(), []
    for number, request in enumerate(requests):
        due = began + number / RATE
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        running.append(asyncio.create_task(one(due, request)))
    await asyncio.gather(*running)
    while not free.empty():
        free.get_nowait().close()
    return times


def roster(door: Door, pid: int) -> tuple[int, float, int, int]:
    """Rows and seconds of the whole roster, and what the web processes hold in memory, first and at most, in KiB."""
    rows, address = 0, f"http://127.0.0.1:{door.port}/events/{door.event}/checkin/roster/?page_size={PAGE}"
    headers, peaks, began = {"Authorization": f"Bearer {door.token}"}, [], time.perf_counter()
    with httpx.Client(headers=headers, timeout=60) as client:
        while address:
            page = orjson.loads(client.get(address).content)
            rows += len(page["results"])
            address = (page["next"] or "").replace("http://127.0.0.1/", f"http://127.0.0.1:{door.port}/")
            peaks.append(memory(pid))
    return rows, time.perf_counter() - began, peaks[0], max(peaks)


def memory(pid: int) -> int:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    lines = (line for child in children for line in Path(f"/proc/{child}/status").read_text().splitlines())
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def fill(numbers: list[int]) -> list[tuple[int, list[int]]]:
    """An event for each number, with so many guests: its id, and those of the registrations."""
    from jointoit.accounts.models import User  # noqa: PLC0415  needs the database of this run
    from jointoit.events.models import Event, Registration  # noqa: PLC0415

    now, most = timezone.now(), max(numbers)
    names = (f"u{number}" for number in range(1, most + 1))
    users = User.objects.bulk_create(
        (
            User(username=name, email=f"{name}@example.org", password="", first_name=name, last_name="Guest")
            for name in names
        ),
        batch_size=5_000,
    )
    found = []
    for number in numbers:
        event = Event.objects.create(
            title="Door", location="Here", date=now + timedelta(hours=1), organizer=users[0], seats_taken=number
        )
        seats = Registration.objects.bulk_create(
            (
                Registration(event=event, attendee=user, status="confirmed", registered_at=now, updated_at=now)
                for user in users[:number]
            ),
            batch_size=5_000,
        )
        found.append((event.pk, [seat.pk for seat in seats]))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return found


def percentile(times: list[float], percent: int) -> float:
    return statistics.quantiles(times, n=100)[percent - 1] * 1000


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.door", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scans", type=int, default=2_000)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--guests", type=int, default=100_000)
    options = parser.parse_args()
    with servers.database() as addresses, ExitStack() as running:
        variables = servers.environment(addresses) | {"RATE_DOOR": "999999/s"}
        subprocess.run([sys.executable, "-m", "jointoit", "migrate", "-v0"], cwd=ROOT, env=variables, check=True)
        log = running.enter_context(TemporaryFile())
        ours = running.enter_context(servers.started("ours", variables, log))
        peer = running.enter_context(servers.started("door", variables, log)).port
        os.environ |= addresses
        django.setup()
        needed = options.rounds * options.scans + 200
        places = fill([needed, needed, max(options.guests, needed + RATE * options.seconds + 30 * BATCH)])
        kinds = [("bare insert", peer), ("check, then insert", peer), ("ours", ours.port)]
        doors = [Door(kind, port, *place) for (kind, port), place in zip(kinds, places, strict=True)]
        tell(doors, ours.pid, options)


def tell(doors: list[Door], pid: int, options: argparse.Namespace) -> None:
    ours = doors[-1]
    in_turns(doors, 1, 200)  # warms every process up
    found = in_turns(doors, options.rounds, options.scans)
    medians = {kind: statistics.median(each) for kind, each in found.items()}
    print(f"\n{options.scans} scans over {CONNECTIONS} connections, {options.rounds} rounds in turns\n")
    print("| | scans/s, median | lowest | of a bare insert |\n| --- | ---: | ---: | ---: |")
    for kind, each in found.items():
        print(f"| {kind} | {medians[kind]:.0f} | {min(each):.0f} | {medians[kind] / medians['bare insert']:.2f} |")
    times = asyncio.run(paced(ours, options.seconds))
    said = f"median {percentile(times, 50):.1f} ms, p99 {percentile(times, 99):.1f} ms"
    print(f"\n{RATE} scans/s for {options.seconds} s: {said}")
    batches = load.run(ours.port, [ours.batch() for _ in range(30)])
    assert not batches.failures
    print(
        f"a batch of {BATCH}: median {percentile(batches.times, 50):.0f} ms, p99 {percentile(batches.times, 99):.0f} ms"
    )
    rows, seconds, first, most = roster(ours, pid)
    held = f"web processes hold {first // 1024} MiB after the first page, at most {most // 1024} MiB"
    print(f"roster of {rows:,}: {seconds:.1f} s in pages of {PAGE:,}; {held}")


if __name__ == "__main__":
    main()
