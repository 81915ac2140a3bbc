"""Who takes part: each has a database of its own on the same server, and a web server of its own."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import psycopg

from benchmarks.cpu import spent
from benchmarks.peers import commands
from config.env import ROOT
from tests.servers import free_port

CORES = os.cpu_count() or 1
SOON = datetime.now(UTC) + timedelta(days=30)
START = 60.0  # seconds


class Contestant:
    """A server to race. `waitlist` and several events at once are for those that know such things."""

    name: ClassVar[str]

    def __init__(self, url: str, log: Path) -> None:
        self.url, self.log = url, log
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    def words(self, port: int) -> list[str]:
        """The command that serves."""
        raise NotImplementedError

    def prepare(self, users: int) -> None:
        """Make the tables and the users 1 … `users`."""
        raise NotImplementedError

    def new_event(self, capacity: int, *, waitlist: bool = False) -> int:
        raise NotImplementedError

    def sold(self, event: int) -> int:
        """How many hold a seat."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return {**os.environ, "DATABASE_URL": self.url}

    def query(self, sql: str, *parameters: object) -> list[tuple[int, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        """Run the server on `self.port` until `stop`. Raises RuntimeError where it does not come up."""
        self.port = free_port()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.words(self.port),
                cwd=ROOT,
                env=self.environment() | {"PORT": str(self.port)},
                stdout=log,
                stderr=log,
            )
        wait_until_it_answers(self.port, self.process)

    def worked(self) -> float:
        """Seconds of processor time that its server and PostgreSQL have used since they were started."""
        assert self.process
        folder = self.query("SELECT setting FROM pg_settings WHERE name = 'data_directory'")[0][0]
        postmaster = (Path(str(folder)) / "postmaster.pid").read_text().split()[0]
        return spent(self.process.pid, int(postmaster))

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=60)


class OnOurTables(Contestant):
    """With the tables and indexes of the service."""

    def prepare(self, users: int) -> None:
        subprocess.run(
            [sys.executable, "-m", "jointoit", "migrate", "--verbosity", "0"],
            cwd=ROOT,
            env=self.environment(),
            check=True,
        )
        self.query(
            "INSERT INTO accounts_user (username, email, email_verified, pending_email, first_name, last_name,"
            " timezone, password, is_staff, is_superuser, is_active, token_epoch, date_joined)"
            " SELECT 'guest' || n, 'guest' || n || '@example.org', true, '', 'Guest', 'No ' || n, 'UTC', '!',"
            " false, false, true, 0, now() FROM generate_series(1, %s) n",
            users,
        )

    def new_event(self, capacity: int, *, waitlist: bool = False) -> int:
        return self.new_events(1, capacity, waitlist=waitlist)[0]

    def new_events(self, number: int, capacity: int, *, waitlist: bool = False) -> list[int]:
        rows = self.query(
            "INSERT INTO events_event (title, title_folded, description, date, timezone, location, location_folded,"
            " organizer_id, capacity, waitlist, requires_approval, status, tags, seats_taken, waiting, queue_tail,"
            " revision) SELECT 'Rush', 'rush', '', %s, 'UTC', 'Berlin', 'berlin', 1, %s, %s, false, 'published', '{}',"
            " 0, 0, 0, 0 FROM generate_series(1, %s) RETURNING id",
            SOON, capacity, waitlist, number,
        )  # fmt: skip
        return [pk for (pk,) in rows]

    def sold(self, event: int) -> int:
        return self.query(
            "SELECT count(*) FROM events_registration WHERE event_id = %s AND status = 'confirmed'", event
        )[0][0]


class Jointoit(OnOurTables):
    """The service as the Procfile starts it, with its rate limits, logs, outbox and bell."""

    name = "jointoit"

    def words(self, port: int) -> list[str]:
        return [sys.executable, "-m", "jointoit", "serve"]

    def violations(self) -> str:
        """What `check_invariants` says; empty where all is well."""
        words = [sys.executable, "-m", "jointoit", "check_invariants"]
        checked = subprocess.run(words, cwd=ROOT, env=self.environment(), capture_output=True, text=True)
        return "" if checked.returncode == 0 else checked.stdout + checked.stderr


class FastAPI(OnOurTables):
    name = "fastapi"

    def words(self, port: int) -> list[str]:
        return commands.uvicorn("benchmarks.peers.fastapi_app:app", port, CORES)


class Plain(Contestant):
    name = "plain"

    def words(self, port: int) -> list[str]:
        return commands.gunicorn("benchmarks.peers.plain:application", port, 2 * CORES + 1)

    def prepare(self, users: int) -> None:
        subprocess.run([sys.executable, "-m", "benchmarks.peers.plain"], cwd=ROOT, env=self.environment(), check=True)
        self.query(
            "INSERT INTO auth_user (username, email, first_name, last_name, password, is_staff, is_superuser,"
            " is_active, date_joined)"
            " SELECT 'guest' || n, '', '', '', '!', false, false, true, now() FROM generate_series(1, %s) n",
            users,
        )

    def new_event(self, capacity: int, *, waitlist: bool = False) -> int:
        return self.query(
            "INSERT INTO plain_event (title, date, location, status, capacity)"
            " VALUES ('Rush', %s, 'Berlin', 'published', %s) RETURNING id", SOON, capacity,
        )[0][0]  # fmt: skip

    def sold(self, event: int) -> int:
        return self.query("SELECT count(*) FROM plain_registration WHERE event_id = %s", event)[0][0]


class Bare(Contestant):
    name = "bare"

    def words(self, port: int) -> list[str]:
        return commands.granian("benchmarks.peers.bare:app", port, CORES)

    def prepare(self, users: int) -> None:
        statements = (ROOT / "benchmarks" / "peers" / "bare.sql").read_text()
        self.query(statements)
        self.query("INSERT INTO users SELECT n, 'guest' || n FROM generate_series(1, %s) n", users)

    def new_event(self, capacity: int, *, waitlist: bool = False) -> int:
        return self.query(
            "INSERT INTO event (title, date, location, status, capacity)"
            " VALUES ('Rush', %s, 'Berlin', 'published', %s) RETURNING id", SOON, capacity,
        )[0][0]  # fmt: skip

    def sold(self, event: int) -> int:
        return self.query("SELECT count(*) FROM registration WHERE event_id = %s", event)[0][0]


KINDS: dict[str, type[Contestant]] = {kind.name: kind for kind in (Jointoit, FastAPI, Plain, Bare)}


def wait_until_it_answers(port: int, process: subprocess.Popen[bytes]) -> None:
    """Any answer at all; raises RuntimeError where the server ends or is silent for a minute."""
    deadline = time.monotonic() + START
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live/", timeout=2)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"the server of {process.args!r} does not answer")
