"""Reads what PostgreSQL meant by an error (its SQLSTATE and the constraint it names), and who is connected to it."""

from collections.abc import Iterable
from typing import Any, Final, cast

import psycopg
from django.apps import apps
from django.conf import settings
from django.db import connection, models
from django.db.models.constraints import BaseConstraint
from django.db.utils import Error
from prometheus_client.core import GaugeMetricFamily, Metric
from psycopg_pool import PoolTimeout

#: lock_not_available, deadlock_detected, serialization_failure, query_canceled (by a timeout), too_many_connections
BUSY: Final = frozenset({"55P03", "40P01", "40001", "57014", "53300"})
OUTDATED_PLAN: Final = "0A000"  # cached plan must not change result type
READ_ONLY: Final = "25006"  # the server became a standby under us
FOREIGN_KEY_VIOLATION: Final = "23503"


def sqlstate(error: Error) -> str | None:
    return getattr(error.__cause__, "sqlstate", None)


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
