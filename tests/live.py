"""The web process as a deployment starts it, on a database of its own: real HTTP without mail or worker."""

import os
import secrets
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
from django.conf import settings
from psycopg import sql
from psycopg.conninfo import make_conninfo

from config.env import ROOT
from laptop import valkey
from tests.servers import free_port

PASSWORD = "correct horse battery 9"
PATIENCE = 60.0  # seconds
UNLIMITED = dict.fromkeys((f"RATE_{scope.upper()}" for scope in settings.RATES), "off")


class Live:
    """A running service. `url` has no slash at the end; `log` is what the process wrote."""

    process: subprocess.Popen[bytes]

    def __init__(self, url: str, environment: dict[str, str], log: Path) -> None:
        self.url, self.environment, self.log = url, environment, log
        self.client = httpx.Client(base_url=url, timeout=30)  # one for all: each reads the certificates of the world

    def person(self, name: str) -> dict[str, str]:
        """Open an account and log in; returns the header that says so."""
        account = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
        answer = self.client.post("/users/register/", json=account)
        assert answer.status_code == 201, answer.text
        return self.log_in(name)

    def log_in(self, name: str) -> dict[str, str]:
        pair = self.client.post("/api/token/", json={"username": name, "password": PASSWORD}).json()
        return {"Authorization": f"Bearer {pair['access']}"}

    def manage(self, *words: str) -> None:
        subprocess.run([sys.executable, "-m", "jointoit", *words], cwd=ROOT, env=self.environment, check=True)


def production(folder: Path, **variables: str) -> dict[str, str]:
    """An environment in which nothing is a default of development."""
    return {
        "DEBUG": "false", "SECRET_KEY": secrets.token_hex(32), "JWT_SIGNING_KEY": secrets.token_hex(32),
        "TICKET_KEYS": secrets.token_hex(32),
        "ALLOWED_HOSTS": "127.0.0.1,api.example.org", "PUBLIC_URL": "https://api.example.org",
        "EMAIL_HOST": "127.0.0.1", "DEFAULT_FROM_EMAIL": "Jointoit <events@example.org>",
    } | variables  # fmt: skip


@contextmanager
def database() -> Iterator[str]:
    """The address of a new, empty database on the servers of this run; it is dropped at the end."""
    name, url = f"live_{uuid.uuid4().hex}", os.environ["DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield make_conninfo(url, dbname=name)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def serve(folder: Path, **variables: Any) -> Iterator[Live]:
    """Run `python -m jointoit serve` until the block ends; it has to stop cleanly."""
    port, log = free_port(), folder / "serve.log"
    valkey.client(os.environ["REDIS_URL"]).flushdb()  # others counted requests of this address
    with database() as address, log.open("wb") as output:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV_"))},
            "ENV_FILE": os.devnull, "DATABASE_URL": address, "PORT": str(port), "WEB_WORKERS": "1", **variables,
        }  # fmt: skip
        live = Live(f"http://127.0.0.1:{port}", environment, log)
        live.manage("migrate", "--verbosity", "0")
        live.process = process = subprocess.Popen(
            [sys.executable, "-m", "jointoit", "serve"], cwd=ROOT, env=environment, stdout=output, stderr=output
        )
        try:
            wait_for(live, process)
            yield live
        finally:
            live.client.close()
            process.terminate()
            status = process.wait(timeout=PATIENCE)
    assert status == 0, log.read_text()


def wait_for(live: Live, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            httpx.get(f"{live.url}/health/live/", timeout=5)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(live.log.read_text())
