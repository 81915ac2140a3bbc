"""Starts a database of its own and the servers to compare, two workers each, and stops them again."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from django.core import signing

from config.env import ROOT
from tests.servers import free_port

WORKERS = "2"
SECRETS = {"SECRET_KEY": "benchmark" * 8, "JWT_SIGNING_KEY": "benchmark" * 8}


@dataclass
class Served:
    name: str
    port: int
    pid: int

    def resign(self, token: str, key: list[object]) -> str:
        """A cursor of our list that stands at another row: signed with the benchmark's own secret."""
        salt = "jointoit.api.lists.pagination"
        signer = signing.Signer(key=SECRETS["SECRET_KEY"], salt=salt, sep=".", fallback_keys=[])
        scope, backward, _ = signer.unsign_object(token)
        return signer.sign_object([scope, backward, key])


@contextmanager
def database() -> Iterator[dict[str, str]]:
    """PostgreSQL and Valkey for this run; DATABASE_URL and REDIS_URL name others, empty or filled by an earlier run."""
    given = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL") if os.environ.get(name)}
    if len(given) == 2:
        yield given
        return
    words = [sys.executable, "-m", "laptop.stack", tempfile.mkdtemp(prefix="jointoit-bench-"), "--discard"]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        yield dict(json.loads(holder.stdout.readline()))
        holder.communicate()


def command(name: str, port: int) -> list[str]:
    python = [sys.executable, "-m"]
    if name == "ours":
        return [*python, "jointoit", "serve"]
    if name == "plain":
        words = ["gunicorn", "--workers", WORKERS, "--bind", f"127.0.0.1:{port}", "--no-control-socket"]
        return [*python, *words, "--log-level", "warning", "benchmarks.peers.plain_reads:application"]
    # Not uvicorn: its workers leave Nagle's algorithm on, which holds each answer back for 40 ms.
    words = ["granian", "--interface", "asgi", "--workers", WORKERS, "--host", "127.0.0.1", "--port", str(port)]
    return [*python, *words, "--log-level", "warning", "benchmarks.peers.bare_reads:application"]


@contextmanager
def serving(names: Sequence[str], addresses: dict[str, str]) -> Iterator[list[Served]]:
    """Our schema in the database, and each server answering."""
    environment = {**os.environ, **addresses, **SECRETS, "ENV_FILE": os.devnull, "DEBUG": "", "ALLOWED_HOSTS": "*",
                   "PUBLIC_URL": "http://127.0.0.1", "EMAIL_HOST": "127.0.0.1", "DEFAULT_FROM_EMAIL": "a@b.example",
                   "RATE_ANON": "999999/s", "WEB_WORKERS": WORKERS, "HOST": "127.0.0.1"}  # fmt: skip
    subprocess.run([sys.executable, "-m", "jointoit", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
    started: list[tuple[Served, subprocess.Popen[bytes]]] = []
    try:
        for name in names:
            port = free_port()
            process = subprocess.Popen(command(name, port), cwd=ROOT, env={**environment, "PORT": str(port)},
                                       stderr=None)  # fmt: skip
            started.append((Served(name, port, process.pid), process))
        for served, _ in started:
            wait_for(served.port)
        yield [served for served, _ in started]
    finally:
        for _, process in started:
            process.send_signal(signal.SIGTERM)
        for _, process in started:
            process.wait(timeout=40)


def wait_for(port: int) -> None:
    """Until it answers anything at all; a minute at most."""
    for _ in range(300):
        try:
            httpx.get(f"http://127.0.0.1:{port}/nowhere", timeout=5)
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return
    sys.exit("A server does not come up.")
