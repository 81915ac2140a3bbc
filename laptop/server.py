"""What starting PostgreSQL and starting Valkey have in common."""

import re
import subprocess
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

PATIENCE = 30.0  # seconds for a server to start or stop


class CannotStart(Exception):
    """A server does not start; the message is for the person at the terminal."""


def package_folder(package: str) -> Path:
    """Where a package lies, without importing it; a folder that does not exist when it is not installed."""
    spec = find_spec(package)
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) if places else Path("/nonexistent")


def last_words(*texts: str) -> str:
    """The line that most likely says what is wrong."""
    lines = [line.strip() for text in texts for line in text.strip().splitlines()]
    errors = [line for line in lines if re.search(r"FATAL|PANIC|error:", line)]
    return (errors or lines or ["it said nothing"])[-1]


def wait_for(condition: Callable[[], bool]) -> bool:
    """Look until `condition` holds; False when it does not within PATIENCE."""
    deadline = time.monotonic() + PATIENCE
    while not (held := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return held


def program_of(pid: int) -> str:
    """The name of a running program; empty when it has ended, even if its parent has not noticed (a zombie)."""
    if Path("/proc/self/stat").exists():
        try:
            described = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return ""
        name, _, rest = described.partition("(")[2].rpartition(")")
        return "" if rest.split()[0] in "ZX" else name
    ran = subprocess.run(["ps", "-o", "stat=,comm=", "-p", str(pid)], check=False, capture_output=True, text=True)
    return "" if ran.stdout.startswith("Z") else ran.stdout


def works_in(folder: Path) -> bool:
    """Whether a process has this working directory, as each of PostgreSQL's has its data. Not known without /proc."""
    for link in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if link.readlink() == folder:
                return True
        except OSError:  # of another user, or ended meanwhile
            continue
    return False
