"""The periodic process: does what the parts of the service want done every so often. It needs no broker.

Many may run side by side, so every chore must be safe to run twice at once. A database that restarts, or a chore that
fails, costs one round.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from threading import Thread

import structlog
from django.conf import settings
from django.db import Error, close_old_connections, connections

from jointoit.process import database_clock, heartbeat

log = structlog.get_logger(__name__)

StopAsked = Callable[[], bool]
#: `MAIL_CLOCK_SPEED` shortens every span here alike, so that a test lives through a day in a minute.
ROUND = timedelta(seconds=2) / settings.MAIL_CLOCK_SPEED
MINUTE = timedelta(minutes=1) / settings.MAIL_CLOCK_SPEED


def never() -> bool:
    return False


@dataclass
class Chore:
    job: Callable[[datetime, StopAsked], object]
    every: timedelta
    due: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        return self.due is None or self.due <= now


chores: list[Chore] = []
beside: dict[str, Callable[[StopAsked], object]] = {}


def register(job: Callable[[datetime], object], *, every: timedelta = MINUTE) -> None:
    """Have `job(now)` called about that often by every periodic process; to be called once, from an app's `ready`."""
    register_stoppable(lambda now, _: job(now), every=every)


def register_stoppable(job: Callable[[datetime, StopAsked], object], *, every: timedelta) -> None:
    """As `register`, for a long job, which asks its second argument now and then whether to end."""
    chores.append(Chore(job, every))


def register_beside(name: str, work: Callable[[StopAsked], object]) -> None:
    """Have `work(stop)` go on in a thread of its own, beside the chores, which do not wait for it nor it for them."""
    beside[name] = work


def run(*, stop: StopAsked) -> None:
    """Do the chores until `stop` says so; in between it is asked several times a second."""
    threads = [Thread(target=go_on, args=(work, stop), name=name) for name, work in beside.items()]
    for thread in threads:
        thread.start()
    while not stop():
        close_old_connections()
        attempt(lambda: run_due(now=database_clock.now(), stop=stop))
        heartbeat.beat(settings.HEARTBEAT)
        rest_until(time.monotonic() + ROUND.total_seconds(), stop)
    for thread in threads:
        thread.join()


def go_on(work: Callable[[StopAsked], object], stop: StopAsked) -> None:
    """Begin again when it fails, until `stop` says so."""
    while not stop():
        attempt(partial(work, stop))
        rest_until(time.monotonic() + ROUND.total_seconds(), stop)
    connections.close_all()


def run_due(*, now: datetime, stop: StopAsked = never) -> None:
    """One round, in the order of registration."""
    for chore in [chore for chore in chores if chore.is_due(now)]:
        chore.due = now + chore.every
        attempt(partial(chore.job, now, stop))


def attempt(work: Callable[[], object]) -> None:
    try:
        work()
    except Error as error:  # a restart of the database; the next round connects again
        log.warning(
            "periodic_database_away",
            error=f"{type(error).__name__}: {error}",
            hint="Look at the database; this goes on by itself.",
        )
        connections.close_all()
    except Exception:
        log.exception(
            "periodic_chore_failed",
            hint="A fault of the service: report the traceback. The other chores go on.",
        )


def rest_until(end: float, stop: StopAsked) -> None:
    while not stop() and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, 0.2))
