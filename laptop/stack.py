"""PostgreSQL and Valkey for a laptop: started when the environment names no others, kept under `.local/`.

All processes of one checkout share one pair of servers. The first to need them starts them, the last to go stops
them; who uses them is known by file locks, which the kernel drops even after `kill -9`. The servers listen on a Unix
socket in a private folder (PostgreSQL) and on a loopback port behind a password (Valkey), and run in sessions of
their own, so that Ctrl-C in a terminal reaches them only after those who use them.
"""

import argparse
import asyncio
import atexit
import fcntl
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO, Protocol

import psycopg

from config.env import ROOT
from laptop.postgres import Postgres
from laptop.server import CannotStart
from laptop.valkey import Valkey

LOOKS, PAUSE = 3, 2.0  # how often in a row, seconds apart, a server must be found gone


class Server(Protocol):
    def url(self) -> str | None:
        """Where the server answers; None when it does not run."""

    def start(self) -> str: ...

    def stop(self) -> None: ...


class Shared:
    """One use of a server that other processes may use as well."""

    def __init__(self, server: Server, folder: Path, name: str) -> None:
        self.server, self.folder, self.name = server, folder, name
        self.use: IO[bytes] | None = None
        self.pid = os.getpid()

    def acquire(self) -> str:
        """Start the server unless it runs, and return its URL; it stays until `release` or the end of this process."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._alone():
            self.use = (self.folder / f".{self.name}.users").open("ab")
            fcntl.flock(self.use, fcntl.LOCK_SH)
            return self.server.url() or self.server.start()

    def release(self) -> None:
        """End this use; the last one stops the server. A forked child has nothing to release."""
        if self.use is None or self.pid != os.getpid():
            return
        with self._alone(), self.use as use:
            self.use = None
            if is_last(use):
                self.server.stop()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.folder / f".{self.name}.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


started: list[Shared] = []  # what `ensure` uses


def is_last(use: IO[bytes]) -> bool:
    try:
        fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def data_folder() -> Path:
    """Where this checkout keeps its data; LOCAL_DATA names another folder."""
    return Path(os.environ.get("LOCAL_DATA") or ROOT / ".local").resolve()


def servers(folder: Path, *, durable: bool = True) -> dict[str, Shared]:
    """The servers by the variable that would name others. `durable=False` trades crash safety for speed, for tests."""
    return {
        "DATABASE_URL": Shared(Postgres(folder / "postgres", durable=durable), folder, "PostgreSQL"),
        "REDIS_URL": Shared(Valkey(folder / "valkey"), folder, "Valkey"),
    }


def ensure() -> None:
    """Set DATABASE_URL and REDIS_URL where they are unset, to servers that run until this process ends.

    To be called before the settings are loaded. Exits with a sentence when a server cannot be started.
    """
    for variable, server in servers(data_folder()).items():
        if not os.environ.get(variable):
            atexit.register(server.release)
            exit_on_signals()
            try:
                os.environ[variable] = server.acquire()
                started.append(server)
            except (CannotStart, OSError, psycopg.Error) as error:
                sys.exit(
                    f"{server.name} for this checkout cannot be started: {error}\nOr set {variable} to one that runs."
                )


def knows_database() -> bool:
    """Whether there is one: named by the environment, or of this checkout and made before."""
    return bool(os.environ.get("DATABASE_URL")) or (data_folder() / "postgres" / "PG_VERSION").exists()


def gone() -> str | None:
    """The name of a server that `ensure` uses and that does not answer; None while all do."""
    return next((shared.name for shared in started if not shared.server.url()), None)


async def until_gone() -> str:
    """Wait for the end of one of them, such as by a crash, and return its name; what uses it has its old address."""
    found: list[str] = []
    while len(found) < LOOKS:
        await asyncio.sleep(PAUSE)
        name = await asyncio.to_thread(gone)
        found = [*found, name] if name else []
    return found[-1]


@contextmanager
def discarded(prefix: str) -> Iterator[tuple[Path, dict[str, str]]]:
    """Servers in a new folder, and their URLs by variable; all of it is gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    held = servers(folder)
    try:
        yield folder, {variable: server.acquire() for variable, server in held.items()}
    finally:
        for server in held.values():
            server.release()
        shutil.rmtree(folder, ignore_errors=True)


def exit_on_signals() -> None:
    """Let SIGTERM and a closed terminal end Python in the ordinary way, so that the last user stops the servers."""

    def leave(number: int, frame: FrameType | None) -> None:
        for again in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(again, signal.SIG_IGN)  # a second one must not cut the stopping short
        sys.exit(128 + number)

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, leave)
        signal.signal(signal.SIGHUP, leave)


def hold() -> None:
    """Run servers in FOLDER, write their URLs as JSON, stop them when the standard input ends.

    The kernel closes that pipe however its owner ends, so no server outlives a killed test run.
    """
    parser = argparse.ArgumentParser(prog="python -m laptop.stack", description=hold.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fast", action="store_true", help="no fsync: for tests")
    parser.add_argument("--discard", action="store_true", help="remove the folder at the end")
    options = parser.parse_args()
    exit_on_signals()
    held = servers(options.folder.resolve(), durable=not options.fast)
    try:
        print(json.dumps({variable: server.acquire() for variable, server in held.items()}), flush=True)
        sys.stdin.read()
    except (CannotStart, OSError, psycopg.Error) as error:
        sys.exit(str(error))
    finally:
        for server in held.values():
            server.release()
        if options.discard:
            shutil.rmtree(options.folder, ignore_errors=True)


if __name__ == "__main__":
    hold()
