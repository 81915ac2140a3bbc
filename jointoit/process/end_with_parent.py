"""Lets a process end when the one that started it is gone, `kill -9` included. On Linux; elsewhere nothing happens."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h
libc = ctypes.CDLL(None) if sys.platform == "linux" else None
parent = os.getpid()  # of whoever is forked from here on


def follow_parent() -> None:
    """To be called in a child right after the fork: it gets SIGTERM when its parent ends."""
    if libc is None:
        return
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it ended before we could ask
        os.kill(os.getpid(), signal.SIGTERM)
