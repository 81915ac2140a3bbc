"""A pytest plugin: PostgreSQL and Valkey for this run alone, and an environment that nobody's shell or `.env` reaches.

The controller starts the servers before pytest-django reads the settings; the processes of pytest-xdist inherit the
addresses, each with a database (by pytest-django) and a Redis number of its own. The servers live as long as a pipe
to the controller, so that even a killed run leaves none behind.
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OWN = {"DATABASE_URL": "TEST_DATABASE_URL", "REDIS_URL": "TEST_REDIS_URL"}
#: Below those that the kernel lends to outgoing connections, of which a run has thousands.
PORTS = range(20_000, 32_000)
lent: set[int] = set()


class Servers:
    """The holder process and what it holds; TEST_DATABASE_URL and TEST_REDIS_URL name servers to use instead."""

    holder: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Set the environment of this run."""
        # Ignored in what a shell runs in the background, and in all that this starts: nothing could be interrupted.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        given = {name: os.environ[other] for name, other in OWN.items() if os.environ.get(other)}
        for name in documented_variables():
            os.environ.pop(name, None)
        os.environ |= {name: secrets.token_hex(32) for name in ("SECRET_KEY", "JWT_SIGNING_KEY", "TICKET_KEYS")}
        os.environ |= {"DEBUG": "true", "ENV_FILE": os.devnull} | (given if len(given) == len(OWN) else self.hold())

    def hold(self) -> dict[str, str]:
        folder = tempfile.mkdtemp(prefix="jointoit-test-")
        words = [sys.executable, "-m", "laptop.stack", folder, "--fast", "--discard"]
        self.holder = subprocess.Popen(
            words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            start_new_session=True,  # Ctrl-C is for the tests; the servers stay until those have ended
        )  # fmt: skip
        assert self.holder.stdout
        addresses = self.holder.stdout.readline()
        if not addresses:
            pytest.exit("The servers for the tests could not be started; the reason stands above.", returncode=3)
        return dict(json.loads(addresses))

    def stop(self) -> None:
        if self.holder is not None:
            self.holder.communicate()
            self.holder = None


servers = Servers()


def documented_variables() -> list[str]:
    """The names in .env.sample: everything that could steer the service."""
    lines = (ROOT / ".env.sample").read_text().splitlines()
    return [line.lstrip("# ").partition("=")[0] for line in lines if "=" in line and line.lstrip("# ")[:1].isupper()]


def bare_environment(**variables: str) -> dict[str, str]:
    """For a process that has to find nothing set; how it is measured is handed on."""
    measured = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    return {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull} | measured | variables


def free_port() -> int:
    """A loopback port that nothing listens on and that this process has lent to nobody yet.

    Two servers that ask for SO_REUSEPORT, as granian does, would share one port without a word, and each would get a
    part of the other's requests. Not drawn by `random`, which pytest-randomly sets to the same start in each process.
    """
    while True:
        number = secrets.choice(PORTS)
        with suppress(OSError), socket.create_server(("127.0.0.1", number)):
            if number not in lent:
                lent.add(number)
                return number


def redis_number(worker: str) -> int:
    """0 for a run in one process, then one for each process of pytest-xdist (gw0, gw1, …)."""
    return int(worker.removeprefix("gw")) + 1 if worker.startswith("gw") else 0


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    known = early_config.known_args_namespace
    if worker:
        os.environ["REDIS_URL"] = f"{os.environ['REDIS_URL'].rpartition('/')[0]}/{redis_number(worker)}"
    elif not (known.help or known.version):
        servers.start()
        early_config.add_cleanup(servers.stop)
    return (yield)
