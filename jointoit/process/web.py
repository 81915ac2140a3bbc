"""granian's main process, whose children end whenever they are asked to, and when it is gone.

A child inherits granian's handlers, which only set a flag of the parent's: a SIGTERM while it still loads the
application would be lost, and the child killed after half a minute. Killed itself, granian would leave its children
with the port.
"""

import os
import signal

from granian.cli import entrypoint

from jointoit.process import end_with_parent


def begin() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    end_with_parent.follow_parent()


if __name__ == "__main__":
    os.register_at_fork(after_in_child=begin)
    entrypoint()  # type: ignore[no-untyped-call]
