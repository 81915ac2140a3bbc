"""Tells a worker that there is work, without ever making the caller wait: a thread of its own speaks to the broker.

A broker that is dead, frozen or beyond a slow name server costs the request nothing. A notification that is lost costs
two seconds: the periodic process looks by itself. Those that come while one is being sent become one.
"""

import os
import threading
import time
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

GATHER = 0.05  # seconds between two: one wakes a worker for everything committed meanwhile
REST = 5.0  # seconds without one after the broker failed


class WorkerNotification:
    """`failures` counts what the broker refused since the process started."""

    def __init__(self, publish: Callable[[], object], *, rest: float = REST) -> None:
        self.publish = publish
        self.rest = rest
        self.failures = 0
        self.renew()
        os.register_at_fork(after_in_child=self.renew)

    def renew(self) -> None:
        """A fork inherits no threads, and perhaps a lock that nobody will release."""
        self.wanted = threading.Event()
        self.lock = threading.Lock()
        self.thread: threading.Thread | None = None

    def send(self) -> None:
        """Returns at once and never raises, except for want of memory or threads."""
        with self.lock:
            if self.thread is None:
                self.thread = threading.Thread(target=self.publish_when_wanted, name="notification", daemon=True)
                self.thread.start()
        self.wanted.set()

    def publish_when_wanted(self) -> None:
        while True:
            self.wanted.wait()
            self.wanted.clear()
            time.sleep(GATHER if self.attempt() else self.rest)

    def attempt(self) -> bool:
        try:
            self.publish()
        except Exception as error:  # noqa: BLE001  the periodic process makes up for it, whatever it is
            self.failures += 1
            log.warning(
                "worker_notification_failed",
                error=f"{type(error).__name__}: {error}",
                hint="Look at REDIS_URL; mail leaves with the sweeper meanwhile, 2 s later.",
            )
            return False
        return True
