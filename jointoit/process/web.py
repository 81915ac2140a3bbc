"""granian's main process, whose children end whenever they are asked to, and when it is gone.

A child inherits granian's handlers, which only set a flag of the parent's: a SIGTERM while it still loads the
application would be lost, and the child killed after half a minute. Killed itself, granian would leave its children
with the port. Children that die again and again end it.
"""

import logging
import os
import signal
import sys
from typing import Final

from granian.cli import entrypoint

from jointoit.process import crash_loop, end_with_parent

WORKERS: Final = "--workers="
log = logging.getLogger("_granian")
gave_up: list[bool] = []


def begin() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    end_with_parent.follow_parent()


def give_up() -> None:
    log.critical("Web processes die again and again; the server ends. Is there too little memory for WEB_WORKERS?")
    gave_up.append(True)
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> int:
    """The exit status: 0 when asked to stop, 1 when children die again and again."""
    workers = next(int(word.removeprefix(WORKERS)) for word in sys.argv if word.startswith(WORKERS))
    crash_loop.watch(workers, give_up)
    os.register_at_fork(after_in_child=begin)
    try:
        entrypoint()  # type: ignore[no-untyped-call]
    except SystemExit as end:
        return 1 if gave_up else int(end.code or 0)
    return 1 if gave_up else 0


if __name__ == "__main__":
    sys.exit(main())
