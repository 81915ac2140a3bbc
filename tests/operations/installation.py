"""The service as a platform runs it: the processes of the Procfile, each by itself, on servers of their own.

Every part has its address before it runs, so that parts can be started in any order, killed, and started again.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from django.conf import settings

from config.env import ROOT
from config.local_postgres import Postgres
from config.local_valkey import answers, free_port, valkey_program
from tests.mail.sink import Sink, serve

PATIENCE = 60.0  # seconds for a start on a busy machine
SEED = """
import json, sys
from datetime import timedelta
from django.utils import timezone
from jointoit.accounts import tokens
from jointoit.accounts.models import User
from jointoit.events.models import Event
number, capacity = map(int, "{number} {capacity}".split())
now = timezone.now()
users = User.objects.bulk_create(
    User(username=f"guest{{n}}", email=f"guest{{n}}@example.org", password="!") for n in range(number))
event = Event.objects.create(title="Launch", location="Kyiv", date=now + timedelta(days=9), organizer=users[0],
                             capacity=capacity, waitlist=True)
print(json.dumps([event.pk, [tokens.issue(user=user, now=now).access for user in users]]))
"""


class Installation:
    """`api` is an address without a slash at the end; `mail` is the mail server's other side."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ops-"))
        self.folder.chmod(0o755)
        self.postgres = Postgres(self.folder / "pg", durable=False)
        self.database = self.postgres.start()
        self.redis_port, self.port = free_port(), free_port()
        self.mail = Sink()
        self.controller = serve(self.mail)
        self.api = f"http://127.0.0.1:{self.port}"
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def environment(self, **variables: str) -> dict[str, str]:
        limits = dict.fromkeys(("ANON", "USER", "LOGIN", "ACCOUNT", "SIGNUP", "RESET", "REGISTER"), "off")
        return {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "ENV_FILE": os.devnull,
            "SECRET_KEY": settings.SECRET_KEY, "JWT_SIGNING_KEY": settings.JWT_SIGNING_KEY,
            "ALLOWED_HOSTS": "127.0.0.1", "PUBLIC_URL": self.api,
            "DATABASE_URL": self.database, "REDIS_URL": f"redis://127.0.0.1:{self.redis_port}/0",
            "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(self.controller.port), "EMAIL_USE_TLS": "false",
            "DEFAULT_FROM_EMAIL": "events@jointoit.example", "PORT": str(self.port), "WEB_WORKERS": "2",
            "WORKER_PROCESSES": "1", "PYTHONUNBUFFERED": "1",
            **{f"RATE_{name}": rate for name, rate in limits.items()}, **variables,
        }  # fmt: skip

    # ── Parts ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self, part: str, **variables: str) -> None:
        """Start `database`, `redis` or a process of the Procfile, and do not wait until it serves."""
        if part == "database":
            self.postgres.start()
            return
        log = (self.folder / f"{part}.log").open("ab")
        words = [str(valkey_program()), "--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", ""]
        if part != "redis":
            words = [sys.executable, "-m", "jointoit", {"web": "serve", "worker": "work", "sweeper": "sweep"}[part]]
        self.running[part] = subprocess.Popen(
            words, cwd=ROOT if part != "redis" else self.folder, env=self.environment(**variables),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        log.close()

    def stop(self, part: str, number: int = signal.SIGTERM) -> int:
        """Send the signal, and wait for the end; the exit status."""
        if part == "database":
            self.postgres.stop()
            return 0
        process = self.running.pop(part)
        process.send_signal(number)
        return process.wait(timeout=60)

    def crash_database(self) -> None:
        """What `pg_ctl -m immediate` does: every session is cut, nothing is written down."""
        lock = self.folder / "pg" / "postmaster.pid"
        os.kill(int(lock.read_text().splitlines()[0]), signal.SIGQUIT)
        until(lambda: not lock.exists())

    def close(self) -> None:
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            process.wait(timeout=60)
        self.postgres.stop()
        self.controller.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ── What one does with it ─────────────────────────────────────────────────────────────────────────────────────────

    def manage(self, *words: str, **variables: str) -> str:
        """Run a command and return what it wrote; AssertionError with its complaint where it fails."""
        command = [sys.executable, "-m", "jointoit", *words]
        ran = subprocess.run(command, cwd=ROOT, env=self.environment(**variables), capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def seed(self, *, guests: int, capacity: int) -> tuple[int, list[str]]:
        """One event and guests with tokens: its id and the tokens."""
        event, tokens = json.loads(self.manage("shell", "-v", "0", "-c", SEED.format(number=guests, capacity=capacity)))
        return event, tokens

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.api}/health/ready/", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def redis_answers(self) -> bool:
        return answers(f"redis://127.0.0.1:{self.redis_port}/0")

    def said(self, part: str) -> str:
        return (self.folder / f"{part}.log").read_text()

    def requests_logged(self) -> list[dict[str, object]]:
        """The line that the web processes wrote for each request they answered."""
        lines = (json.loads(line) for line in self.said("web").splitlines() if line.startswith("{"))
        return [line for line in lines if line.get("event") == "request"]


def until(reached: Callable[[], bool], *, patience: float = PATIENCE) -> float:
    """Wait until it is so; the seconds that took. Raises AssertionError when it does not come true."""
    started = time.monotonic()
    while not reached():
        assert time.monotonic() - started < patience, "It did not come true in time."
        time.sleep(0.05)
    return time.monotonic() - started
