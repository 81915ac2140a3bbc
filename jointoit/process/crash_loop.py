"""Ends a server whose children die again and again, so that whoever started it sees it and can do something.

granian and Celery replace a child that died, for ever. Where there is too little memory for all of them that is a
service which fails every other request and looks alive.
"""

import os
import time
from collections import deque
from collections.abc import Callable
from typing import Final

WINDOW: Final = 300.0  # seconds
MOST_DEATHS: Final = 5  # in the window; a single `kill -9`, of every child at once, is no reason to end


def watch(children: int, give_up: Callable[[], object]) -> None:
    """To be called in the process that forks, before it does; `give_up` is called in it after one death too many.

    Forks are counted: the first `children` of them begin the work, each later one replaces a child.
    """
    forks: deque[float] = deque(maxlen=max(MOST_DEATHS, children) + 1)
    begun = 0

    def count() -> None:
        nonlocal begun
        if begun < children:
            begun += 1
            return
        forks.append(time.monotonic())
        if len(forks) == forks.maxlen and forks[-1] - forks[0] < WINDOW:
            forks.clear()
            give_up()

    os.register_at_fork(after_in_parent=count)
