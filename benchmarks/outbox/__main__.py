"""Mails a second through one and through four worker processes, against one Celery task for each mail.

`python -m benchmarks.outbox [--queue 100000] [--seconds 20] [--rounds 3]` on servers of its own, with fsync. Both send
the same confirmations, with their HTML and calendar parts; what differs is how. The whole queue waits when a round
begins. Rounds alternate, medians are compared.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from config.env import ROOT
from tests.servers import free_port

SECRET = "benchmark-" * 6
PATIENCE = 90.0  # seconds until the first mail
SAMPLES = 5  # looks at the memory in a round
FILL = """
from datetime import timedelta
from django.db import transaction
from django.utils import timezone
from jointoit.mail import outbox
from jointoit.mail.messages import EventPayload, Person, RegistrationConfirmed
event = EventPayload(id=5, title='Meeting', date=timezone.now() + timedelta(days=9), ends_at=None,
                   timezone='Europe/Berlin', location='12 St James Square', organizer_name='Ada',
                   organizer_address='ada@example.org', url='https://events.example/events/5/', revision=2)
def pairs():
    for n in range({mails}):
        to = Person(address=f'u{{n}}@example.org', name=f'Guest {{n}}', timezone='America/New_York')
        url = f'https://events.example/registrations/{{n}}/'
        yield (RegistrationConfirmed(to=to, registration_id=n, sequence=1, event=event, registration_url=url),
               f'registration:{{n}}:1.0:registration_confirmed')
with transaction.atomic():
    outbox.enqueue_many(pairs(), not_before=timezone.now())
"""
RING = """
from jointoit.mail.models import OutboxMail
from jointoit.mail.tasks import deliver_due
tried = OutboxMail.objects.exclude(state='pending', claim=None)
tried.update(state='pending', claim=None, not_before='2020-01-01T00:00Z')
for _ in range({processes}): deliver_due.delay()
"""
CALL = """
from benchmarks.outbox.plain import send
from config.celery import app
from jointoit.mail.models import OutboxMail
with app.producer_pool.acquire(block=True) as producer:
    wait = producer.channel.client.llen('plain')
    for pk in OutboxMail.objects.values_list('pk', flat=True)[wait:].iterator():
        send.apply_async((pk,), producer=producer, queue='plain')
"""


@dataclass
class Round:
    per_second: float
    connections: int
    memory: list[int]  # MB of the largest worker process, from time to time


class Bench:
    def __init__(self, environment: dict[str, str], port: int) -> None:
        self.environment, self.port = environment, port

    def python(self, *words: str) -> None:
        subprocess.run([sys.executable, *words], cwd=ROOT, env=self.environment, check=True)

    def shell(self, code: str) -> None:
        self.python("-m", "jointoit", "shell", "--verbosity=0", "--no-imports", "-c", code)

    def count(self) -> tuple[int, int]:
        """Mails and connections that the sink took so far."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection, connection.makefile("rb") as lines:
            lines.readline()
            connection.sendall(b"COUNT\r\n")
            taken, connections = lines.readline().split()
        return int(taken), int(connections)

    def fill(self, mails: int) -> None:
        self.shell(FILL.format(mails=mails))

    def round(self, name: str, processes: int, *, seconds: float) -> Round:
        """Fill the queue while no worker runs, then measure from the first mail on."""
        queue, start = ("plain", CALL) if name == "plain" else ("celery", RING.format(processes=processes))
        self.shell(start)
        before = self.count()
        with self.working(processes, queue) as worker:
            self.until(before[0] + processes)
            began, first, used = time.monotonic(), self.count()[0], []
            for _ in range(SAMPLES):
                time.sleep(seconds / SAMPLES)
                used.append(memory(worker))
            taken, connections = self.count()
            took = time.monotonic() - began
        return Round((taken - first) / took, connections - before[1], used)

    def until(self, taken: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while self.count()[0] < taken:
            if time.monotonic() > deadline:
                sys.exit("No mail was sent in time.")
            time.sleep(0.02)

    @contextmanager
    def working(self, processes: int, queue: str) -> Iterator[int]:
        words = ["-m", "celery", "--quiet", "-A", "config", "worker", "-I", "benchmarks.outbox.plain", "-Ofair",
                 f"--queues={queue}", f"--concurrency={processes}", "--without-gossip", "--without-mingle",
                 "--without-heartbeat", "--loglevel=ERROR"]  # fmt: skip
        worker = subprocess.Popen([sys.executable, *words], cwd=ROOT, env=self.environment)
        try:
            yield worker.pid
        finally:
            worker.terminate()
            worker.wait(timeout=60)


def memory(worker: int) -> int:
    """Resident MB of the largest child."""
    children = Path(f"/proc/{worker}/task/{worker}/children").read_text().split()
    return max(resident(Path(f"/proc/{child}/status").read_text()) for child in children) // 1024


def resident(status: str) -> int:
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1])


@contextmanager
def machines() -> Iterator[Bench]:
    folder = tempfile.mkdtemp(prefix="bench-")
    Path(folder).chmod(0o755)
    words = [sys.executable, "-m", "laptop.stack", folder, "--discard"]
    port = free_port()
    with (
        subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder,
        subprocess.Popen([sys.executable, "-m", "benchmarks.outbox.sink", str(port)], cwd=ROOT) as sink,
    ):
        try:
            assert holder.stdout
            yield Bench(environment(json.loads(holder.stdout.readline()), port), port)
        finally:
            sink.terminate()


def environment(urls: dict[str, str], port: int) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "SECRET_KEY": SECRET, "JWT_SIGNING_KEY": SECRET,
        "TICKET_KEYS": "0123456789abcdef" * 4,
        "ALLOWED_HOSTS": "127.0.0.1", "PUBLIC_URL": "http://127.0.0.1",
        "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(port),
        "EMAIL_USE_TLS": "false", "DEFAULT_FROM_EMAIL": "Bench <bench@example.org>", "LOG_LEVEL": "ERROR", **urls,
    }  # fmt: skip


def say(name: str, rounds: list[Round]) -> float:
    median = statistics.median(one.per_second for one in rounds)
    each = ", ".join(f"{one.per_second:.0f}" for one in rounds)
    print(f"{name:<24}{median:>6.0f} mails/s  ({each})  connections {rounds[-1].connections}, "
          f"MB from time to time {rounds[-1].memory}")  # fmt: skip
    return median


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.outbox", description=__doc__)
    parser.add_argument("--queue", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    options: Any = parser.parse_args()
    runs: dict[tuple[str, int], list[Round]] = {}
    with machines() as bench:
        bench.python("-m", "jointoit", "migrate", "--verbosity=0")
        bench.fill(options.queue)
        for _ in range(options.rounds):
            for name, processes in product(("plain", "outbox"), (1, 4)):
                runs.setdefault((name, processes), []).append(bench.round(name, processes, seconds=options.seconds))
    medians = {key: say(f"{key[0]}, {key[1]} processes", rounds) for key, rounds in runs.items()}
    for processes in (1, 4):
        ratio = medians["outbox", processes] / medians["plain", processes]
        print(f"outbox : plain with {processes} processes = {ratio:.2f}")


if __name__ == "__main__":
    main()
