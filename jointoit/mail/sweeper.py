"""The loop that needs no broker: sends what is due, and does what the parts of the service want done now and then.

Many may run side by side, so every job must be safe to run twice at once. A database that restarts, or a job that
fails, costs one round.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from django.conf import settings
from django.db import Error, close_old_connections, connections
from django.utils import timezone

from jointoit import alive
from jointoit.mail import claims, delivery, gate
from jointoit.mail.policy import SPEED

log = structlog.get_logger(__name__)

Job = Callable[[datetime], object]
#: How long a mail waits at most when no bell was heard.
EVERY = timedelta(seconds=2) / SPEED
MINUTE = timedelta(minutes=1) / SPEED


@dataclass
class Chore:
    job: Job
    every: timedelta
    due: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        return self.due is None or self.due <= now


chores: list[Chore] = []


def register(job: Job, *, every: timedelta = MINUTE) -> None:
    """Have `job(now)` called about that often by every sweeper; to be called once, from an app's `ready`."""
    chores.append(Chore(job, every))


def run(*, stop: Callable[[], bool]) -> None:
    """Sweep until `stop` says so; in between it is asked several times a second."""
    while not stop():
        close_old_connections()
        sweep(now=timezone.now(), stop=stop)
        alive.beat(settings.HEARTBEAT)
        rest_until(time.monotonic() + EVERY.total_seconds(), stop)


def sweep(*, now: datetime, stop: Callable[[], bool] = delivery.never) -> None:
    """One round: chores first, for they may promise mails, then mail until none is due."""
    for chore in [chore for chore in chores if chore.is_due(now)]:
        chore.due = now + chore.every
        attempt(partial(chore.job, now))
    attempt(partial(delivery.deliver_due, clock=timezone.now, stop=stop))


def attempt(work: Callable[[], object]) -> None:
    try:
        work()
    except Error as error:  # a restart of the database; the next round connects again
        log.warning("sweeper_database_away", error=f"{type(error).__name__}: {error}")
        connections.close_all()
    except Exception:
        log.exception("sweeper_job_failed")


def rest_until(end: float, stop: Callable[[], bool]) -> None:
    while not stop() and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, 0.2))


def retire(now: datetime) -> None:
    """Give up what came too late; never while mail is held, for then an operator decides."""
    switch = gate.look(now=now)
    if switch.held_at is None:
        claims.retire(now=now, untried=switch.ill_answer or "It was never its turn.")


def scrub(now: datetime) -> None:
    claims.scrub(now=now)
