"""The service as `make run` starts it: a process of its own, on free ports, with its data in a folder of its own."""

import errno
import signal
import socket
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from config.env import ROOT
from laptop.valkey import answers
from tests.servers import bare_environment, free_port

PATIENCE = 120.0  # seconds for the first start on a busy machine, npm included
RUNNING = "Jointoit is running."


@dataclass(frozen=True)
class Elsewhere:
    """A service that somebody else started; addresses without a slash at the end."""

    api: str
    inbox: str


class Service:
    """One start of the launcher. `api` and `inbox` are addresses without a slash at the end."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder, self.variables = folder, variables
        self.ports = [free_port() for _ in range(2)]
        self.api, self.inbox = (f"http://127.0.0.1:{number}" for number in self.ports)
        self.mark = str(uuid.uuid4())
        self.log = folder / "launcher.log"

    def start(self) -> None:
        """Return as soon as the launcher says that everything answers."""
        folder = self.folder / "data"
        environment = bare_environment(
            HOME=str(self.folder), LOCAL_DATA=str(folder), EMAIL_PORT=str(free_port()),
            PORT=str(self.ports[0]), INBOX_PORT=str(self.ports[1]), WEB_WORKERS="1", WORKER_PROCESSES="1",
            JOINTOIT_TEST_RUN=self.mark,
        ) | self.variables  # fmt: skip
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "laptop.launcher"], cwd=ROOT, env=environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        deadline = time.monotonic() + PATIENCE
        while RUNNING not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.05)
        self.valkey = (folder / "valkey" / "url").read_text()

    def said(self) -> str:
        return self.log.read_text()

    def stop(self, number: int = signal.SIGINT) -> int:
        """Ask the launcher, and it alone, to stop, as Ctrl-C does; returns its exit status."""
        self.process.send_signal(number)
        return self.process.wait(timeout=60)

    def left_behind(self) -> list[str]:
        """What a clean stop must not leave: processes, open ports, a running server."""
        processes = [words for words, environment in processes_here() if self.mark in environment or self.owns(words)]
        return processes + self.taken() + ["Valkey answers"] * answers(self.valkey)

    def taken(self) -> list[str]:
        """Ports on which somebody answers: that one cannot be bound may be a stranger's outgoing connection."""
        return [f"Something listens on port {number}" for number in self.ports if not is_refused(number)]

    def wait_until_ports_are_free(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while self.taken():
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.05)

    def owns(self, words: str) -> bool:
        return str(self.folder) in words

    def program(self, words: str) -> int:
        """The process number of a program that this service started."""
        return next(
            int(path.parent.name)
            for path in Path("/proc").glob("[0-9]*/environ")
            if self.mark in read(path) and words in read(path.with_name("cmdline"))
        )


def is_refused(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED


def read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").replace("\0", " ")
    except OSError:  # ended meanwhile, or another user's
        return ""


def processes_here() -> list[tuple[str, str]]:
    """The command line and the environment of every process that can be seen."""
    return [(read(path.with_name("cmdline")), read(path)) for path in Path("/proc").glob("[0-9]*/environ")]
