"""Whether a process that serves nothing does its work: it marks the file HEARTBEAT each time it has done some.

`python -m jointoit.process.heartbeat` says so by its exit status. It loads nothing, for it is asked again and again.
"""

import os
import sys
import time
from pathlib import Path

LONGEST = 120.0  # seconds; a round of a sweeper whose mail server is slow takes less


def beat(file: str) -> None:
    """Note that work was done just now; nothing where no file is named."""
    if file:
        Path(file).touch()


def age(file: str) -> float:
    """Seconds since work was done."""
    return time.time() - Path(file).stat().st_mtime


def main() -> int:
    try:
        return int(age(os.environ["HEARTBEAT"]) > LONGEST)
    except (KeyError, FileNotFoundError) as error:
        print(f"No heartbeat: {error!r}", file=sys.stderr)  # noqa: T201
        return 1


if __name__ == "__main__":
    sys.exit(main())
