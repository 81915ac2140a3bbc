"""Whether the release step has been here: every migration of this code is applied to the database.

What a newer release applied besides does not matter: old code runs on a newer schema.
"""

import time
from functools import cache

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from jointoit.process import heartbeat
from jointoit.process.periodic import StopAsked, rest_until

log = structlog.get_logger(__name__)

EVERY = 1.0  # seconds between two looks


@cache
def needed() -> frozenset[tuple[str, str]]:
    """App and name of every migration of this code."""
    return frozenset(MigrationLoader(None).graph.nodes)


def missing() -> list[tuple[str, str]]:
    """Those that the database has not seen yet; all of them where it is empty."""
    return sorted(needed() - MigrationRecorder(connection).applied_migrations().keys())


def why_not() -> str | None:
    """What keeps this code from its work, as a sentence; None where nothing does."""
    try:
        return "The release step is to come: python -m jointoit release." if missing() else None
    except (OperationalError, InterfaceError) as error:
        return f"The database is away: {error}"
    finally:
        connection.close()


def wait(stop: StopAsked) -> None:
    """Come back when the release step has been here, or `stop` says so; one line for each reason to wait."""
    told = None
    while not stop() and (reason := why_not()):
        if reason != told:
            log.warning(
                "waiting",
                because=reason,
                hint="Run `python -m jointoit release`, or look at the database; this goes on by itself.",
            )
        told = reason
        heartbeat.beat(settings.HEARTBEAT)  # waiting is all the work that there is
        rest_until(time.monotonic() + EVERY, stop)
