"""The service as a platform runs it: the processes of the Procfile, each by itself, on servers of their own.

Every part has its address before it runs, so that parts can be started in any order, killed, and started again.
Every wait has a limit.
"""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psycopg
from aiosmtpd.smtp import SMTP, Envelope, Session
from celery import Celery
from django.conf import settings

from config.env import ROOT
from laptop.postgres import Postgres
from laptop.valkey import answers, valkey_program
from tests.mail.sink import Sink, serve
from tests.operations.scripts import BOOK, SEED
from tests.servers import free_port

PATIENCE = 180.0  # seconds for anything to happen on a busy machine
COMMANDS = {"web": "serve", "worker": "work", "sweeper": "sweep"}
# The kernel ends them with the tests, however these end.
TIED = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
TABLES = "events_event, accounts_user, mail_outboxmail"
UNLIMITED = {f"RATE_{scope.upper()}": "off" for scope in settings.RATES}
#: httpx reads the certificates of the whole world for each client that is given none.
NO_TLS = httpx.create_ssl_context()


class SlowSink(Sink):
    """A mail server that takes its time with each mail."""

    takes = 0.0  # seconds

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        await asyncio.sleep(self.takes)
        return await super().handle_DATA(server, session, envelope)


class Installation:
    """`api` is an address without a slash at the end; `mail` is the mail server's other side."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ops-"))
        self.folder.chmod(0o755)
        self.postgres = Postgres(self.folder / "pg")
        self.database = self.postgres.start()
        self.redis_port, self.port = free_port(), free_port()
        self.redis = f"redis://127.0.0.1:{self.redis_port}/0"
        self.mail = SlowSink()
        self.controller = serve(self.mail)
        self.api = f"http://127.0.0.1:{self.port}"
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def environment(self, **variables: str) -> dict[str, str]:
        return {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "ENV_FILE": os.devnull,
            "SECRET_KEY": settings.SECRET_KEY, "JWT_SIGNING_KEY": settings.JWT_SIGNING_KEY,
            "TICKET_KEYS": ",".join(settings.TICKET_KEYS),
            "ALLOWED_HOSTS": "127.0.0.1", "PUBLIC_URL": self.api, "DATABASE_URL": self.database,
            "REDIS_URL": self.redis, "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(self.controller.port),
            "EMAIL_USE_TLS": "false", "DEFAULT_FROM_EMAIL": "events@jointoit.example", "PORT": str(self.port),
            "WEB_WORKERS": "2", "WORKER_PROCESSES": "1", "PYTHONUNBUFFERED": "1", **UNLIMITED, **variables,
        }  # fmt: skip

    # ── Parts ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self, part: str, **variables: str) -> None:
        """Start `database`, `redis` or a process of the Procfile, and do not wait until it serves."""
        if part == "database":
            assert self.postgres.start() == self.database
            return
        words = [sys.executable, "-m", "jointoit", COMMANDS.get(part, "")]
        if part == "redis":
            words = [str(valkey_program()), "--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", ""]
        self.run(part, words, ROOT if part in COMMANDS else self.folder, **variables)

    def run(self, part: str, words: list[str], folder: Path, **variables: str) -> None:
        """Start any program as a part of the installation."""
        with self.log(part).open("ab") as log:
            self.running[part] = subprocess.Popen(
                [*TIED, *words], cwd=folder, env=self.environment(**variables),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def stop(self, part: str, number: int = signal.SIGTERM) -> int:
        """Send the signal, SIGKILL to its children too, and wait for the end; the exit status.

        AssertionError with the log where it does not end.
        """
        if part == "database":
            self.postgres.stop()
            return 0
        process = self.running.pop(part)
        (os.killpg if number == signal.SIGKILL else os.kill)(process.pid, number)
        try:
            return process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise AssertionError(f"{part} does not end:\n{self.said(part)[-5000:]}") from None

    def crash_database(self) -> None:
        """What `pg_ctl -m immediate` does: every session is cut, nothing is written down."""
        lock = self.folder / "pg" / "postmaster.pid"
        os.kill(int(lock.read_text().splitlines()[0]), signal.SIGQUIT)
        until(lambda: not lock.exists())

    def clean(self) -> None:
        """Stop what a test started, empty the tables, forget the mails."""
        for part in [part for part in self.running if part != "redis"]:
            self.stop(part)
        self.mail.takes = 0
        self.mail.received.clear()
        self.query(f"TRUNCATE {TABLES} CASCADE")

    def close(self) -> None:
        for process in self.running.values():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=PATIENCE)
        self.postgres.stop()
        self.controller.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ── What one does with it ─────────────────────────────────────────────────────────────────────────────────────────

    def manage(self, *words: str, **variables: str) -> str:
        """Run a command and return what it wrote; AssertionError with its complaint where it fails."""
        ran = subprocess.run(
            [sys.executable, "-m", "jointoit", *words], cwd=ROOT, env=self.environment(**variables),
            capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def seed(self, *, guests: int, capacity: int) -> tuple[int, list[str]]:
        """One event and guests with tokens: its id and the tokens."""
        event, tokens = json.loads(self.manage("shell", "-v", "0", "-c", SEED.format(number=guests, capacity=capacity)))
        return event, tokens

    def book(self, guests: int) -> None:
        """An event with so many confirmed guests, each of whom is promised a mail; no worker is told."""
        self.seed(guests=guests, capacity=guests)
        self.manage("shell", "-v", "0", "-c", BOOK)

    def ring(self) -> None:
        """Notify a worker, as the web processes do."""
        with Celery(broker=self.redis) as celery:
            celery.send_task("mail.deliver_due", ignore_result=True)

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database, autocommit=True, connect_timeout=10) as connection:
            cursor = psycopg.ClientCursor(connection).execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def mails(self, condition: str) -> int:
        """How many mails of the outbox are so."""
        return int(self.query(f"SELECT count(*) FROM mail_outboxmail WHERE {condition}")[0][0])

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.api}/health/ready/", timeout=5, verify=NO_TLS).status_code == 200
        except httpx.HTTPError:
            return False

    def redis_answers(self) -> bool:
        return answers(self.redis)

    def log(self, part: str) -> Path:
        return self.folder / f"{part}.log"

    def said(self, part: str) -> str:
        return self.log(part).read_text(errors="replace")


def until(reached: Callable[[], object], *, patience: float = PATIENCE) -> float:
    """Wait until it is so; the seconds that took. Raises AssertionError when it does not come true."""
    started = time.monotonic()
    while not reached():
        assert time.monotonic() - started < patience, "It did not come true in time."
        time.sleep(0.05)
    return time.monotonic() - started
