"""Reads what may lag a moment from a streaming replica, where DATABASE_REPLICA_URL names one.

For lists and details asked for without a token only: who has none has written nothing that they would miss. Whether the
replica is fresh is known beforehand, from a thread that looks on, so that a request costs no statement more than one.
"""

import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

import structlog
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, InterfaceError, OperationalError, connections

from jointoit.api.lists.prepared import PreparedQuery, Row

log = structlog.get_logger(__name__)

ALIAS: Final = "replica"
MOST_LAG: Final = 2.0  # seconds
EVERY: Final = 0.25  # seconds between two looks
#: How much was written there, and how much of it is visible here, in bytes of the log.
WRITTEN: Final = "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"
SEEN: Final = "SELECT pg_last_wal_replay_lsn() - '0/0'::pg_lsn"  # null for what is no replica


def rows(query: PreparedQuery, values: Mapping[str, Any], *, may_lag: bool) -> list[Row]:
    """All rows, of the replica where they may lag and it does not by much, else of the primary."""
    if may_lag and settings.DATABASE_REPLICA_URL and watch.is_fresh():
        try:
            return query.rows(values, using=ALIAS)
        except (OperationalError, InterfaceError) as error:  # it died under us, or cancelled what stood in its way
            watch.forget()
            connections[ALIAS].close()
            log.warning(
                "replica_away",
                error=type(error).__name__,
                hint="Look at DATABASE_REPLICA_URL; the primary answers meanwhile.",
            )
    return query.rows(values)


def row(query: PreparedQuery, values: Mapping[str, Any], *, may_lag: bool) -> Row | None:
    return next(iter(rows(query, values, may_lag=may_lag)), None)


class Watch:
    """Knows as of when the replica shows what the primary has, by the clock of this process."""

    def __init__(self) -> None:
        self.as_of = float("-inf")  # time.monotonic()
        self.marks: deque[tuple[float, int]] = deque(maxlen=int(4 * MOST_LAG / EVERY))
        self.lock = threading.Lock()
        self.thread: threading.Thread | None = None

    def is_fresh(self) -> bool:
        if self.thread is None:
            self.begin()
        return time.monotonic() - self.as_of <= MOST_LAG

    def begin(self) -> None:
        with self.lock:
            if self.thread is None:
                self.thread = threading.Thread(target=self.keep_looking, name="replica", daemon=True)
                self.thread.start()

    def forget(self) -> None:
        """Read elsewhere until the next look."""
        self.as_of = float("-inf")
        self.marks.clear()

    def keep_looking(self) -> None:
        while True:
            try:
                self.look()
            except Error as error:
                if self.as_of > float("-inf"):
                    log.warning(
                        "replica_not_watched",
                        error=type(error).__name__,
                        hint="Look at DATABASE_REPLICA_URL; the primary answers meanwhile.",
                    )
                self.forget()
                connections.close_all()  # of this thread
            time.sleep(EVERY)

    def look(self) -> None:
        asked_at = time.monotonic()
        self.marks.append((asked_at, ask(DEFAULT_DB_ALIAS, WRITTEN)))
        seen = ask(ALIAS, SEEN)
        self.as_of = max([moment for moment, written in self.marks if written <= seen], default=self.as_of)


def ask(alias: str, sql: str) -> int:
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        (answer,) = cursor.fetchone()
    return int(answer if answer is not None else -1)


watch = Watch()
