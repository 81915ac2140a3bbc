"""What Celery's main process does besides fetching: it ends where its children die again and again."""

from typing import Any

import structlog
from celery import signals
from celery.worker import state

from jointoit.process import crash_loop

log = structlog.get_logger(__name__)


@signals.worker_init.connect
def begin(sender: Any, **_: Any) -> None:
    """Before the children are started."""
    crash_loop.watch(sender.concurrency, give_up)


def give_up() -> None:
    log.critical("worker_processes_die_again_and_again", hint="Is there too little memory for WORKER_PROCESSES?")
    state.should_stop = 1  # type: ignore[assignment]  # the exit status; the loop that fetches looks there


@signals.worker_shutting_down.connect
def say_goodbye(sig: str, how: str, **_: Any) -> None:
    log.info("worker_stops", signal=sig, how=how.lower())
