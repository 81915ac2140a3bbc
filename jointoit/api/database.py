"""Reads what PostgreSQL meant by an error (its SQLSTATE and the constraint it names), and who is connected to it."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

import psycopg
import structlog
from django.apps import apps
from django.conf import settings
from django.db import connection, models
from django.db.models.constraints import BaseConstraint
from django.db.utils import Error, InterfaceError, OperationalError
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric
from psycopg_pool import PoolTimeout

from jointoit.process import database_clock

log = structlog.get_logger(__name__)

#: lock_not_available, deadlock_detected, serialization_failure, query_canceled (by a timeout), too_many_connections
BUSY: Final = frozenset({"55P03", "40P01", "40001", "57014", "53300"})
OUTDATED_PLAN: Final = "0A000"  # cached plan must not change result type
READ_ONLY: Final = "25006"  # the server became a standby under us
FOREIGN_KEY_VIOLATION: Final = "23503"
INSUFFICIENT_PRIVILEGE: Final = "42501"
#: undefined_table, undefined_column, undefined_function, undefined_object: what migrations have yet to make
NOT_THERE: Final = frozenset({"42P01", "42703", "42883", "42704"})
CREDENTIALS: Final = re.compile(r"//[^/@\s]*@")


def sqlstate(error: Error) -> str | None:
    return getattr(error.__cause__, "sqlstate", None)


def what_happened(error: BaseException) -> str:
    """What a driver says, in one line: psycopg names host, port and user, never a password, and rows in later lines."""
    said = getattr(getattr(error, "diag", None) or getattr(error.__cause__, "diag", None), "message_primary", None)
    return CREDENTIALS.sub("//…@", " ".join((said or str(error)).split()))[:500] or type(error).__name__


def host() -> str:
    """Which server is asked, as `host:port`."""
    params: dict[str, Any] = connection.settings_dict
    return f"{params['HOST'] or 'local socket'}:{params['PORT'] or 5432}"


def unusable(error: Error) -> str | None:
    """Why nothing can be done with this database, as a sentence for an operator; None where the fault is ours."""
    said = what_happened(error)
    match error:
        case OperationalError() | InterfaceError():
            return f"The database does not serve us (see DATABASE_URL): {said}"
        case _ if sqlstate(error) == INSUFFICIENT_PRIVILEGE:
            return f"The role of DATABASE_URL lacks a right in the database: {said}"
        case _ if sqlstate(error) in NOT_THERE:
            return f"The database is not what this release needs; `python -m jointoit release` brings it there: {said}"
    return None


@contextmanager
def postponing(event: str, **about: object) -> Iterator[None]:
    """Let one row that is held, or spoiled, keep no other waiting: a line in the log, `event`, says that it is put off.

    Raises what says that the database is away.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, OperationalError | InterfaceError) and not is_busy(error):
            raise
        log.warning(
            event, **about, exc_info=error, hint="Nothing to do: they are tried again. If it stays, look at the error."
        )


def is_busy(error: Error) -> bool:
    """Whether the same request has a good chance a moment later, with the database alive and well.

    A pool with a connection for each thread has none to give only while the database gives it none.
    """
    is_exhausted = isinstance(error.__cause__, PoolTimeout) and settings.SERVE["threads"] > settings.DATABASE_POOL
    return sqlstate(error) in BUSY or is_exhausted


def violated(error: Error) -> BaseConstraint | None:
    """The constraint of one of our models that an integrity error names."""
    if not isinstance(error.__cause__, psycopg.Error):
        return None
    name = error.__cause__.diag.constraint_name
    ours = (constraint for model in apps.get_models() for constraint in model._meta.constraints)
    return next((constraint for constraint in ours if constraint.name == name), None)


def only_field(constraint: BaseConstraint) -> str | None:
    """The one field that a unique constraint is about; None if it is about several."""
    if not isinstance(constraint, models.UniqueConstraint):
        return None
    parts = [part for expression in constraint.expressions for part in cast("Any", expression).flatten()]
    names = {*constraint.fields, *(cast("Any", part).name for part in parts if isinstance(part, models.F))}
    return str(names.pop()) if len(names) == 1 else None


def clock_skew() -> Iterable[Metric]:
    """For the metrics. Leases are judged by the database's clock, tokens and opening times by each process's own."""
    yield GaugeMetricFamily(
        "jointoit_clock_skew_seconds",
        "How far the database's clock is ahead of this process's.",
        (database_clock.now() - timezone.now()).total_seconds(),
    )


def connections_by_state() -> Iterable[Metric]:
    """For the metrics: who is connected to this database, from all machines, and how many may be."""
    family = GaugeMetricFamily(
        "jointoit_database_connections",
        "Connections to this database by state, as PostgreSQL counts them; `limit` is its max_connections.",
        labels=["state"],
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(state, 'other'), count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND backend_type = 'client backend' GROUP BY 1 "
            "UNION ALL SELECT 'limit', current_setting('max_connections')::bigint"
        )
        for state, number in cursor.fetchall():
            family.add_metric([state], number)
    yield family
