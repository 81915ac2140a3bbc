"""Starts a database of its own and the servers to compare, two workers each, and stops them again."""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO

import httpx
from django.core import signing

from benchmarks.peers import commands
from config.env import ROOT
from tests.servers import free_port

WORKERS = 2
SECRETS = {name: secrets.token_hex(32) for name in ("SECRET_KEY", "JWT_SIGNING_KEY", "TICKET_KEYS")}


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
    if name == "ours":
        return [sys.executable, "-m", "jointoit", "serve"]
    if name == "door":
        return commands.granian_rsgi("benchmarks.peers.door:application", port, WORKERS)
    if name == "plain":
        return commands.gunicorn("benchmarks.peers.plain_reads:application", port, WORKERS)
    if name == "fastapi":
        return commands.uvicorn("benchmarks.peers.fastapi_app:app", port, WORKERS)
    return commands.granian("benchmarks.peers.bare_reads:application", port, WORKERS)


def environment(addresses: dict[str, str]) -> dict[str, str]:
    """As in production, with a line in the log for each request; the rates are counted and never reached."""
    return {
        **os.environ, **addresses, **SECRETS, "ENV_FILE": os.devnull, "DEBUG": "", "ALLOWED_HOSTS": "*",
        "PUBLIC_URL": "http://127.0.0.1", "EMAIL_HOST": "127.0.0.1", "DEFAULT_FROM_EMAIL": "a@b.example",
        "RATE_ANON": "999999/s", "RATE_USER": "999999/s", "WEB_WORKERS": str(WORKERS), "HOST": "127.0.0.1",
        "LOG_LEVEL": "INFO",
    }  # fmt: skip


@contextmanager
def serving(names: Sequence[str], addresses: dict[str, str]) -> Iterator[list[Served]]:
    """Our schema in the database, and each server answering; what they log goes to a file that is not kept."""
    variables = environment(addresses)
    subprocess.run([sys.executable, "-m", "jointoit", "migrate", "-v0"], cwd=ROOT, env=variables, check=True)
    with ExitStack() as running:
        log = running.enter_context(tempfile.TemporaryFile())
        yield [running.enter_context(started(name, variables, log)) for name in names]


@contextmanager
def started(name: str, variables: dict[str, str], log: IO[bytes]) -> Iterator[Served]:
    port = free_port()
    words, variables = command(name, port), variables | {"PORT": str(port)}
    with subprocess.Popen(words, cwd=ROOT, env=variables, stdout=log, stderr=log) as process:
        try:
            if not answers(port, process):
                log.seek(0)
                sys.exit(f"{name} does not come up:\n{log.read()[-5000:].decode()}")
            yield Served(name, port, process.pid)
        finally:
            process.terminate()
            process.wait(timeout=40)


def answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    """Whether it answers anything at all, within a minute."""
    for _ in range(300):
        try:
            httpx.get(f"http://127.0.0.1:{port}/nowhere", timeout=5)
        except httpx.TransportError:
            if process.poll() is not None:
                return False
            time.sleep(0.2)
        else:
            return True
    return False
