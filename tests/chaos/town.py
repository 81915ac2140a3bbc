"""The whole service as processes that a test may kill: PostgreSQL, Valkey, web, worker, sweeper, and a mail server."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
from django.conf import settings

from config.env import ROOT
from laptop.postgres import Postgres
from laptop.server import program_of
from laptop.valkey import Valkey, answers, client, valkey_program
from tests.chaos.postoffice import PostOffice
from tests.servers import free_port

PATIENCE = 90.0  # seconds for anything to happen on a busy machine
# The kernel ends them with the test, however that ends.
TIED = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []


STUCK = """
    SELECT id, attempt, failures, claim IS NOT NULL, not_before - now(), lease_until - now(), last_answer
    FROM mail_outboxmail WHERE state = 'pending' ORDER BY id LIMIT 20
"""


def eventually(condition: Callable[[], Any], *, patience: float = PATIENCE, what: str = "") -> Any:
    """What `condition` answers once it is true. Fails when that takes longer than `patience` seconds."""
    deadline = time.monotonic() + patience
    while not (held := condition()):
        assert time.monotonic() < deadline, f"did not happen: {what}"
        time.sleep(0.02)
    return held


class Machines:
    """PostgreSQL, with fsync, and Valkey, for all tests here; a process holds them, which the kernel ends with us."""

    def __init__(self) -> None:
        # A short path: PostgreSQL's socket stays where it is when the server comes back.
        self.folder = Path(tempfile.mkdtemp(prefix="chaos-"))
        self.folder.chmod(0o755)
        words = [sys.executable, "-m", "laptop.stack", str(self.folder), "--discard"]
        self.holder = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.holder.stdout
        self.urls: dict[str, str] = json.loads(self.holder.stdout.readline())
        self.postgres = Postgres(self.folder / "postgres")

    def close(self) -> None:
        self.thaw_redis()
        with self.holder:  # closes its pipes, which ends it
            pass

    # ── PostgreSQL ────────────────────────────────────────────────────────────────────────────────────────────────────

    def query(self, sql: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.urls["DATABASE_URL"], autocommit=True) as connection:
            cursor = psycopg.ClientCursor(connection).execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def crash_postgres(self) -> None:
        """As `pg_ctl stop -m immediate`: nothing is written any more; the next start recovers from the log."""
        lock = self.folder / "postgres" / "postmaster.pid"
        os.kill(int(lock.read_text().split()[0]), signal.SIGQUIT)
        eventually(lambda: not lock.exists(), what="PostgreSQL ends")

    def start_postgres(self) -> None:
        assert self.postgres.start() == self.urls["DATABASE_URL"]

    # ── Valkey ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def redis_process(self) -> int:
        with client(self.urls["REDIS_URL"]) as connection:
            info: Any = connection.info("server")
        return int(info["process_id"])

    def kill_redis(self) -> None:
        pid = self.redis_process()
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: "valkey" not in program_of(pid), what="Valkey ends")

    def start_redis(self) -> None:
        """Empty, where it was."""
        where = urlsplit(self.urls["REDIS_URL"])
        assert where.port
        assert where.password
        configuration = Valkey(self.folder / "valkey")._configuration(where.password, where.port)
        subprocess.run([valkey_program(), "-"], input=configuration, text=True, check=True, start_new_session=True)
        eventually(lambda: answers(self.urls["REDIS_URL"]), what="Valkey answers")

    def forget(self) -> None:
        """What Redis remembers of a database that begins anew; else its mail would be held, as after a restore."""
        with client(self.urls["REDIS_URL"]) as connection:
            connection.flushall()

    frozen: int | None = None

    def freeze_redis(self) -> None:
        self.frozen = self.redis_process()
        os.kill(self.frozen, signal.SIGSTOP)

    def thaw_redis(self) -> None:
        if self.frozen:
            os.kill(self.frozen, signal.SIGCONT)
            self.frozen = None


class Program:
    """One line of the Procfile, in a session of its own."""

    def __init__(self, *words: str, variables: dict[str, str], log: Path) -> None:
        self.words, self.variables, self.log = words, variables, log
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*TIED, sys.executable, "-m", "jointoit", *self.words], cwd=ROOT, env=self.variables,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def kill(self) -> None:
        """kill -9 of the process that was started."""
        self.process.kill()
        self.process.wait()

    def kill_child(self) -> None:
        """kill -9 of the oldest process that this one keeps, as soon as there is one: the newest may still be idle."""
        pid = self.process.pid
        kept = Path(f"/proc/{pid}/task/{pid}/children")
        children = eventually(lambda: kept.read_text().split(), what=f"{pid} keeps processes")
        os.kill(int(children[0]), signal.SIGKILL)

    def end(self) -> None:
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=10)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


class Town:
    """One test's processes and its mail server. Settings are those of production."""

    def __init__(self, machines: Machines, folder: Path, post: PostOffice) -> None:
        self.machines, self.folder, self.post = machines, folder, post
        self.programs: list[Program] = []
        self.port = free_port()
        self.api = f"http://127.0.0.1:{self.port}"

    def variables(self, **more: str) -> dict[str, str]:
        rates = [f"RATE_{name}" for name in ("ANON", "USER", "LOGIN", "ACCOUNT", "SIGNUP", "RESET", "REGISTER", "DOOR")]
        return {
            "PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "SECRET_KEY": settings.SECRET_KEY,
            "JWT_SIGNING_KEY": settings.JWT_SIGNING_KEY, "TICKET_KEYS": ",".join(settings.TICKET_KEYS),
            "ALLOWED_HOSTS": "127.0.0.1", "PUBLIC_URL": self.api,
            "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(self.post.port), "EMAIL_USE_TLS": "false",
            "DEFAULT_FROM_EMAIL": "Town <town@example.org>", "PORT": str(self.port), "WEB_WORKERS": "1",
            "WORKER_PROCESSES": "2", "LOG_LEVEL": "WARNING", **self.machines.urls,
            **dict.fromkeys(rates, "99999/min"), **more,
        }  # fmt: skip

    def run(self, *words: str, **variables: str) -> Program:
        log = self.folder / f"{words[0]}.log"
        program = Program(*words, variables=self.variables(**variables), log=log)
        self.programs.append(program)
        return program

    def serve(self, **variables: str) -> Program:
        program = self.run("serve", **variables)
        eventually(self.is_served, what="the web server answers")
        return program

    def is_served(self) -> bool:
        try:
            return httpx.get(f"{self.api}/health/ready/", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def do(self, *words: str) -> str:
        """Run a command to its end; returns what it said. Fails with that where it fails."""
        done = subprocess.run(
            [sys.executable, "-m", "jointoit", *words], cwd=ROOT, env=self.variables(),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        return done.stdout

    def states(self) -> dict[str, int]:
        return dict(self.machines.query("SELECT state, count(*) FROM mail_outboxmail GROUP BY state ORDER BY state"))

    def settle(self, *, patience: float = PATIENCE) -> None:
        """Wait until no mail is pending. Fails with some that are, and what the programs said."""
        try:
            eventually(lambda: "pending" not in self.states(), patience=patience)
        except AssertionError:
            stuck, control = self.machines.query(STUCK), self.machines.query("SELECT * FROM mail_mailgate")
            said = {path.name: path.read_text()[-2000:] for path in self.folder.glob("*.log")}
            raise AssertionError(f"These mails are not settled: {stuck}\nUnder {control}\n{said}") from None

    def close(self) -> None:
        self.machines.thaw_redis()
        for program in self.programs:
            program.end()
        self.post.close()
