"""`make clean`: refuses while somebody uses the servers of this checkout, whose data it would delete under them.

Needs nothing but Python, for what is to be cleaned may be broken. Who uses them holds a lock (see `laptop.stack`).
"""

import fcntl
import sys
from contextlib import suppress
from pathlib import Path


def users(folder: Path) -> list[str]:
    """Every process that has the lock file of a server open, as its number and command line."""
    files = {str(path.resolve()) for path in folder.glob(".*.users") if is_locked(path)}
    if not files:
        return []
    found = [each for each in Path("/proc").glob("[0-9]*") if files & opened_by(each)]
    return [f"process {each.name}: {command_of(each)}" for each in found] or ["a process that cannot be named"]


def is_locked(path: Path) -> bool:
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def opened_by(process: Path) -> set[str]:
    found = set()
    with suppress(OSError):  # ended, or not ours to look at
        for each in (process / "fd").iterdir():
            with suppress(OSError):  # closed meanwhile
                found.add(str(each.readlink()))
    return found


def command_of(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "ended meanwhile"


if __name__ == "__main__":
    if found := users(Path(sys.argv[1])):
        first = "The servers of this checkout are in use; stop this first, for clean deletes their data:"
        sys.exit("\n".join([first, *found]))
